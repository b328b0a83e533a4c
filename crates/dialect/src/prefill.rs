//! Adds a prefill to a request: the start of an answer, which the model continues.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde_json::Value;

use crate::{
    Dialect, Request,
    json::{RawField, fields, read, span_in, text},
    json_parts,
    model::splice,
};

/// How a target takes a prefill: the start of an answer, which its model continues.
///
/// In all forms the text is the last message of the assistant, without white space at its end. Chat completions have no standard
/// for it, so a server may need an extra field; in the other dialects all forms are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prefill {
    /// A last message of the assistant, without an extra field: Anthropic's models that take one, Gemini, Ollama's `/api/chat`,
    /// OpenRouter.
    Message,
    /// That message has `"prefix": true`: DeepSeek (its beta base URL), Mistral.
    Prefix,
    /// The request has `"continue_final_message": true` and `"add_generation_prompt": false`: vLLM, SGLang.
    ContinueFinalMessage,
}

fields! {
    struct MessageLists<'a> {
        messages: RawField<'a>,
        contents: RawField<'a>,
    }
}

fields! {
    struct LastMessage<'a> {
        role: RawField<'a>,
        content: RawField<'a>,
        parts: RawField<'a>,
    }
}

// === impl Dialect ===

impl Dialect {
    /// Whether requests of this dialect can have a prefill at all.
    pub fn takes_prefill(self) -> bool {
        self != Self::OpenAiResponses
    }

    /// Adds the text as a prefill to a request; `false` if that cannot be expressed. The rest of the request stays as it is.
    pub fn with_prefill(self, request: &mut Request, said: &str, form: Prefill) -> bool {
        let body = match self {
            Self::OpenAiChat => chat(request.body(), said, form),
            Self::Anthropic | Self::Ollama => message(request.body(), said, ""),
            Self::Gemini => contents(request.body(), said),
            Self::OpenAiResponses => None,
        };
        body.map(|body| *request.body_mut() = body).is_some()
    }
}

fn chat(body: &Bytes, said: &str, form: Prefill) -> Option<Bytes> {
    let prefix = if form == Prefill::Prefix { r#","prefix":true"# } else { "" };
    let body = message(body, said, prefix)?;
    if form != Prefill::ContinueFinalMessage {
        return Some(body);
    }
    let open = body.len() - body.trim_ascii_start().len() + 1;
    let flags = r#""continue_final_message":true,"add_generation_prompt":false,"#;
    Some(splice(&body, std::slice::from_ref(&(open..open)), flags))
}

/// Adds a last message of the assistant, or extends the one that exists.
fn message(body: &Bytes, said: &str, more: &str) -> Option<Bytes> {
    let turns: MessageLists<'_> = serde_json::from_slice(body).ok()?;
    let list = turns.messages?.get();
    let (all, last) = messages(list)?;
    let own = last.filter(|turn| text(turn.role).as_deref() == Some("assistant"));
    let Some(own) = own else {
        let turn = format!(r#"{{"role":"assistant","content":{}{more}}}"#, Value::from(said));
        return Some(append(body, list, &turn, all > 0));
    };
    let content = own.content?.get();
    if let Some(begun) = read::<String>(own.content) {
        let whole = Value::from(begun + said).to_string();
        return Some(splice(body, &[span_in(content, body)], &whole));
    }
    let part = format!(r#"{{"type":"text","text":{}}}"#, Value::from(said));
    let any = json_parts::list(content)?.next().is_some();
    Some(append(body, content, &part, any))
}

/// Adds the message in Gemini's format.
fn contents(body: &Bytes, said: &str) -> Option<Bytes> {
    let turns: MessageLists<'_> = serde_json::from_slice(body).ok()?;
    let list = turns.contents?.get();
    let (all, last) = messages(list)?;
    let part = format!(r#"{{"text":{}}}"#, Value::from(said));
    let own = last.filter(|turn| text(turn.role).as_deref() == Some("model"));
    if let Some(parts) = own.and_then(|turn| turn.parts) {
        let any = json_parts::list(parts.get())?.next().is_some();
        return Some(append(body, parts.get(), &part, any));
    }
    let turn = format!(r#"{{"role":"model","parts":[{part}]}}"#);
    Some(append(body, list, &turn, all > 0))
}

/// The number of messages, and the last of them.
fn messages(list: &str) -> Option<(usize, Option<LastMessage<'_>>)> {
    let all: Vec<&str> = json_parts::list(list)?.collect();
    let last = all.last().map(|last| serde_json::from_str(last)).transpose().ok()?;
    Some((all.len(), last))
}

/// Appends an element to a list in the body.
fn append(body: &Bytes, list: &str, element: &str, any: bool) -> Bytes {
    let end = span_in(list, body).end - 1;
    let comma = if any { "," } else { "" };
    splice(body, std::slice::from_ref(&(end..end)), &format!("{comma}{element}"))
}
