//! OpenAI chat: a message is a delta that comes at once.

use super::one_line::one_line;
use crate::lazy_json::LazyJson;

/// `usage` says whether the caller asked for it: then every chunk has the field, and one more chunk fills it.
pub(super) fn stream(mut answer: LazyJson<'_>, usage: bool) -> Option<String> {
    let choices =
        answer.get("choices")?.to_items().into_iter().map(LazyJson::owned).collect::<Vec<_>>();
    let cost = answer.get("usage").map_or_else(|| LazyJson::of("null"), LazyJson::owned);
    answer.set("object", LazyJson::text("chat.completion.chunk"));
    answer.remove("usage");
    let mut events = Vec::new();
    for choice in &choices {
        let (delta, finish) = halves(choice)?;
        for half in [delta, finish] {
            let mut chunk = answer.clone();
            chunk.set("choices", LazyJson::List(vec![half]));
            if usage {
                chunk.set("usage", LazyJson::of("null"));
            }
            events.push(chunk);
        }
    }
    if usage {
        answer.set("choices", LazyJson::of("[]"));
        answer.set("usage", cost);
        events.push(answer);
    }
    let events = events.iter().map(|event| format!("data: {}\n\n", one_line(&event.json())));
    Some(events.chain(["data: [DONE]\n\n".into()]).collect())
}

/// What a choice says, and that it ends.
fn halves<'a>(choice: &LazyJson<'a>) -> Option<(LazyJson<'a>, LazyJson<'a>)> {
    let mut message = choice.get("message")?.owned();
    if let Some(calls) = message.field("tool_calls").and_then(LazyJson::items) {
        // The pieces of calls find each other by their index.
        for (at, call) in calls.iter_mut().enumerate() {
            call.set("index", LazyJson::of(at.to_string()));
        }
    }
    let (mut delta, mut finish) = (choice.clone(), choice.clone());
    for half in [&mut delta, &mut finish] {
        half.remove("message");
    }
    delta.set("delta", message);
    delta.set("finish_reason", LazyJson::of("null"));
    finish.set("delta", LazyJson::of("{}"));
    finish.remove("logprobs");
    Some((delta, finish))
}
