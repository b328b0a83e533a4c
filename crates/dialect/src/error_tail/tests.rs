use http::StatusCode;
use proptest::prelude::*;

use super::*;
use crate::{StreamMonitor, outcome::ErrorCodeTable};

fn info(path: &str) -> RequestInfo {
    let body = r#"{"model":"m","stream":true}"#.into();
    RequestInfo::read(&http::Request::post(path).body(body).unwrap())
}

fn error() -> ErrorReply {
    ErrorReply::new(StatusCode::BAD_GATEWAY, "evenkeel_truncated", "cut")
}

const CHAT: &str = "/v1/chat/completions";
const ARRAY: &str = "/v1beta/models/m:streamGenerateContent";
const LINES: &str = "/api/chat";

/// The bytes passed on of pieces of that size, without those held back.
fn pushed(tail: &mut ErrorTail, stream: &str, size: usize) -> String {
    let pieces = stream.as_bytes().chunks(size).map(Bytes::copy_from_slice);
    String::from_utf8(pieces.flat_map(|piece| tail.push(piece)).collect()).unwrap()
}

/// A stream that breaks after these bytes, as its caller receives it.
fn broken(path: &str, stream: &str, size: usize) -> Option<String> {
    let mut tail = ErrorTail::new(&info(path)).unwrap();
    let out = pushed(&mut tail, stream, size);
    let last = tail.fail(&error())?;
    Some(out + std::str::from_utf8(&last).unwrap())
}

#[test]
fn half_an_event_is_dropped_and_the_error_follows_the_last_whole_one() {
    for size in 1..30 {
        for end in ["\n\n", "\r\n\r\n", "\r\r"] {
            let whole = format!("data: a{end}event: b\ndata: c{end}");
            let read = broken(CHAT, &format!("{whole}data: {{\"d"), size).unwrap();
            let error = error().event(Dialect::OpenAiChat);
            // The line feed of a CRLF that was split is dropped with the incomplete event.
            let before = read.strip_suffix(&error).unwrap_or_else(|| panic!("{read:?}"));
            assert_eq!(before.trim_end(), whole.trim_end(), "{size} {end:?}");
        }
        let whole = "{\"a\":1}\n{\"b\":2}\n";
        let read = broken(LINES, &format!("{whole}{{\"c"), size).unwrap();
        assert_eq!(read, format!("{whole}{}", error().event(Dialect::Ollama)), "{size}");
    }
}

#[test]
fn an_array_ends_with_the_error_as_its_last_element() {
    for size in 1..30 {
        let last = error().body(Dialect::Gemini);
        let whole = "[{\"a\":\"}],\\\"[\"},\n{\"b\":[{}]}";
        for half in ["", ",", ",\n{\"c", "\n"] {
            let read = broken(ARRAY, &format!("{whole}{half}"), size).unwrap();
            assert_eq!(read, format!("{whole},{last}]"), "{size} {half:?}");
        }
        for half in ["[", "[\n", " [{\"a\":1"] {
            assert_eq!(broken(ARRAY, half, size), Some(format!("[{last}]")), "{size} {half:?}");
        }
        // Not begun, or closed.
        for other in ["", " ", "[]", "[{}]\n"] {
            assert_eq!(broken(ARRAY, other, size), None, "{size} {other:?}");
        }
    }
}

#[test]
fn the_same_of_gemini_s_events_is_an_event() {
    let path = "/v1beta/models/m:streamGenerateContent?alt=sse";
    let event = error().event(Dialect::Gemini);
    assert_eq!(broken(path, "", 1).as_deref(), Some(&*event));
    assert_eq!(broken(path, "data: {}\n\ndata: {", 4), Some(format!("data: {{}}\n\n{event}")));
}

#[test]
fn an_event_too_large_to_be_held_back_is_ended_before_the_error() {
    let large = format!("data: {}", "x".repeat(ErrorTail::MAX_HELD));
    let event = error().event(Dialect::OpenAiChat);
    let read = broken(CHAT, &format!("data: a\n\n{large}"), 100_000).unwrap();
    assert_eq!(read, format!("data: a\n\n{large}\n\n{event}"));
    // Its end arrived after all.
    let read = broken(CHAT, &format!("{large}\n\ndata: b"), 100_000).unwrap();
    assert_eq!(read, format!("{large}\n\n{event}"));
    let array = format!("[{{\"a\":\"{}", "x".repeat(ErrorTail::MAX_HELD));
    assert_eq!(broken(ARRAY, &array, 100_000), None);
}

#[test]
fn a_path_that_is_not_known_has_no_error_event() {
    assert!(ErrorTail::new(&info("/v1/other")).is_none());
}

proptest! {
    #[test]
    fn a_stream_that_ends_well_is_handed_on_byte_for_byte(
        text in "[a:\r\n{}\\[\\]\"\\\\,]{0,60}", size in 1_usize..20,
        path in prop::sample::select(vec![CHAT, ARRAY, LINES]),
    ) {
        let mut tail = ErrorTail::new(&info(path)).unwrap();
        let out = pushed(&mut tail, &text, size);
        prop_assert_eq!(out + std::str::from_utf8(&tail.finish()).unwrap(), text);
    }

    #[test]
    fn wherever_a_stream_is_cut_its_reader_sees_an_error(at in 0_usize..120, size in 1_usize..40) {
        let word = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
        let stream = word.repeat(2);
        let read = broken(CHAT, &stream[..at.min(stream.len())], size).unwrap();
        let mut monitor = StreamMonitor::new(Dialect::OpenAiChat, &ErrorCodeTable::default());
        let summary = monitor.feed(read.as_bytes());
        prop_assert!(summary.failed.is_some_and(|why| why.outcome().is_retryable()));
        prop_assert_eq!(summary.content as usize, at.min(stream.len()) / word.len());
    }
}
