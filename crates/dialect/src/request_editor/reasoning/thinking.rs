//! What a request needs beside its turns when their reasoning is gone.

use super::{
    super::{
        RequestEditor,
        message::{Message, Role},
    },
    block::is_thinking,
    chat, current, gemini,
};
use crate::{Dialect, lazy_json::LazyJson};

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// Turns thinking off at Anthropic if the last calls of tools have no thinking before them, which the API refuses. Returns
    /// whether it was on.
    pub fn settle_thinking(&mut self) -> bool {
        let enabled = |it: LazyJson<'_>| it.str_or_empty("type") == "enabled";
        let on =
            self.dialect == Dialect::Anthropic && self.body.get("thinking").is_some_and(enabled);
        if !on || !self.has_bare_calls() {
            return false;
        }
        self.body.remove("thinking");
        self.keep_no_thinking();
        self.changed = true;
        true
    }

    /// Signs the calls of the current turn with the documented stand-in where they have no signature, at Gemini, which demands
    /// one. Returns whether there were any.
    pub fn sign_calls(&mut self) -> bool {
        let dialect = self.dialect;
        if !self.takes_stand_in() {
            return false;
        }
        let list = self.body.get(self.turns_name());
        let first = list.map_or(usize::MAX, |list| current(dialect, &list.to_items()));
        let mut signed = false;
        for turn in self.turns().into_iter().flatten().skip(first.saturating_add(1)) {
            signed |= match dialect {
                Dialect::Gemini => gemini::sign(turn),
                _ => {
                    let calls = turn.get("tool_calls").is_some_and(|calls| calls.is_list());
                    let calls = if calls { turn.field("tool_calls") } else { None };
                    calls.and_then(|calls| calls.items()?.first_mut()).is_some_and(chat::sign)
                }
            };
        }
        self.changed |= signed;
        signed
    }

    /// Whether the request ends in the results of tools, and their calls have no thinking before them.
    fn has_bare_calls(&self) -> bool {
        let Some(list) = self.body.get("messages") else { return false };
        let turns = list.to_items();
        let read = |turn: &LazyJson<'_>| Message::read(Dialect::Anthropic, turn);
        if turns.last().is_none_or(|last| read(last).role != Role::Result) {
            return false;
        }
        let answer = turns.iter().rev().find(|turn| turn.str_or_empty("role") == "assistant");
        answer.is_some_and(|answer| {
            let content = answer.get("content");
            let blocks = content.as_ref().map(LazyJson::to_items).unwrap_or_default();
            !read(answer).calls.is_empty() && !blocks.first().is_some_and(is_thinking)
        })
    }

    /// Removes the rules for keeping thinking, which are refused without it.
    fn keep_no_thinking(&mut self) {
        let clears = |edit: &LazyJson<'_>| edit.str_or_empty("type").starts_with("clear_thinking");
        let edits =
            self.body.get("context_management").and_then(|it| it.get("edits").map(LazyJson::owned));
        if !edits.is_some_and(|edits: LazyJson<'_>| edits.to_items().iter().any(clears)) {
            return;
        }
        let Some(management) = self.body.field("context_management") else { return };
        let left = management.field("edits").and_then(LazyJson::items).map_or(0, |edits| {
            edits.retain(|edit| !clears(edit));
            edits.len()
        });
        if left == 0 {
            self.body.remove("context_management");
        }
    }
}
