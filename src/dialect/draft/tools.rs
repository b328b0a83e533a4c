//! Tools that are not offered: their declarations go, the choices that name them, and what was called and said before.

use std::collections::HashSet;

use super::{
    Draft, spelled,
    turn::{Role, Turn, strip},
};
use crate::dialect::{Dialect, tree::Node};

/// Which tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Which {
    #[default]
    None,
    Named(Vec<Box<str>>),
    All,
}

/// What one tool is called by its provider: a name that a business uses for it stands for all of them.
const SAME: [&[&str]; 2] = [
    &["web_search", "google_search", "google_search_retrieval"],
    &["code_interpreter", "code_execution"],
];
const CONFIG: [&str; 2] = ["toolConfig", "tool_config"];
const DECLARATIONS: [&str; 2] = ["functionDeclarations", "function_declarations"];

// === impl Which ===

impl Which {
    /// Whether a tool of that name, or of that type of the provider's own, is one of them: `web_search` is
    /// `web_search_20250305` too.
    fn has(&self, name: &str) -> bool {
        let Self::Named(names) = self else { return *self == Self::All };
        let snake = snake(name);
        let is = |known: &str| {
            let version = snake.strip_prefix(known).and_then(|rest| rest.strip_prefix('_'));
            known == snake || known == name || version.is_some_and(is_version)
        };
        names.iter().any(|known| {
            let same = SAME.iter().find(|same| same.contains(&&**known));
            is(known) || same.is_some_and(|same| same.iter().any(|other| is(other)))
        })
    }
}

/// Whether what follows a type is its version: `20250305`, `preview_2025_03_11`.
fn is_version(rest: &str) -> bool {
    let dated = rest.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    rest.starts_with("preview") || (dated && !rest.is_empty())
}

/// `googleSearch` → `google_search`.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

// === impl Draft ===

impl Draft<'_> {
    /// Drops those tools; tells the names of the ones that were declared.
    pub(crate) fn drop_tools(&mut self, which: &Which) -> Vec<String> {
        if *which == Which::None {
            return Vec::new();
        }
        let mut dropped = Vec::new();
        for name in ["tools", "functions"] {
            self.undeclare(name, which, &mut dropped);
        }
        for (name, tool) in [("web_search_options", "web_search"), ("mcp_servers", "mcp")] {
            if which.has(tool) && self.body.at(name).is_some() {
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
    pub(crate) fn tools(&self) -> Vec<String> {
        let mut names = Vec::new();
        for name in ["tools", "functions"] {
            let declared = self.body.at(name);
            names.extend(
                declared.iter().flat_map(|tools| tools.each()).flat_map(|tool| called(&tool)),
            );
        }
        if self.body.at("web_search_options").is_some() {
            names.push("web_search".into());
        }
        names
    }

    /// Whether one of those tools is declared.
    pub(crate) fn brings(&self, which: &Which) -> bool {
        self.tools().iter().any(|name| which.has(name))
    }

    fn undeclare(&mut self, field: &str, which: &Which, dropped: &mut Vec<String>) {
        let Some(tools) = self.body.at(field) else { return };
        let before = dropped.len();
        let all =
            tools.each().iter().flat_map(called).filter(|name| which.has(name)).collect::<Vec<_>>();
        dropped.extend(all);
        let empty = tools.each().is_empty();
        if dropped.len() == before && !(empty && *which == Which::All) {
            return;
        }
        self.changed = true;
        let left = self.body.field(field).and_then(Node::items).map_or(0, |tools| {
            tools.retain_mut(|tool| !undeclared(tool, which));
            tools.len()
        });
        if left == 0 {
            self.body.remove(field);
        }
    }

    /// A choice of a tool that is gone, or of any where none is left, goes too.
    fn unchoose(&mut self, which: &Which) {
        let left = self.tools().is_empty();
        for name in ["tool_choice", "function_call"] {
            let names = self.body.at(name).is_some_and(|choice| chooses(&choice, which));
            if left || names {
                self.changed |= self.body.remove(name);
            }
        }
        if left {
            self.changed |= self.body.remove("parallel_tool_calls");
        }
        let Some(config) = spelled(&self.body, CONFIG) else { return };
        let names = self.body.at(config).is_some_and(|config| chooses(&config, which));
        if left || names {
            self.changed |= self.body.remove(config);
        }
    }

    /// What such tools were asked and said before goes with them, each call with its results. Where the conversation then
    /// ends with what the model had said on its way to the call, that goes too: the question is asked anew.
    fn forget(&mut self, which: &Which) {
        let dialect = self.dialect;
        let Some(turns) = self.body.at(self.turns_name()) else { return };
        let turns: Vec<_> = turns.each().iter().map(|turn| Turn::read(dialect, turn)).collect();
        let calls = turns.iter().flat_map(|turn| &turn.calls);
        let mut gone: HashSet<_> =
            calls.filter(|call| which.has(&call.name)).map(|call| call.id.clone()).collect();
        if *which == Which::All {
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
        let ended = turns.last().map(|turn| Turn::read(dialect, turn).role);
        let mut out: Vec<Node<'_>> = Vec::with_capacity(turns.len());
        for mut turn in turns.drain(..) {
            if strip(dialect, &mut turn, &|id| gone.contains(id)) {
                // The thoughts that led to a call cannot stand without it.
                let thoughts = |turn: &Node<'_>| turn.word("type") == "reasoning";
                while out.last().is_some_and(thoughts) {
                    out.pop();
                }
            } else {
                out.push(turn);
            }
        }
        while ended != Some(Role::Answer)
            && out.last().is_some_and(|turn| Turn::read(dialect, turn).role == Role::Answer)
        {
            out.pop();
        }
        *turns = out;
        self.changed = true;
    }
}

/// What a tool is called: its name, and its type where it is one of the provider's own.
fn called(tool: &Node<'_>) -> Vec<String> {
    let kind = tool.word("type");
    if let Some(known) = ["function", "custom"].into_iter().find_map(|kind| tool.at(kind)) {
        return vec![known.word("name")];
    }
    let name = tool.word("name");
    if !name.is_empty() {
        return vec![name];
    }
    match kind.as_str() {
        "" => {}
        "mcp" => return vec![tool.word("server_label")],
        kind => return vec![kind.into()],
    }
    // Gemini: one object of all the functions, and a field for each tool of the provider's own.
    let Some(fields) = tool
        .view()
        .fields()
        .map(|fields| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>())
    else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for field in fields {
        if DECLARATIONS.contains(&&*field) {
            let declared = tool.at(&field);
            names.extend(declared.iter().flat_map(|all| all.each()).map(|one| one.word("name")));
        } else {
            names.push(snake(&field));
        }
    }
    names
}

/// Takes those tools out of a declaration; tells whether nothing is left of it.
fn undeclared(tool: &mut Node<'_>, which: &Which) -> bool {
    let Some(name) = spelled(tool, DECLARATIONS) else {
        let fields = tool.word("type").is_empty() && tool.word("name").is_empty();
        if fields && tool.at("function").is_none() {
            if let Some(fields) = tool.fields() {
                fields.retain(|(name, _)| !which.has(name));
                return fields.is_empty();
            }
        }
        let names = called(tool);
        return names.iter().any(|name| which.has(name)) || *which == Which::All;
    };
    if let Some(declared) = tool.field(name).and_then(Node::items) {
        declared.retain(|one| !which.has(&one.word("name")));
    }
    let Some(fields) = tool.fields() else { return false };
    fields.retain(
        |(field, node)| {
            if field == name { !node.each().is_empty() } else { !which.has(field) }
        },
    );
    fields.is_empty()
}

/// Whether a choice names one of those tools, however deep.
fn chooses(choice: &Node<'_>, which: &Which) -> bool {
    let named = called(choice).iter().any(|name| which.has(name));
    let typed = which.has(&choice.word("type"));
    let allowed = ["allowed_tools", "functionCallingConfig", "function_calling_config"];
    let inner = allowed.into_iter().filter_map(|name| choice.at(name));
    let lists = ["tools", "allowedFunctionNames", "allowed_function_names"];
    let listed = lists.into_iter().filter_map(|name| choice.at(name)).any(|list| {
        let one = |one: &Node<'_>| {
            one.string().is_some_and(|name| which.has(&name)) || chooses(one, which)
        };
        list.each().iter().any(one)
    });
    (*which != Which::All && (named || typed))
        || listed
        || inner.into_iter().any(|inner| chooses(&inner, which))
}

impl Dialect {
    /// The names of the tools that a request declares.
    pub(crate) fn brings(self, body: &[u8], which: &Which) -> bool {
        Draft::open(self, super::Form::Usual, body).is_some_and(|draft| draft.brings(which))
    }
}
