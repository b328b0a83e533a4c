use super::*;
use crate::{
    AnswerForm, Dialect, FrameSummary, RequestInfo, StreamMonitor, Usage, outcome::Outcome,
};

const WORD: &str = r#"{"candidates":[{"content":{"parts":[{"text":"word"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":1,"totalTokenCount":8}}"#;
const STOP: &str = r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"thoughtsTokenCount":10,"toolUsePromptTokenCount":1}}"#;
const BLOCKED: &str =
    r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":7}}"#;
const ERROR: &str =
    r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
const UNAVAILABLE: Outcome = Outcome::Unavailable { wait: None };

fn as_events(chunks: &[&str]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect()
}

fn as_array(chunks: &[&str]) -> String {
    format!("[{}\n]\n", chunks.join("\n,\r\n"))
}

fn watch(text: &str) -> (FrameSummary, Outcome) {
    let mut watch = StreamMonitor::new(Dialect::Gemini, &crate::outcome::ErrorCodeTable::default());
    let seen = watch.feed(text.as_bytes());
    (seen, watch.finish().unwrap_or_else(|why| why.outcome()))
}

/// The outcome, which is the same in both framings.
fn outcome(chunks: &[&str]) -> Outcome {
    let (events, array) = (watch(&as_events(chunks)), watch(&as_array(chunks)));
    assert_eq!((events.0.content, events.1), (array.0.content, array.1), "{chunks:?}");
    events.1
}

fn content(chunk: &str) -> u32 {
    watch(&as_events(&[chunk])).0.content
}

fn finish(reason: &str) -> String {
    STOP.replace("STOP", reason)
}

fn judged(body: &str) -> Outcome {
    Dialect::Gemini
        .check(&crate::outcome::ErrorCodeTable::default(), body.as_bytes())
        .0
        .unwrap_or_else(|why| why.outcome())
}

#[test]
fn text_thoughts_calls_and_pictures_are_content() {
    let of = |part: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{part}]}}}}]}}"#);
    for part in [
        r#"{"text":"a"}"#,
        r#"{"text":"Hm","thought":true}"#,
        r#"{"functionCall":{"name":"f","args":{}}}"#,
        r#"{"inlineData":{"mimeType":"image/png","data":"x"}}"#,
        r#"{"inlineData":{"mimeType":"audio/pcm","data":"x"}}"#,
        r#"{"codeExecutionResult":{"output":"1"}}"#,
        r#"{"executableCode":{"code":"1"}}"#,
        r#"{"text":""},{"text":"a"}"#,
    ] {
        assert_eq!(content(&of(part)), 1, "{part}");
    }
    for part in [
        r#"{"text":""}"#,
        r#"{"text":"","thoughtSignature":"x"}"#,
        r#"{"thoughtSignature":"x"}"#,
        "{}",
        "",
    ] {
        assert_eq!(content(&of(part)), 0, "{part}");
    }
    for chunk in [
        STOP,
        "{}",
        r#"{"candidates":[]}"#,
        r#"{"candidates":[{"content":null}]}"#,
        r#"{"candidates":[{"content":{"role":"model"}}]}"#,
        r#"{"usageMetadata":{"promptTokenCount":7}}"#,
        r#"{"promptFeedback":{"safetyRatings":[]}}"#,
        r#"{"candidates":[{"safetyRatings":[{"category":"x"}],"index":0}]}"#,
        r#"{"candidates":[{"citationMetadata":{"citationSources":[]},"groundingMetadata":{"webSearchQueries":["x"]}}]}"#,
    ] {
        let (seen, _) = watch(&as_events(&[chunk]));
        assert_eq!((seen.events, seen.content, seen.failed), (1, 0, None), "{chunk}");
    }
}

#[test]
fn a_finish_reason_ends_it_without_a_sentinel() {
    assert_eq!(outcome(&[WORD, WORD, STOP]), Outcome::Success);
    assert_eq!(outcome(&[WORD, &finish("MAX_TOKENS")]), Outcome::Success);
    // The usage may come after the end.
    let usage = r#"{"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":4}}"#;
    for text in [as_events(&[WORD, STOP, usage]), as_array(&[WORD, STOP, usage])] {
        let mut watch =
            StreamMonitor::new(Dialect::Gemini, &crate::outcome::ErrorCodeTable::default());
        watch.feed(text.as_bytes());
        assert_eq!(watch.usage(), Some(Usage::new(7, 4)));
    }
    let mut watch = StreamMonitor::new(Dialect::Gemini, &crate::outcome::ErrorCodeTable::default());
    watch.feed(as_events(&[WORD, STOP]).as_bytes());
    assert_eq!(watch.usage(), Some(Usage { reasoning: 10, ..Usage::new(8, 13) }));
    assert!(!watch.is_over());
    let text = as_events(&[WORD, STOP, "[DONE]"]);
    assert_eq!(self::watch(&text).1, Outcome::Success);
}

#[test]
fn without_it_the_stream_is_truncated_even_where_the_array_is_closed() {
    assert_eq!(outcome(&[WORD, WORD]), Outcome::Truncated);
    assert_eq!(outcome(&[WORD, &finish("FINISH_REASON_UNSPECIFIED")]), Outcome::Truncated);
    assert_eq!(watch(&format!("[{WORD},\n{WORD}")).1, Outcome::Truncated);
    assert_eq!(watch("[").1, Outcome::Truncated);
    assert_eq!(watch("[]").1, Outcome::Truncated);
    // Truncated after the finish reason, it is whole.
    assert_eq!(watch(&format!("[{WORD},\n{STOP}")).1, Outcome::Success);
}

#[test]
fn an_array_that_is_closed_is_over() {
    let mut watch = StreamMonitor::new(Dialect::Gemini, &crate::outcome::ErrorCodeTable::default());
    watch.feed(as_array(&[WORD, STOP]).as_bytes());
    assert!(watch.is_over());
    assert_eq!(watch.foreign(), None);
}

#[test]
fn an_end_without_content_is_empty_blocked_or_a_limit() {
    assert_eq!(outcome(&[STOP]), Outcome::Empty);
    for reason in ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "NO_IMAGE"] {
        assert_eq!(outcome(&[&finish(reason)]), Outcome::Unfinished, "{reason}");
        assert_eq!(outcome(&[WORD, &finish(reason)]), Outcome::Unfinished, "{reason}");
    }
    assert_eq!(outcome(&[&finish("MAX_TOKENS")]), Outcome::Success);
    for reason in ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"] {
        assert_eq!(outcome(&[&finish(reason)]), Outcome::Blocked, "{reason}");
        assert_eq!(outcome(&[WORD, &finish(reason)]), Outcome::Success, "{reason}");
    }
    assert_eq!(outcome(&[BLOCKED]), Outcome::Blocked);
    assert_eq!(watch("").1, Outcome::Empty);
}

#[test]
fn several_candidates_are_whole_when_all_that_began_have_finished() {
    let other = |chunk: &str| chunk.replace("\"index\":0", "\"index\":1");
    assert_eq!(outcome(&[WORD, &other(WORD), STOP]), Outcome::Truncated);
    assert_eq!(outcome(&[WORD, &other(WORD), STOP, &other(STOP)]), Outcome::Success);
}

#[test]
fn a_chunk_with_an_error_fails_the_stream() {
    let limited = ERROR.replace("503", "429").replace("UNAVAILABLE", "RESOURCE_EXHAUSTED");
    for (error, expected) in [(ERROR, UNAVAILABLE), (&limited, Outcome::RateLimited { wait: None })]
    {
        for before in [&[][..], &[WORD]] {
            assert_eq!(outcome(&[before, &[error, WORD, STOP]].concat()), expected, "{error}");
        }
    }
    assert_eq!(outcome(&[WORD, &format!("[{ERROR}]")]), UNAVAILABLE);
    assert_eq!(outcome(&[WORD, STOP, ERROR]), Outcome::Success);
    assert!(watch("event: error\ndata: busy\n\n").0.failed.is_some());
}

#[test]
fn a_broken_object_fails_the_stream_and_what_is_no_chunk_changes_nothing() {
    for bad in ["{bad}", "{\"candidates\":17"] {
        assert_eq!(outcome(&[WORD, bad, WORD, STOP]), Outcome::Malformed, "{bad}");
    }
    for odd in ["null", "17", "{\"candidates\":17}", "{}", "\"word\"", ": keepalive"] {
        assert_eq!(outcome(&[WORD, odd, WORD, STOP]), Outcome::Success, "{odd}");
    }
}

#[test]
fn a_whole_answer_is_judged_by_its_candidates() {
    let whole = WORD.replace("\"index\"", "\"finishReason\":\"STOP\",\"index\"");
    let listed = format!("[{ERROR}]");
    for (body, expected) in [
        (&*whole, Outcome::Success),
        (STOP, Outcome::Empty),
        (&finish("SAFETY"), Outcome::Blocked),
        (&finish("MAX_TOKENS"), Outcome::Success),
        (BLOCKED, Outcome::Blocked),
        (ERROR, UNAVAILABLE),
        (&listed, UNAVAILABLE),
        ("", Outcome::Empty),
        ("{}", Outcome::Empty),
        ("<html>", Outcome::Malformed),
        ("[]", Outcome::Malformed),
        (&whole[..30], Outcome::Truncated),
    ] {
        assert_eq!(judged(body), expected, "{body}");
    }
    assert_eq!(
        Dialect::Gemini.check(&crate::outcome::ErrorCodeTable::default(), whole.as_bytes()).1.usage,
        Some(Usage::new(7, 1))
    );
}

#[test]
fn a_text_is_an_answer_in_all_three_forms() {
    let text = "We are \"busy\":\nback soon 🐎";
    for (stream, form) in
        [(false, AnswerForm::Usual), (true, AnswerForm::Usual), (true, AnswerForm::Array)]
    {
        let ask =
            RequestInfo { model: Some("m\"1".into()), stream, form, ..RequestInfo::default() };
        let response = render(text, &ask);
        let kind = response.headers()["content-type"].to_str().unwrap();
        let body = std::str::from_utf8(response.body()).unwrap();
        let json = body.trim_start_matches("data: ").trim_matches(['[', ']', '\r', '\n']);
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(json["candidates"][0]["content"]["parts"][0]["text"], text);
        assert_eq!(json["modelVersion"], "m\"1");
        assert_eq!(kind.starts_with("text/event-stream"), stream && form == AnswerForm::Usual);
        let outcome = if stream { watch(body).1 } else { judged(body) };
        assert_eq!(outcome, Outcome::Success);
    }
}
