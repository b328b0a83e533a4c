use crate::{
    Dialect, Usage,
    outcome::{ErrorCodeTable, Outcome},
};

fn outcome(body: &str) -> Outcome {
    Dialect::OpenAiChat
        .check(&ErrorCodeTable::default(), body.as_bytes())
        .0
        .unwrap_or_else(|why| why.outcome())
}

fn message(message: &str, finish: &str) -> String {
    format!(
        r#"{{"id":"c","object":"chat.completion","choices":[{{"index":0,"message":{message},"finish_reason":"{finish}"}}]}}"#
    )
}

#[test]
fn content_of_any_kind_is_an_answer() {
    for piece in [
        r#"{"role":"assistant","content":"a"}"#,
        r#"{"role":"assistant","content":[{"type":"text","text":"a"}]}"#,
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}"#,
        r#"{"content":null,"function_call":{"name":"f","arguments":"{}"}}"#,
        r#"{"content":null,"refusal":"no"}"#,
        r#"{"content":"","reasoning_content":"a"}"#,
        r#"{"content":null,"audio":{"data":"x"}}"#,
    ] {
        assert_eq!(outcome(&message(piece, "stop")), Outcome::Success, "{piece}");
    }
}

#[test]
fn an_answer_without_content_is_empty() {
    for body in [
        "",
        " \r\n\n",
        "\u{feff}",
        "{}",
        r#"{"choices":null}"#,
        r#"{"choices":[]}"#,
        r#"{"choices":[{}]}"#,
        r#"{"choices":[{"message":null}]}"#,
    ] {
        assert_eq!(outcome(body), Outcome::Empty, "{body}");
    }
    for piece in
        ["{}", r#"{"role":"assistant","content":""}"#, r#"{"content":null,"tool_calls":[]}"#]
    {
        assert_eq!(outcome(&message(piece, "stop")), Outcome::Empty, "{piece}");
        assert_eq!(outcome(&message(piece, "content_filter")), Outcome::Blocked, "{piece}");
        assert_eq!(outcome(&message(piece, "length")), Outcome::Success, "{piece}");
    }
}

#[test]
fn one_choice_with_content_is_enough() {
    let body = r#"{"choices":[{"message":{"content":""}},{"message":{"content":"a"}}]}"#;
    assert_eq!(outcome(body), Outcome::Success);
}

#[test]
fn an_error_inside_a_200_is_a_failure() {
    for body in [
        r#"{"error":{"message":"x","type":"server_error","code":"server_error"}}"#,
        r#"{"error":{"code":502,"message":"x"},"choices":[]}"#,
        r#"{"choices":[{"error":{"code":502,"message":"x"},"message":{"content":"a"}}]}"#,
        r#"{"choices":[{"message":{"content":"a"},"finish_reason":"error"}]}"#,
        r#"{"object":"error","message":"x","type":"InternalServerError","code":500}"#,
        r#"[{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}]"#,
        r#"{"error":"out of memory"}"#,
    ] {
        assert!(Dialect::OpenAiChat.check(&ErrorCodeTable::default(), body.as_bytes()).0.is_err());
        assert_eq!(outcome(body), Outcome::Unavailable { wait: None }, "{body}");
    }
    let fine = message(r#"{"content":"a"}"#, "stop").replacen('{', r#"{"error":null,"#, 1);
    assert_eq!(outcome(&fine), Outcome::Success);
}

#[test]
fn what_is_no_json_object_is_malformed_and_half_of_one_is_truncated() {
    for body in [
        "<html><p>Sign in",
        "Bad gateway",
        "\u{1f}\u{8b}\u{8}",
        "null",
        "17",
        "\"a\"",
        "[]",
        "{bad}",
        "{}x",
    ] {
        assert_eq!(outcome(body), Outcome::Malformed, "{body}");
    }
    let whole = message(r#"{"content":"words and words"}"#, "stop");
    for end in 1..whole.len() {
        assert_eq!(outcome(&whole[..end]), Outcome::Truncated, "{}", &whole[..end]);
    }
}

#[test]
fn white_space_before_an_answer_is_allowed() {
    let body = format!("\n\n\n  \r\n{}\n", message(r#"{"content":"a"}"#, "stop"));
    assert_eq!(outcome(&body), Outcome::Success);
}

#[test]
fn the_cost_is_read_whatever_the_answer() {
    let usage =
        r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#;
    assert_eq!(
        Dialect::OpenAiChat.check(&ErrorCodeTable::default(), usage.as_bytes()).1.usage,
        Some(Usage::new(7, 3))
    );
    for odd in [r#"{"usage":null}"#, r#"{"usage":"many"}"#, "{}"] {
        assert_eq!(
            Dialect::OpenAiChat.check(&ErrorCodeTable::default(), odd.as_bytes()).1.usage,
            None,
            "{odd}"
        );
    }
    let half = r#"{"usage":{"prompt_tokens":7,"completion_tokens":-1}}"#;
    assert_eq!(
        Dialect::OpenAiChat.check(&ErrorCodeTable::default(), half.as_bytes()).1.usage,
        Some(Usage::new(7, 0))
    );
}

#[test]
fn no_depth_of_nesting_overflows_the_stack() {
    for open in ["[", "{\"choices\":[", "{\"x\":", "{\"choices\":[{\"delta\":"] {
        assert!(
            Dialect::OpenAiChat
                .check(&ErrorCodeTable::default(), open.repeat(200_000).as_bytes())
                .0
                .is_err()
        );
        let (answer, _) = Dialect::OpenAiChat.check(
            &ErrorCodeTable::default(),
            format!("{{\"x\":{}", open.repeat(200_000)).as_bytes(),
        );
        assert!(answer.is_err());
    }
}
