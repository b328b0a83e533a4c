//! OpenAI responses: the response begins without output, its items come one after the other, and it ends with all of them.

use super::one_line::one_line;
use crate::{lazy_json::LazyJson, reply::event};

/// Events with their numbers.
#[derive(Default)]
struct Events(Vec<String>);

pub(super) fn stream(response: LazyJson<'_>) -> Option<String> {
    let items =
        response.get("output")?.to_items().into_iter().map(LazyJson::owned).collect::<Vec<_>>();
    let end = match response.str_or_empty("status").as_str() {
        "incomplete" => "response.incomplete",
        "failed" => "response.failed",
        _ => "response.completed",
    };
    let mut begun = response.clone();
    begun.set("status", LazyJson::text("in_progress"));
    begun.set("output", LazyJson::of("[]"));
    begun.set("usage", LazyJson::of("null"));
    let begun = format!(r#""response":{}"#, one_line(&begun.json()));
    let mut events = Events::default();
    events.push("response.created", &begun);
    events.push("response.in_progress", &begun);
    for (at, item) in items.iter().enumerate() {
        events.item(at, item);
    }
    events.push(end, &format!(r#""response":{}"#, one_line(&response.json())));
    Some(events.0.concat())
}

// === impl Events ===

impl Events {
    fn push(&mut self, name: &str, fields: &str) {
        let number = self.0.len();
        self.0.push(event(name, &format!(r#""sequence_number":{number},{fields}"#)));
    }

    /// An item: its parts or arguments grow, any other begins whole.
    fn item(&mut self, at: usize, item: &LazyJson<'_>) {
        let (kind, id) =
            (item.str_or_empty("type"), item.get("id").map_or("\"\"".into(), |id| id.json()));
        let mut begun = item.clone();
        if item.get("status").is_some() {
            begun.set("status", LazyJson::text("in_progress"));
        }
        match kind.as_str() {
            "message" => begun.set("content", LazyJson::of("[]")),
            "function_call" => begun.set("arguments", LazyJson::of("\"\"")),
            _ => {}
        }
        let place = format!(r#""output_index":{at}"#);
        let added = format!(r#"{place},"item":{}"#, one_line(&begun.json()));
        self.push("response.output_item.added", &added);
        let place = format!(r#""item_id":{id},{place}"#);
        if kind == "message" {
            let parts =
                item.get("content").map(LazyJson::owned).unwrap_or_else(|| LazyJson::of("[]"));
            for (nth, part) in parts.to_items().iter().enumerate() {
                self.part(&format!(r#"{place},"content_index":{nth}"#), part);
            }
        } else if let Some(arguments) = item.get("arguments").filter(|_| kind == "function_call") {
            let (name, arguments) = ("response.function_call_arguments", arguments.json());
            self.push(&format!("{name}.delta"), &format!(r#"{place},"delta":{arguments}"#));
            self.push(&format!("{name}.done"), &format!(r#"{place},"arguments":{arguments}"#));
        }
        let done = format!(r#""output_index":{at},"item":{}"#, one_line(&item.json()));
        self.push("response.output_item.done", &done);
    }

    fn part(&mut self, place: &str, part: &LazyJson<'_>) {
        let (field, name, logprobs) = match part.str_or_empty("type").as_str() {
            "refusal" => ("refusal", "response.refusal", ""),
            _ => ("text", "response.output_text", r#","logprobs":[]"#),
        };
        let text = part.get(field).map_or("\"\"".into(), |text| text.json());
        let mut begun = part.clone();
        begun.set(field, LazyJson::of("\"\""));
        let (begun, whole) = (one_line(&begun.json()), one_line(&part.json()));
        self.push("response.content_part.added", &format!(r#"{place},"part":{begun}"#));
        self.push(&format!("{name}.delta"), &format!(r#"{place},"delta":{text}{logprobs}"#));
        self.push(&format!("{name}.done"), &format!(r#"{place},"{field}":{text}{logprobs}"#));
        self.push("response.content_part.done", &format!(r#"{place},"part":{whole}"#));
    }
}
