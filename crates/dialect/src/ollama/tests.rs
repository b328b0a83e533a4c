use super::*;
use crate::{
    AnswerForm, Dialect, FrameSummary, RequestInfo, StreamMonitor, Usage, outcome::Outcome,
};

const WORD: &str = r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"word"},"done":false}"#;
const NEXT: &str = r#"{"model":"m","created_at":"t","response":"word","done":false}"#;
const DONE: &str = r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":3}"#;
const ERROR: &str = r#"{"error":"llama runner process has terminated"}"#;
const UNAVAILABLE: Outcome = Outcome::Unavailable { wait: None };

fn follow(lines: &[&str]) -> (FrameSummary, Outcome) {
    watch(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}

fn watch(text: &str) -> (FrameSummary, Outcome) {
    let mut watch = StreamMonitor::new(Dialect::Ollama, &crate::outcome::ErrorCodeTable::default());
    let seen = watch.feed(text.as_bytes());
    (seen, watch.finish().unwrap_or_else(|why| why.outcome()))
}

fn judged(body: &str) -> Outcome {
    Dialect::Ollama
        .check(&crate::outcome::ErrorCodeTable::default(), body.as_bytes())
        .0
        .unwrap_or_else(|why| why.outcome())
}

#[test]
fn text_thinking_and_tool_calls_are_content() {
    for line in [
        WORD,
        NEXT,
        r#"{"message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}"#,
        r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]}}"#,
        r#"{"response":"","thinking":"Hm","done":false}"#,
        r#"{"message":{"content":"","images":["aGk="]},"done":false}"#,
        r#"{"image":"aGk=","done":false}"#,
    ] {
        assert_eq!(follow(&[line]).0.content, 1, "{line}");
    }
    for line in [
        r#"{"message":{"role":"assistant","content":""},"done":false}"#,
        r#"{"message":{"content":"","tool_calls":[]}}"#,
        r#"{"message":null}"#,
        r#"{"response":"","done":false}"#,
        r#"{"message":{"role":"assistant","content":"","images":[]},"done":false}"#,
        r#"{"model":"m","created_at":"2026-01-01T00:00:00Z","total_duration":1,"done":false}"#,
        r#"{"error":null}"#,
        "{}",
    ] {
        let (seen, _) = follow(&[line]);
        assert_eq!((seen.events, seen.content, seen.failed), (1, 0, None), "{line}");
    }
}

#[test]
fn a_line_that_says_done_ends_the_stream_and_tells_its_cost() {
    for word in [WORD, NEXT] {
        let mut watch =
            StreamMonitor::new(Dialect::Ollama, &crate::outcome::ErrorCodeTable::default());
        assert_eq!(watch.feed(format!("{word}\n{DONE}\n").as_bytes()).failed, None);
        assert!(watch.is_over());
        assert_eq!(watch.usage(), Some(Usage::new(7, 3)));
        assert_eq!(watch.finish(), Ok(Outcome::Success));
    }
    assert_eq!(
        watch(&format!("{WORD}\r\n\r\n{DONE}")).1,
        Outcome::Success,
        "no line feed after it"
    );
    assert_eq!(follow(&[WORD, DONE, ERROR, "{bad"]).1, Outcome::Success);
}

#[test]
fn without_it_the_stream_is_truncated() {
    assert_eq!(follow(&[WORD, WORD]).1, Outcome::Truncated);
    assert_eq!(watch(&format!("{WORD}\n{}", &DONE[..DONE.len() - 1])).1, Outcome::Truncated);
    assert_eq!(watch("{\"mess").1, Outcome::Truncated);
}

#[test]
fn an_end_without_content_is_empty_unless_there_is_a_reason() {
    assert_eq!(follow(&[DONE]).1, Outcome::Empty);
    assert_eq!(watch("").1, Outcome::Empty);
    for reason in ["length", "load", "unload"] {
        assert_eq!(follow(&[&DONE.replace("stop", reason)]).1, Outcome::Success, "{reason}");
    }
}

#[test]
fn a_line_with_an_error_fails_the_stream() {
    for error in [ERROR, r#"{"error":{"message":"busy","code":503}}"#] {
        for before in [&[][..], &[WORD]] {
            let (seen, outcome) = follow(&[before, &[error, WORD, DONE]].concat());
            assert_eq!(seen.failed.expect(error).outcome(), UNAVAILABLE, "{error}");
            assert_eq!(outcome, UNAVAILABLE);
        }
    }
    let long = r#"{"error":"the prompt is too long: it exceeds the available context size"}"#;
    assert_eq!(follow(&[long]).1, Outcome::TooLarge);
}

#[test]
fn a_line_that_is_a_broken_object_fails_the_stream() {
    for bad in ["{\"message\":{\"content\":\"wo", "{}}"] {
        let (seen, outcome) = follow(&[WORD, bad, WORD, DONE]);
        assert_eq!(seen.failed, Some(Outcome::Malformed.into()), "{bad}");
        assert_eq!(outcome, Outcome::Malformed, "{bad}");
    }
    assert_eq!(watch("Bad gateway").1, Outcome::Malformed);
    let page = StreamMonitor::new(Dialect::Ollama, &crate::outcome::ErrorCodeTable::default())
        .feed(b"<html>\n");
    assert_eq!((page.events, page.failed), (0, None), "its first byte tells");
}

#[test]
fn a_line_that_is_no_object_changes_nothing() {
    for odd in ["bad gateway", "null", "17", "data: {}", "[]", ": keepalive", "{}"] {
        let (seen, outcome) = follow(&[WORD, odd, WORD, DONE]);
        assert_eq!((seen.failed, seen.content, outcome), (None, 2, Outcome::Success), "{odd}");
    }
}

#[test]
fn a_whole_answer_is_judged_by_its_content() {
    let whole = DONE.replace("\"content\":\"\"", "\"content\":\"a\"");
    for (body, expected) in [
        (&*whole, Outcome::Success),
        (r#"{"response":"a","done":true}"#, Outcome::Success),
        (DONE, Outcome::Empty),
        (&DONE.replace("stop", "length"), Outcome::Success),
        (&DONE.replace("stop", "load"), Outcome::Success),
        (ERROR, UNAVAILABLE),
        ("", Outcome::Empty),
        ("{}", Outcome::Empty),
        ("<html>", Outcome::Malformed),
        (&whole[..40], Outcome::Truncated),
    ] {
        assert_eq!(judged(body), expected, "{body}");
    }
    assert_eq!(
        Dialect::Ollama.check(&crate::outcome::ErrorCodeTable::default(), whole.as_bytes()).1.usage,
        Some(Usage::new(7, 3))
    );
}

#[test]
fn a_text_is_an_answer_to_both_questions_in_both_forms() {
    let text = "We are \"busy\":\nback soon 🐎";
    for (form, place) in
        [(AnswerForm::Usual, "/message/content"), (AnswerForm::Generate, "/response")]
    {
        let ask = |stream| RequestInfo {
            model: Some("m\"1".into()),
            stream,
            form,
            ..RequestInfo::default()
        };
        let body = |ask| {
            let response = render(text, &ask);
            String::from_utf8(response.body().to_vec()).unwrap()
        };
        let json: serde_json::Value = serde_json::from_str(&body(ask(false))).unwrap();
        assert_eq!((json.pointer(place), &json["model"]), (Some(&text.into()), &"m\"1".into()));
        assert_eq!(judged(&json.to_string()), Outcome::Success);
        let created = json["created_at"].as_str().unwrap();
        assert!(created.parse::<jiff::Timestamp>().is_ok(), "{created}");

        let stream = body(ask(true));
        assert_eq!((watch(&stream).0.content, watch(&stream).1), (1, Outcome::Success));
        let lines: Vec<serde_json::Value> =
            stream.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (lines[0].pointer(place), &lines[0]["done"]),
            (Some(&text.into()), &false.into())
        );
        assert_eq!((lines[1].pointer(place), &lines[1]["done"]), (Some(&"".into()), &true.into()));
    }
}
