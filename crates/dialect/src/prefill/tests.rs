use super::*;

fn prefilled(dialect: Dialect, body: &'static str, form: Prefill) -> Option<String> {
    let mut request = Request::new(Bytes::from_static(body.as_bytes()));
    let done = dialect.with_prefill(&mut request, "so \"far\"", form);
    done.then(|| String::from_utf8(request.into_body().to_vec()).unwrap())
}

#[test]
fn the_text_becomes_the_last_turn_and_the_rest_stays() {
    let chat = r#"{ "model":"m", "messages":[{"role":"user","content":"q"}], "n":1.0}"#;
    let plain = r#"{ "model":"m", "messages":[{"role":"user","content":"q"},{"role":"assistant","content":"so \"far\""}], "n":1.0}"#;
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::Ollama] {
        assert_eq!(prefilled(dialect, chat, Prefill::Message).as_deref(), Some(plain));
    }
    let prefix = prefilled(Dialect::OpenAiChat, chat, Prefill::Prefix).unwrap();
    assert!(prefix.contains(r#""content":"so \"far\"","prefix":true}]"#), "{prefix}");
    let vllm = prefilled(Dialect::OpenAiChat, chat, Prefill::ContinueFinalMessage).unwrap();
    assert!(vllm.starts_with(r#"{"continue_final_message":true,"add_generation_prompt":false, "#));
    assert!(serde_json::from_str::<Value>(&vllm).is_ok(), "{vllm}");
    let gemini = r#"{"contents":[{"role":"user","parts":[{"text":"q"}]}]}"#;
    assert_eq!(
        prefilled(Dialect::Gemini, gemini, Prefill::Message).as_deref(),
        Some(
            r#"{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"so \"far\""}]}]}"#
        )
    );
}

#[test]
fn a_beginning_of_the_callers_own_is_gone_on_with() {
    let text =
        r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"A: "}]}"#;
    assert_eq!(
        prefilled(Dialect::Anthropic, text, Prefill::Message).as_deref(),
        Some(
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"A: so \"far\""}]}"#
        )
    );
    let parts = r#"{"messages":[{"role":"assistant","content":[{"type":"text","text":"A"}]}]}"#;
    let whole = prefilled(Dialect::Anthropic, parts, Prefill::Message).unwrap();
    assert!(whole.contains(r#"{"type":"text","text":"A"},{"type":"text","text":"so \"far\""}]"#));
    let model = r#"{"contents":[{"role":"model","parts":[{"text":"A"}]}]}"#;
    let whole = prefilled(Dialect::Gemini, model, Prefill::Message).unwrap();
    assert!(whole.contains(r#"[{"text":"A"},{"text":"so \"far\""}]"#), "{whole}");
}

#[test]
fn a_request_without_turns_cannot_be_prefilled() {
    for body in ["", "[]", "{}", r#"{"messages":7}"#, r#"{"prompt":"q"}"#, r#"{"messages":[7]}"#] {
        for dialect in [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::Ollama, Dialect::Gemini] {
            assert_eq!(prefilled(dialect, body, Prefill::ContinueFinalMessage), None, "{body}");
        }
    }
    let input = r#"{"input":"q","messages":[{"role":"user","content":"q"}]}"#;
    assert_eq!(prefilled(Dialect::OpenAiResponses, input, Prefill::Message), None);
}
