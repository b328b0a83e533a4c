//! The turns of a conversation: their roles, their tool calls and their tool results.

use super::spelled;
use crate::{Dialect, tree::Node};

/// The role of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    System,
    User,
    /// The model, or an item that belongs to its answer.
    Answer,
    /// The results of tools, with or without other content.
    Result,
}

/// The properties of a turn.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) role: Role,
    pub(super) calls: Vec<Call>,
    /// The ids of the calls whose results are in the turn.
    pub(super) results: Vec<String>,
}

/// A tool call.
#[derive(Debug)]
pub(super) struct Call {
    /// The id that its result refers to; the name of the tool if calls have no id.
    pub(super) id: String,
    pub(super) name: String,
}

pub(super) const CALL: [&str; 2] = ["functionCall", "function_call"];
pub(super) const RESPONSE: [&str; 2] = ["functionResponse", "function_response"];

// === impl Turn ===

impl Turn {
    pub(super) fn read(dialect: Dialect, turn: &Node<'_>) -> Self {
        match dialect {
            Dialect::OpenAiChat | Dialect::Ollama => chat(turn),
            Dialect::OpenAiResponses => item(turn),
            Dialect::Anthropic => message(turn),
            Dialect::Gemini => content(turn),
        }
    }

    fn of(role: Role) -> Self {
        Self { role, calls: Vec::new(), results: Vec::new() }
    }

    fn by_role(turn: &Node<'_>) -> Self {
        Self::of(match turn.word("role").as_str() {
            "system" | "developer" => Role::System,
            "assistant" | "model" => Role::Answer,
            "tool" | "function" => Role::Result,
            _ => Role::User,
        })
    }
}

fn chat(turn: &Node<'_>) -> Turn {
    let mut read = Turn::by_role(turn);
    if read.role == Role::Result {
        let names = ["tool_call_id", "tool_name", "name"].map(|name| turn.word(name));
        read.results.extend(names.into_iter().find(|name| !name.is_empty()));
    }
    read.calls.extend(
        turn.at("tool_calls")
            .iter()
            .flat_map(|calls| calls.each().iter().map(chat_call).collect::<Vec<_>>()),
    );
    read.calls.extend(turn.at("function_call").map(|call| named(&call, "name")));
    read
}

pub(super) fn chat_call(call: &Node<'_>) -> Call {
    let kinds = ["function", "custom"].map(|kind| call.at(kind).map(|kind| kind.word("name")));
    let name = kinds.into_iter().flatten().next().unwrap_or_default();
    let id = call.word("id");
    Call { id: if id.is_empty() { name.clone() } else { id }, name }
}

fn item(turn: &Node<'_>) -> Turn {
    let kind = turn.word("type");
    if kind.is_empty() || kind == "message" {
        return Turn::by_role(turn);
    }
    if kind.ends_with("_output") {
        return Turn { results: vec![turn.word("call_id")], ..Turn::of(Role::Result) };
    }
    let mut read = Turn::of(Role::Answer);
    if let Some(built_in) = kind.strip_suffix("_call") {
        let mut call = named(turn, "call_id");
        if call.name.is_empty() {
            call.name = built_in.into();
        }
        read.calls.push(call);
    }
    read
}

fn message(turn: &Node<'_>) -> Turn {
    let mut read = Turn::by_role(turn);
    for block in turn.at("content").iter().flat_map(|content| content.each()) {
        match block.word("type").as_str() {
            kind if kind.ends_with("tool_use") => read.calls.push(named(&block, "id")),
            kind if kind.ends_with("tool_result") => {
                read.results.push(block.word("tool_use_id"));
            }
            _ => {}
        }
    }
    // Tools of the provider have their results in the answer itself.
    if read.role == Role::User && !read.results.is_empty() {
        read.role = Role::Result;
    }
    read
}

fn content(turn: &Node<'_>) -> Turn {
    let mut read = Turn::by_role(turn);
    for part in turn.at("parts").iter().flat_map(|parts| parts.each()) {
        if let Some(call) = spelled(&part, CALL).and_then(|name| part.at(name)) {
            read.calls.push(named(&call, "id"));
        }
        if let Some(response) = spelled(&part, RESPONSE).and_then(|name| part.at(name)) {
            read.results.push(named(&response, "id").id);
            read.role = Role::Result;
        }
    }
    read
}

/// The call with the id in that field; without one, with an id in another field or its name.
pub(super) fn named(node: &Node<'_>, id: &str) -> Call {
    let name = node.word("name");
    let ids = [node.word(id), node.word("id"), name.clone()];
    Call { id: ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default(), name }
}

/// Removes calls from a turn, and their results. Returns whether the turn is then empty.
pub(super) fn strip(dialect: Dialect, turn: &mut Node<'_>, gone: &dyn Fn(&str) -> bool) -> bool {
    match dialect {
        Dialect::OpenAiChat | Dialect::Ollama => strip_chat(turn, gone),
        Dialect::OpenAiResponses => {
            let read = item(turn);
            read.calls.iter().map(|call| &call.id).chain(&read.results).any(|id| gone(id))
        }
        Dialect::Anthropic => strip_parts(turn, "content", &|block| {
            let id = if block.word("type").ends_with("tool_use") { "id" } else { "tool_use_id" };
            let id = block.word(id);
            !id.is_empty() && gone(&id)
        }),
        Dialect::Gemini => strip_parts(turn, "parts", &|part| {
            let names = [spelled(part, CALL), spelled(part, RESPONSE)];
            let mut inner = names.into_iter().flatten().filter_map(|name| part.at(name));
            inner.any(|inner| gone(&named(&inner, "id").id))
        }),
    }
}

fn strip_chat(turn: &mut Node<'_>, gone: &dyn Fn(&str) -> bool) -> bool {
    let read = chat(turn);
    if read.results.iter().any(|id| gone(id)) {
        return true;
    }
    if !read.calls.iter().any(|call| gone(&call.id)) {
        return false;
    }
    let left = turn.field("tool_calls").and_then(Node::items).map_or(0, |calls| {
        calls.retain(|call| !gone(&chat_call(call).id));
        calls.len()
    });
    if left == 0 {
        turn.remove("tool_calls");
    }
    if turn.at("function_call").is_some_and(|call| gone(&call.word("name"))) {
        turn.remove("function_call");
    }
    let says = turn.at("content").is_some_and(|content| !content.is("\"\"") && !content.is("[]"));
    left == 0 && !says && turn.at("function_call").is_none()
}

/// Removes the parts that match. A turn with only thoughts counts as empty.
fn strip_parts(turn: &mut Node<'_>, name: &str, gone: &dyn Fn(&Node<'_>) -> bool) -> bool {
    let any = turn.at(name).is_some_and(|parts| parts.each().iter().any(gone));
    if !any {
        return false;
    }
    let Some(parts) = turn.field(name).and_then(Node::items) else { return false };
    parts.retain(|part| !gone(part));
    let thought = |part: &Node<'_>| {
        part.word("type").ends_with("thinking")
            || part.at("thought").is_some_and(|it| it.is("true"))
    };
    parts.iter().all(thought)
}
