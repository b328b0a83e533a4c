//! Removes reasoning from the turns of a conversation: what another provider has signed or encrypted is of no use, and often
//! refused.

mod block;
mod chat;
mod gemini;
mod merge;
#[cfg(test)]
mod tests;
mod thinking;
mod turn;

use std::mem::take;

use self::{
    block::Position,
    merge::merge,
    turn::{marks, strip},
};
use super::{
    RequestEditor,
    message::{Message, Role},
};
use crate::{
    Dialect,
    lazy_json::LazyJson,
    marks::{Mark, MarkKind},
};

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// Removes the reasoning of every turn of the model for whose marks `foreign` is true; reasoning without a known mark has
    /// none. Returns the number of turns that had such reasoning.
    ///
    /// Texts, tool calls and results stay, in order. A turn that had only reasoning is removed, and the questions before and
    /// after it are joined, so that the roles still alternate. If the results of tools are sent to Anthropic and their calls are
    /// then without their thinking, thinking is turned off: the API refuses one without the other. A call of the current turn
    /// keeps the documented stand-in for its signature at Gemini.
    pub fn drop_reasoning(&mut self, foreign: &dyn Fn(&[Mark]) -> bool) -> usize {
        let (dialect, stands_in) = (self.dialect, self.takes_stand_in());
        let Some(list) = self.body.get(self.turns_name()) else { return 0 };
        let turns = list.to_items();
        let gone: Vec<bool> = turns
            .iter()
            .map(|turn| marks(dialect, turn).is_some_and(|marks| foreign(&marks)))
            .collect();
        let current = current(dialect, &turns);
        drop(turns);
        drop(list);
        let count = gone.iter().filter(|gone| **gone).count();
        let Some(turns) = self.turns().filter(|_| count > 0) else { return 0 };
        let mut kept = Kept { dialect, turns: Vec::with_capacity(turns.len()), gap: false };
        for (at, turn) in take(turns).into_iter().enumerate() {
            let stand_in = stands_in && at > current;
            kept.add(turn, gone[at], Position { stand_in });
        }
        *turns = kept.turns;
        self.changed = true;
        self.settle_thinking();
        count
    }

    /// The marks of what the request refers to at its provider: a response, a conversation, items of an answer.
    pub fn stored_marks(&self) -> Vec<Mark> {
        if self.dialect != Dialect::OpenAiResponses {
            return Vec::new();
        }
        let conversation = self.body.get("conversation");
        let inner = conversation.as_ref().map(|it| it.str_or_empty("id"));
        let mut ids = vec![self.body.str_or_empty("previous_response_id")];
        ids.extend(conversation.and_then(|it| it.string()));
        ids.extend(inner);
        let items = self.body.get("input").map(|input| {
            input.to_items().into_iter().map(LazyJson::owned).collect::<Vec<LazyJson<'_>>>()
        });
        let references = items
            .into_iter()
            .flatten()
            .filter(|item| item.str_or_empty("type") == "item_reference");
        ids.extend(references.map(|item| item.str_or_empty("id")));
        ids.iter().filter_map(|id| Mark::of(MarkKind::Id, id)).collect()
    }

    /// Whether a call without its signature needs the stand-in for it.
    fn takes_stand_in(&self) -> bool {
        match self.dialect {
            Dialect::Gemini => true,
            Dialect::OpenAiChat => self.body.str_or_empty("model").contains("gemini"),
            _ => false,
        }
    }
}

/// The index of the last question of the user: the turns after it are the current turn of the model. Without a question, all are
/// earlier ones.
fn current(dialect: Dialect, turns: &[LazyJson<'_>]) -> usize {
    let question = |turn: &LazyJson<'_>| Message::read(dialect, turn).role == Role::User;
    turns.iter().rposition(question).unwrap_or(usize::MAX)
}

/// The turns that are kept, in order.
struct Kept<'a> {
    dialect: Dialect,
    turns: Vec<LazyJson<'a>>,
    /// Whether something was removed since the last turn that was kept.
    gap: bool,
}

// === impl Kept ===

impl<'a> Kept<'a> {
    fn add(&mut self, mut turn: LazyJson<'a>, gone: bool, position: Position) {
        if gone && strip(self.dialect, &mut turn, position) {
            self.gap = true;
            return;
        }
        match self.dialect {
            // The items of an answer follow its reasoning, and are stored with it.
            Dialect::OpenAiResponses => self.detach(&mut turn),
            _ => {
                let gap = take(&mut self.gap);
                let last = self.turns.last_mut().filter(|_| gap);
                if last.is_some_and(|last| merge(self.dialect, last, &turn)) {
                    return;
                }
            }
        }
        self.turns.push(turn);
    }

    /// Removes the id of an item whose reasoning was removed: the provider would look for both.
    fn detach(&mut self, item: &mut LazyJson<'_>) {
        if !self.gap {
            return;
        }
        self.gap = Message::read(self.dialect, item).role == Role::Answer;
        let kind = item.str_or_empty("type");
        if self.gap && matches!(&*kind, "" | "message" | "function_call" | "custom_tool_call") {
            item.remove("id");
        }
    }
}
