use serde_json::{Value, json};

use super::*;

/// The text, if it is all of the content of an event.
fn only_text(dialect: Dialect, json: &Value) -> Option<String> {
    let data = json.to_string();
    let mut reader = EventReader::new(dialect, &ErrorCodeTable::default());
    let event = reader.read(&RawEvent { name: b"", data: data.as_bytes() });
    event.only_text().and_then(|text| Some(text.decode()?.into_owned()))
}

#[test]
fn a_text_alone_is_all_of_the_content() {
    let words = Some("a \"b\"".to_owned());
    let chat = json!({"choices":[{"index":0,"delta":{"role":"assistant","content":"a \"b\"","tool_calls":null}}]});
    assert_eq!(only_text(Dialect::OpenAiChat, &chat), words);
    let anthropic =
        json!({"type":"content_block_delta","delta":{"type":"text_delta","text":"a \"b\""}});
    assert_eq!(only_text(Dialect::Anthropic, &anthropic), words);
    let gemini = json!({"candidates":[{"content":{"parts":[{"text":"a \"b\""}],"role":"model"}}]});
    assert_eq!(only_text(Dialect::Gemini, &gemini), words);
    let ollama = json!({"message":{"role":"assistant","content":"a \"b\""},"done":false});
    assert_eq!(only_text(Dialect::Ollama, &ollama), words);
}

#[test]
fn a_text_beside_anything_else_is_not() {
    for delta in [
        json!({"reasoning_content":"hm"}),
        json!({"content":"a","reasoning":"hm"}),
        json!({"tool_calls":[{"index":0}]}),
        json!({"content":[{"type":"text","text":"a"}]}),
        json!({"refusal":"no"}),
        json!({"content":"a","audio":{"id":"x"}}),
        json!({"content":"a","unknown":"x"}),
    ] {
        let event = json!({"choices":[{"index":0,"delta":delta}]});
        assert_eq!(only_text(Dialect::OpenAiChat, &event), None, "{event}");
    }
    let second = json!({"choices":[{"index":1,"delta":{"content":"a"}}]});
    assert_eq!(only_text(Dialect::OpenAiChat, &second), None);
    let thinking =
        json!({"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}});
    assert_eq!(only_text(Dialect::Anthropic, &thinking), None);
    let thought = json!({"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]});
    assert_eq!(only_text(Dialect::Gemini, &thought), None);
    let call = json!({"message":{"content":"","tool_calls":[{"function":{}}]}});
    assert_eq!(only_text(Dialect::Ollama, &call), None);
}
