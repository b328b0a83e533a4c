//! Anthropic: a message begins empty, its blocks grow one after the other, and it ends.

use super::one_line::one_line;
use crate::{
    lazy_json::LazyJson,
    reply::{event, json},
};

pub(super) fn stream(mut message: LazyJson<'_>) -> Option<String> {
    let blocks =
        message.get("content")?.to_items().into_iter().map(LazyJson::owned).collect::<Vec<_>>();
    let mut ends = LazyJson::Object(Vec::new());
    for name in ["stop_reason", "stop_sequence"] {
        let value = message.get(name).map_or_else(|| LazyJson::of("null"), LazyJson::owned);
        ends.set(name, value);
        message.set(name, LazyJson::of("null"));
    }
    let usage = message
        .get("usage")
        .map_or_else(|| LazyJson::of(r#"{"output_tokens":0}"#), LazyJson::owned);
    message.set("content", LazyJson::of("[]"));
    let start = one_line(&message.json());
    let mut events = vec![event("message_start", &format!(r#""message":{start}"#))];
    for (at, block) in blocks.into_iter().enumerate() {
        events.extend(grow(at, block));
    }
    let end = format!(r#""delta":{},"usage":{}"#, ends.json(), one_line(&usage.json()));
    events.push(event("message_delta", &end));
    events.push("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".into());
    Some(events.concat())
}

/// The events of one block. What only grows in streams (text, thinking, the input of a tool) begins empty; a block of any
/// other kind begins whole.
fn grow(at: usize, mut block: LazyJson<'_>) -> Vec<String> {
    let deltas = deltas(&mut block);
    let place = format!(r#""index":{at}"#);
    let begun = format!(r#"{place},"content_block":{}"#, one_line(&block.json()));
    let mut events = vec![event("content_block_start", &begun)];
    events.extend(
        deltas
            .iter()
            .map(|delta| event("content_block_delta", &format!(r#"{place},"delta":{delta}"#))),
    );
    events.push(event("content_block_stop", &place));
    events
}

/// Takes out of a block what grows, as the deltas that bring it.
fn deltas(block: &mut LazyJson<'_>) -> Vec<String> {
    let kind = block.str_or_empty("type");
    let mut deltas = Vec::new();
    match kind.as_str() {
        "text" => {
            let cited = block.get("citations").map_or_else(|| LazyJson::of("[]"), LazyJson::owned);
            deltas.extend(cited.to_items().iter().map(|citation| {
                let citation = one_line(&citation.json());
                format!(r#"{{"type":"citations_delta","citation":{citation}}}"#)
            }));
            if block.get("citations").is_some() {
                block.set("citations", LazyJson::of("[]"));
            }
            deltas.push(piece(block, "text", "text_delta", "text"));
        }
        "thinking" => {
            deltas.push(piece(block, "thinking", "thinking_delta", "thinking"));
            deltas.push(piece(block, "signature", "signature_delta", "signature"));
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            let input = block.get("input").map_or_else(|| "{}".into(), |input| input.json());
            deltas.push(format!(
                r#"{{"type":"input_json_delta","partial_json":{}}}"#,
                json(&one_line(&input))
            ));
            block.set("input", LazyJson::of("{}"));
        }
        _ => {}
    }
    deltas
}

/// Takes the text out of a field, as the delta that brings it.
fn piece(block: &mut LazyJson<'_>, field: &str, kind: &str, name: &str) -> String {
    let text = block.str_or_empty(field);
    block.set(field, LazyJson::of("\"\""));
    format!(r#"{{"type":"{kind}","{name}":{}}}"#, json(&text))
}
