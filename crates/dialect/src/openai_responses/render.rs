//! Renders a synthetic reply as a response.

use crate::{
    RequestInfo, Response, SyntheticReply,
    reply::{EVENTS, JSON, event, id, json, now, reply},
};

/// The parts of an answer, in JSON.
struct Parts {
    id: String,
    created: u64,
    model: String,
    text: String,
    usage: String,
}

/// Renders a reply as JSON or as a stream, as the request asks.
pub(crate) fn render<'a>(said: impl Into<SyntheticReply<'a>>, info: &RequestInfo) -> Response {
    let said = said.into();
    let parts = Parts {
        id: id(),
        created: now(),
        model: said.model(info),
        text: json(said.text),
        usage: usage(said),
    };
    match info.stream() {
        true => reply(EVENTS, parts.stream()),
        false => reply(JSON, parts.whole()),
    }
}

fn usage(said: SyntheticReply<'_>) -> String {
    let (input, output, total) = said.counts();
    format!(
        r#"{{"input_tokens":{input},"input_tokens_details":{{"cached_tokens":0,"cache_write_tokens":0}},"output_tokens":{output},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{total}}}"#
    )
}

// === impl Parts ===

impl Parts {
    fn whole(&self) -> String {
        self.response("completed", &self.item("completed", &self.part(&self.text)), &self.usage)
    }

    fn stream(&self) -> String {
        let Self { id, text, .. } = self;
        let begun = self.response("in_progress", "", "null");
        let place = format!(r#""item_id":"msg_{id}","output_index":0,"content_index":0"#);
        let (empty, part) = (self.part("\"\""), self.part(text));
        let item = self.item("completed", &part);
        let events = [
            ("created", format!(r#""response":{begun}"#)),
            ("in_progress", format!(r#""response":{begun}"#)),
            (
                "output_item.added",
                format!(r#""output_index":0,"item":{}"#, self.item("in_progress", "")),
            ),
            ("content_part.added", format!(r#"{place},"part":{empty}"#)),
            ("output_text.delta", format!(r#"{place},"delta":{text},"logprobs":[]"#)),
            ("output_text.done", format!(r#"{place},"text":{text},"logprobs":[]"#)),
            ("content_part.done", format!(r#"{place},"part":{part}"#)),
            ("output_item.done", format!(r#""output_index":0,"item":{item}"#)),
            ("completed", format!(r#""response":{}"#, self.whole())),
        ];
        let numbered = events.iter().enumerate().map(|(number, (name, data))| {
            event(&format!("response.{name}"), &format!(r#""sequence_number":{number},{data}"#))
        });
        numbered.collect()
    }

    fn response(&self, status: &str, output: &str, usage: &str) -> String {
        let Self { id, created, model, .. } = self;
        format!(
            r#"{{"id":"resp_{id}","object":"response","created_at":{created},"status":"{status}","background":false,"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"model":{model},"output":[{output}],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{{"effort":null,"summary":null}},"service_tier":"default","store":false,"temperature":1.0,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":{usage},"user":null,"metadata":{{}}}}"#
        )
    }

    fn item(&self, status: &str, content: &str) -> String {
        let id = &self.id;
        format!(
            r#"{{"id":"msg_{id}","type":"message","status":"{status}","role":"assistant","content":[{content}]}}"#
        )
    }

    fn part(&self, text: &str) -> String {
        format!(r#"{{"type":"output_text","text":{text},"annotations":[],"logprobs":[]}}"#)
    }
}
