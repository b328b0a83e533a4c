//! Tools that are not offered: their declarations go, the choices that name them, and what was called and said before.

use std::collections::HashSet;

use super::{
    RequestEditor, ToolFilter,
    message::{Message, Role, strip},
    spelled,
    tool_filter::{called, chooses, undeclared},
};
use crate::{Dialect, lazy_json::LazyJson};

const CONFIG: [&str; 2] = ["toolConfig", "tool_config"];

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// Drops the tools that `which` selects, with their calls and results in the conversation. Returns the names of those that were
    /// declared.
    pub fn drop_tools(&mut self, which: &ToolFilter) -> Vec<String> {
        if *which == ToolFilter::None {
            return Vec::new();
        }
        let mut dropped = Vec::new();
        for name in ["tools", "functions"] {
            self.undeclare(name, which, &mut dropped);
        }
        for (name, tool) in [("web_search_options", "web_search"), ("mcp_servers", "mcp")] {
            if which.has(tool) && self.body.get(name).is_some() {
                self.changed |= self.body.remove(name);
                dropped.push(tool.into());
            }
        }
        self.unchoose(which);
        self.forget(which);
        dropped.dedup();
        dropped
    }

    /// The names of the tools it declares.
    pub fn tools(&self) -> Vec<String> {
        let mut names = Vec::new();
        for name in ["tools", "functions"] {
            let declared = self.body.get(name);
            names.extend(
                declared.iter().flat_map(|tools| tools.to_items()).flat_map(|tool| called(&tool)),
            );
        }
        if self.body.get("web_search_options").is_some() {
            names.push("web_search".into());
        }
        names
    }

    /// Whether one of those tools is declared.
    pub fn declares(&self, which: &ToolFilter) -> bool {
        self.tools().iter().any(|name| which.has(name))
    }

    fn undeclare(&mut self, field: &str, which: &ToolFilter, dropped: &mut Vec<String>) {
        let Some(tools) = self.body.get(field) else { return };
        let before = dropped.len();
        let all = tools
            .to_items()
            .iter()
            .flat_map(called)
            .filter(|name| which.has(name))
            .collect::<Vec<_>>();
        dropped.extend(all);
        let empty = tools.to_items().is_empty();
        if dropped.len() == before && !(empty && *which == ToolFilter::All) {
            return;
        }
        self.changed = true;
        let left = self.body.field(field).and_then(LazyJson::items).map_or(0, |tools| {
            tools.retain_mut(|tool| !undeclared(tool, which));
            tools.len()
        });
        if left == 0 {
            self.body.remove(field);
        }
    }

    /// A choice of a tool that is gone, or of any where none is left, goes too.
    fn unchoose(&mut self, which: &ToolFilter) {
        let left = self.tools().is_empty();
        for name in ["tool_choice", "function_call"] {
            let names = self.body.get(name).is_some_and(|choice| chooses(&choice, which));
            if left || names {
                self.changed |= self.body.remove(name);
            }
        }
        if left {
            self.changed |= self.body.remove("parallel_tool_calls");
        }
        let Some(config) = spelled(&self.body, CONFIG) else { return };
        let names = self.body.get(config).is_some_and(|config| chooses(&config, which));
        if left || names {
            self.changed |= self.body.remove(config);
        }
    }

    /// What such tools were asked and said before goes with them, each call with its results. Where the conversation then
    /// ends with what the model had said on its way to the call, that goes too: the question is asked anew.
    fn forget(&mut self, which: &ToolFilter) {
        let dialect = self.dialect;
        let Some(turns) = self.body.get(self.turns_name()) else { return };
        let turns: Vec<_> =
            turns.to_items().iter().map(|turn| Message::read(dialect, turn)).collect();
        let calls = turns.iter().flat_map(|turn| &turn.calls);
        let mut gone: HashSet<_> =
            calls.filter(|call| which.has(&call.name)).map(|call| call.id.clone()).collect();
        if *which == ToolFilter::All {
            gone.extend(turns.iter().flat_map(|turn| turn.results.iter().cloned()));
        }
        if !gone.is_empty() {
            self.strip(&gone);
        }
    }

    /// Takes calls out, and their results.
    pub(super) fn strip(&mut self, gone: &HashSet<String>) {
        let dialect = self.dialect;
        let Some(turns) = self.turns() else { return };
        let ended = turns.last().map(|turn| Message::read(dialect, turn).role);
        let mut out: Vec<LazyJson<'_>> = Vec::with_capacity(turns.len());
        for mut turn in turns.drain(..) {
            let goes = strip(dialect, &mut turn, &|id| gone.contains(id));
            // The thoughts that led to calls cannot stand where none of these is left.
            while Message::read(dialect, &turn).role != Role::Answer
                && out.last().is_some_and(is_thought)
            {
                out.pop();
            }
            if !goes {
                out.push(turn);
            }
        }
        while ended != Some(Role::Answer)
            && out.last().is_some_and(|turn| Message::read(dialect, turn).role == Role::Answer)
        {
            out.pop();
        }
        *turns = out;
        self.changed = true;
    }
}

/// Whether an item of OpenAI's is what the model thought before the next.
fn is_thought(item: &LazyJson<'_>) -> bool {
    item.str_or_empty("type") == "reasoning"
}

impl Dialect {
    /// Whether a request with that body declares one of those tools.
    pub fn declares(self, body: &[u8], which: &ToolFilter) -> bool {
        RequestEditor::open_as(self, super::AnswerForm::Usual, body)
            .is_some_and(|draft| draft.declares(which))
    }
}
