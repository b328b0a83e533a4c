//! Anthropic: a message starts empty, its blocks arrive one after the other, and it ends.

use super::one_line::one_line;
use crate::{
    reply::{event, json},
    tree::Node,
};

pub(super) fn stream(mut message: Node<'_>) -> Option<String> {
    let blocks = message.at("content")?.each().into_iter().map(Node::owned).collect::<Vec<_>>();
    let mut ends = Node::Object(Vec::new());
    for name in ["stop_reason", "stop_sequence"] {
        let value = message.at(name).map_or_else(|| Node::of("null"), Node::owned);
        ends.set(name, value);
        message.set(name, Node::of("null"));
    }
    let usage = message.at("usage").map_or_else(|| Node::of(r#"{"output_tokens":0}"#), Node::owned);
    message.set("content", Node::of("[]"));
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

/// The events of one block. Fields that arrive in deltas (text, thinking, the input of a tool) start empty; a block of any other
/// kind starts complete.
fn grow(at: usize, mut block: Node<'_>) -> Vec<String> {
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

/// Takes these fields out of a block, as deltas.
fn deltas(block: &mut Node<'_>) -> Vec<String> {
    let kind = block.word("type");
    let mut deltas = Vec::new();
    match kind.as_str() {
        "text" => {
            let cited = block.at("citations").map_or_else(|| Node::of("[]"), Node::owned);
            deltas.extend(cited.each().iter().map(|citation| {
                let citation = one_line(&citation.json());
                format!(r#"{{"type":"citations_delta","citation":{citation}}}"#)
            }));
            if block.at("citations").is_some() {
                block.set("citations", Node::of("[]"));
            }
            deltas.push(piece(block, "text", "text_delta", "text"));
        }
        "thinking" => {
            deltas.push(piece(block, "thinking", "thinking_delta", "thinking"));
            deltas.push(piece(block, "signature", "signature_delta", "signature"));
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            let input = block.at("input").map_or_else(|| "{}".into(), |input| input.json());
            deltas.push(format!(
                r#"{{"type":"input_json_delta","partial_json":{}}}"#,
                json(&one_line(&input))
            ));
            block.set("input", Node::of("{}"));
        }
        _ => {}
    }
    deltas
}

/// Takes the text out of a field, as a delta.
fn piece(block: &mut Node<'_>, field: &str, kind: &str, name: &str) -> String {
    let text = block.word(field);
    block.set(field, Node::of("\"\""));
    format!(r#"{{"type":"{kind}","{name}":{}}}"#, json(&text))
}
