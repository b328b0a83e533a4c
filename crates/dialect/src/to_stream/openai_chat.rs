//! OpenAI chat: a message is one delta.

use super::one_line::one_line;
use crate::tree::Node;

/// `usage`: whether the caller asked for usage. Then every chunk has the field, and one more chunk has the value.
pub(super) fn stream(mut answer: Node<'_>, usage: bool) -> Option<String> {
    let choices = answer.at("choices")?.each().into_iter().map(Node::owned).collect::<Vec<_>>();
    let cost = answer.at("usage").map_or_else(|| Node::of("null"), Node::owned);
    answer.set("object", Node::text("chat.completion.chunk"));
    answer.remove("usage");
    let mut events = Vec::new();
    for choice in &choices {
        let (delta, finish) = halves(choice)?;
        for half in [delta, finish] {
            let mut chunk = answer.clone();
            chunk.set("choices", Node::List(vec![half]));
            if usage {
                chunk.set("usage", Node::of("null"));
            }
            events.push(chunk);
        }
    }
    if usage {
        answer.set("choices", Node::of("[]"));
        answer.set("usage", cost);
        events.push(answer);
    }
    let events = events.iter().map(|event| format!("data: {}\n\n", one_line(&event.json())));
    Some(events.chain(["data: [DONE]\n\n".into()]).collect())
}

/// The content of a choice, and its end.
fn halves<'a>(choice: &Node<'a>) -> Option<(Node<'a>, Node<'a>)> {
    let mut message = choice.at("message")?.owned();
    if let Some(calls) = message.field("tool_calls").and_then(Node::items) {
        // The pieces of a call have the same index.
        for (at, call) in calls.iter_mut().enumerate() {
            call.set("index", Node::of(at.to_string()));
        }
    }
    let (mut delta, mut finish) = (choice.clone(), choice.clone());
    for half in [&mut delta, &mut finish] {
        half.remove("message");
    }
    delta.set("delta", message);
    delta.set("finish_reason", Node::of("null"));
    finish.set("delta", Node::of("{}"));
    finish.remove("logprobs");
    Some((delta, finish))
}
