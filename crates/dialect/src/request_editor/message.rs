//! The turns of a conversation: who speaks, which tools are called, and whose results come.

use super::spelled;
use crate::{Dialect, lazy_json::LazyJson};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    System,
    User,
    /// The model, or anything that belongs to its answer.
    Answer,
    /// The results of tools, whatever stands beside them.
    Result,
}

/// What a turn is.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) role: Role,
    pub(super) calls: Vec<Call>,
    /// The calls whose results come.
    pub(super) results: Vec<String>,
}

/// The call of a tool.
#[derive(Debug)]
pub(super) struct Call {
    /// What its result names it by; the name of the tool where calls have no id.
    pub(super) id: String,
    pub(super) name: String,
}

pub(super) const CALL: [&str; 2] = ["functionCall", "function_call"];
pub(super) const RESPONSE: [&str; 2] = ["functionResponse", "function_response"];

// === impl Message ===

impl Message {
    pub(super) fn read(dialect: Dialect, turn: &LazyJson<'_>) -> Self {
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

    fn by_role(turn: &LazyJson<'_>) -> Self {
        Self::of(match turn.str_or_empty("role").as_str() {
            "system" | "developer" => Role::System,
            "assistant" | "model" => Role::Answer,
            "tool" | "function" => Role::Result,
            _ => Role::User,
        })
    }
}

fn chat(turn: &LazyJson<'_>) -> Message {
    let mut read = Message::by_role(turn);
    if read.role == Role::Result {
        let names = ["tool_call_id", "tool_name", "name"].map(|name| turn.str_or_empty(name));
        read.results.extend(names.into_iter().find(|name| !name.is_empty()));
    }
    read.calls.extend(
        turn.get("tool_calls")
            .iter()
            .flat_map(|calls| calls.to_items().iter().map(chat_call).collect::<Vec<_>>()),
    );
    read.calls.extend(turn.get("function_call").map(|call| named(&call, "name")));
    read
}

pub(super) fn chat_call(call: &LazyJson<'_>) -> Call {
    let kinds =
        ["function", "custom"].map(|kind| call.get(kind).map(|kind| kind.str_or_empty("name")));
    let name = kinds.into_iter().flatten().next().unwrap_or_default();
    let id = call.str_or_empty("id");
    Call { id: if id.is_empty() { name.clone() } else { id }, name }
}

fn item(turn: &LazyJson<'_>) -> Message {
    let kind = turn.str_or_empty("type");
    if kind.is_empty() || kind == "message" {
        return Message::by_role(turn);
    }
    if kind.ends_with("_output") {
        return Message {
            results: vec![turn.str_or_empty("call_id")],
            ..Message::of(Role::Result)
        };
    }
    let mut read = Message::of(Role::Answer);
    if let Some(built_in) = kind.strip_suffix("_call") {
        let mut call = named(turn, "call_id");
        if call.name.is_empty() {
            call.name = built_in.into();
        }
        read.calls.push(call);
    }
    read
}

fn message(turn: &LazyJson<'_>) -> Message {
    let mut read = Message::by_role(turn);
    for block in turn.get("content").iter().flat_map(|content| content.to_items()) {
        match block.str_or_empty("type").as_str() {
            kind if kind.ends_with("tool_use") => read.calls.push(named(&block, "id")),
            kind if kind.ends_with("tool_result") => {
                read.results.push(block.str_or_empty("tool_use_id"));
            }
            _ => {}
        }
    }
    // Tools of the provider's own have their results in the answer itself.
    if read.role == Role::User && !read.results.is_empty() {
        read.role = Role::Result;
    }
    read
}

fn content(turn: &LazyJson<'_>) -> Message {
    let mut read = Message::by_role(turn);
    for part in turn.get("parts").iter().flat_map(|parts| parts.to_items()) {
        if let Some(call) = spelled(&part, CALL).and_then(|name| part.get(name)) {
            read.calls.push(named(&call, "id"));
        }
        if let Some(response) = spelled(&part, RESPONSE).and_then(|name| part.get(name)) {
            read.results.push(named(&response, "id").id);
            read.role = Role::Result;
        }
    }
    read
}

/// The call with the id in that field; its own name, or an id under another name, where there is none.
pub(super) fn named(node: &LazyJson<'_>, id: &str) -> Call {
    let name = node.str_or_empty("name");
    let ids = [node.str_or_empty(id), node.str_or_empty("id"), name.clone()];
    Call { id: ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default(), name }
}

/// Takes calls out of a turn, and their results; tells whether nothing is left of it.
pub(super) fn strip(
    dialect: Dialect,
    turn: &mut LazyJson<'_>,
    gone: &dyn Fn(&str) -> bool,
) -> bool {
    match dialect {
        Dialect::OpenAiChat | Dialect::Ollama => strip_chat(turn, gone),
        Dialect::OpenAiResponses => {
            let read = item(turn);
            read.calls.iter().map(|call| &call.id).chain(&read.results).any(|id| gone(id))
        }
        Dialect::Anthropic => strip_parts(turn, "content", &|block| {
            let id =
                if block.str_or_empty("type").ends_with("tool_use") { "id" } else { "tool_use_id" };
            let id = block.str_or_empty(id);
            !id.is_empty() && gone(&id)
        }),
        Dialect::Gemini => strip_parts(turn, "parts", &|part| {
            let names = [spelled(part, CALL), spelled(part, RESPONSE)];
            let mut inner = names.into_iter().flatten().filter_map(|name| part.get(name));
            inner.any(|inner| gone(&named(&inner, "id").id))
        }),
    }
}

fn strip_chat(turn: &mut LazyJson<'_>, gone: &dyn Fn(&str) -> bool) -> bool {
    let read = chat(turn);
    if read.results.iter().any(|id| gone(id)) {
        return true;
    }
    if !read.calls.iter().any(|call| gone(&call.id)) {
        return false;
    }
    let left = turn.field("tool_calls").and_then(LazyJson::items).map_or(0, |calls| {
        calls.retain(|call| !gone(&chat_call(call).id));
        calls.len()
    });
    if left == 0 {
        turn.remove("tool_calls");
    }
    if turn.get("function_call").is_some_and(|call| gone(&call.str_or_empty("name"))) {
        turn.remove("function_call");
    }
    let says = turn
        .get("content")
        .is_some_and(|content| !content.is_literal("\"\"") && !content.is_literal("[]"));
    left == 0 && !says && turn.get("function_call").is_none()
}

/// Takes out the parts that match. Thoughts alone are no turn.
fn strip_parts(turn: &mut LazyJson<'_>, name: &str, gone: &dyn Fn(&LazyJson<'_>) -> bool) -> bool {
    let any = turn.get(name).is_some_and(|parts| parts.to_items().iter().any(gone));
    if !any {
        return false;
    }
    let Some(parts) = turn.field(name).and_then(LazyJson::items) else { return false };
    parts.retain(|part| !gone(part));
    let thought = |part: &LazyJson<'_>| {
        part.str_or_empty("type").ends_with("thinking")
            || part.get("thought").is_some_and(|it| it.is_literal("true"))
    };
    parts.iter().all(thought)
}
