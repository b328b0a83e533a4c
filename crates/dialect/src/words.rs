//! What an event says in words, for whoever has to go on where a stream broke off.

use serde_json::Value;

use crate::Dialect;

// === impl Dialect ===

impl Dialect {
    /// The words of an event with content, where they are all of its content: `None` for the call of a tool, reasoning, a
    /// picture, or a second answer beside the first, which no beginning of an answer can express.
    pub(crate) fn said(self, event: &Value) -> Option<&str> {
        match self {
            Self::OpenAiChat => chat(event),
            Self::Anthropic => anthropic(event),
            Self::Gemini => gemini(event),
            Self::Ollama => ollama(event),
            Self::OpenAiResponses => None,
        }
    }

    /// The place of the words in an event, to be changed.
    pub(super) fn said_mut(self, event: &mut Value) -> Option<&mut Value> {
        match self {
            Self::OpenAiChat => event.pointer_mut("/choices/0/delta/content"),
            Self::Anthropic => event.pointer_mut("/delta/text"),
            Self::Gemini => event.pointer_mut("/candidates/0/content/parts/0/text"),
            Self::Ollama => event.pointer_mut("/message/content"),
            Self::OpenAiResponses => None,
        }
        .filter(|text| text.is_string())
    }
}

/// Whether a value holds something.
pub(crate) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    }
}

/// Whether anything but those fields is filled.
fn has_more(object: &Value, fields: &[&str]) -> bool {
    let mut rest = object.as_object().into_iter().flatten();
    rest.any(|(name, value)| !fields.contains(&name.as_str()) && is_filled(value))
}

/// The only element of a list, if it is the first of its kind.
fn only(list: &Value) -> Option<&Value> {
    match list.as_array()?.as_slice() {
        [one] if one["index"].as_u64().unwrap_or(0) == 0 => Some(one),
        _ => None,
    }
}

fn chat(event: &Value) -> Option<&str> {
    let delta = &only(&event["choices"])?["delta"];
    if has_more(delta, &["role", "content", "name"]) {
        return None;
    }
    delta["content"].as_str()
}

fn anthropic(event: &Value) -> Option<&str> {
    match event["type"].as_str()? {
        "content_block_delta" if event["delta"]["type"] == "text_delta" => {
            event["delta"]["text"].as_str()
        }
        _ => None,
    }
}

fn gemini(event: &Value) -> Option<&str> {
    match only(&event["candidates"])?["content"]["parts"].as_array()?.as_slice() {
        [part] if !has_more(part, &["text", "thoughtSignature"]) => part["text"].as_str(),
        _ => None,
    }
}

fn ollama(event: &Value) -> Option<&str> {
    let message = &event["message"];
    if has_more(message, &["role", "content"]) {
        return None;
    }
    message["content"].as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_alone_are_words() {
        let chat = json!({"choices":[{"index":0,"delta":{"role":"assistant","content":"a b","tool_calls":null}}]});
        assert_eq!(Dialect::OpenAiChat.said(&chat), Some("a b"));
        let anthropic =
            json!({"type":"content_block_delta","delta":{"type":"text_delta","text":"a b"}});
        assert_eq!(Dialect::Anthropic.said(&anthropic), Some("a b"));
        let gemini = json!({"candidates":[{"content":{"parts":[{"text":"a b"}],"role":"model"}}]});
        assert_eq!(Dialect::Gemini.said(&gemini), Some("a b"));
        let ollama = json!({"message":{"role":"assistant","content":"a b"},"done":false});
        assert_eq!(Dialect::Ollama.said(&ollama), Some("a b"));
    }

    #[test]
    fn whatever_no_beginning_of_an_answer_can_express_is_none() {
        for delta in [
            json!({"reasoning_content":"hm"}),
            json!({"content":"a","reasoning":"hm"}),
            json!({"tool_calls":[{"index":0}]}),
            json!({"content":[{"type":"text","text":"a"}]}),
            json!({"refusal":"no"}),
        ] {
            let event = json!({"choices":[{"index":0,"delta":delta}]});
            assert_eq!(Dialect::OpenAiChat.said(&event), None, "{event}");
        }
        let second = json!({"choices":[{"index":1,"delta":{"content":"a"}}]});
        assert_eq!(Dialect::OpenAiChat.said(&second), None);
        let thinking =
            json!({"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}});
        assert_eq!(Dialect::Anthropic.said(&thinking), None);
        let thought = json!({"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]});
        assert_eq!(Dialect::Gemini.said(&thought), None);
        let call = json!({"message":{"content":"","tool_calls":[{"function":{}}]}});
        assert_eq!(Dialect::Ollama.said(&call), None);
    }
}
