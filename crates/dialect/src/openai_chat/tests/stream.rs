use proptest::prelude::*;

use crate::{
    Dialect, Expected, FrameSummary, StreamMonitor, Usage,
    answer_state::AnswerState,
    decode::RawEvent,
    monitor,
    outcome::{ErrorCodeTable, Outcome},
    reader::EventReader,
};

const ROLE: &str =
    r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
const WORD: &str = r#"{"choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const FILTER: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}"#;
const USAGE: &str =
    r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#;
const ERROR: &str =
    r#"{"error":{"message":"overloaded","type":"server_error","code":"server_error"}}"#;
const DONE: &str = "[DONE]";

/// Follows one stream, event by event.
struct Follower {
    reader: EventReader,
    answer: AnswerState,
}

// === impl Follower ===

impl Follower {
    fn event(&mut self, name: &[u8], data: &[u8], seen: &mut FrameSummary) {
        let raw = RawEvent { name, data };
        monitor::next(&mut self.reader, &mut self.answer, &raw, seen);
    }

    fn is_alike(&self, data: &[u8]) -> bool {
        self.reader.is_alike(&RawEvent { name: b"", data })
    }
}

impl Default for Follower {
    fn default() -> Self {
        let reader = EventReader::learning(Dialect::OpenAiChat, &ErrorCodeTable::default());
        Self { reader, answer: AnswerState::new(&Expected::default()) }
    }
}

/// The summary of unnamed events, and the outcome at the end of the bytes.
fn follow(events: &[&str]) -> (FrameSummary, Outcome) {
    let text: String = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    watch(&text)
}

fn watch(text: &str) -> (FrameSummary, Outcome) {
    let mut watch = StreamMonitor::new(Dialect::OpenAiChat, &ErrorCodeTable::default());
    let seen = watch.feed(text.as_bytes());
    (seen, watch.finish().unwrap_or_else(|why| why.outcome()))
}

fn outcome(events: &[&str]) -> Outcome {
    follow(events).1
}

fn content(data: &str) -> u32 {
    follow(&[data]).0.content
}

fn delta(delta: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

#[test]
fn text_reasoning_tools_refusals_and_pictures_are_content() {
    for piece in [
        r#"{"content":"a"}"#,
        r#"{"role":"assistant","content":" "}"#,
        r#"{"content":"\""}"#,
        r#"{"content":[{"type":"text","text":"a"}]}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]}"#,
        r#"{"content":"","reasoning_content":"a"}"#,
        r#"{"content":null,"reasoning":"a"}"#,
        r#"{"reasoning_details":[{"type":"reasoning.text","text":"a"}]}"#,
        r#"{"refusal":"no"}"#,
        r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}"#,
        r#"{"function_call":{"name":"f"}}"#,
        r#"{"audio":{"transcript":"Hi"}}"#,
        r#"{"audio":{"id":"a","data":"UklG"}}"#,
        r#"{"images":[{"type":"image_url"}]}"#,
    ] {
        assert_eq!(content(&delta(piece)), 1, "{piece}");
    }
}

#[test]
fn roles_pings_metadata_and_empty_pieces_are_no_content() {
    for piece in [
        "null",
        "{}",
        r#"{"role":"assistant"}"#,
        r#"{"role":"assistant","content":null,"refusal":null,"tool_calls":null}"#,
        r#"{"content":"","reasoning_content":"","tool_calls":[]}"#,
        r#"{"content":[]}"#,
        r#"{"content":[{"type":"text","text":""}]}"#,
        r#"{"audio":{"id":"a"}}"#,
        r#"{"audio":{"expires_at":1729018505}}"#,
        r#"{"annotations":[{"type":"url_citation","url_citation":{"url":"x"}}]}"#,
        r#"{"content":"","provider_specific_fields":{"citations":["x"]}}"#,
    ] {
        assert_eq!(content(&delta(piece)), 0, "{piece}");
    }
    for chunk in [
        USAGE,
        "{}",
        r#"{"choices":null}"#,
        r#"{"choices":[]}"#,
        r#"{"choices":[{}]}"#,
        r#"{"choices":[{"index":0,"delta":null}]}"#,
        r#"{"choices":[{"index":0,"delta":{},"content_filter_results":{"hate":{"filtered":false}}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"role":"assistant"}}],"citations":["https://x"]}"#,
        r#"{"choices":[],"prompt_filter_results":[{"content_filter_results":{}}]}"#,
        r#"{"error":null,"choices":[{"delta":{}}]}"#,
        r#"{"error":"","choices":[{"delta":{}}]}"#,
        r#"{"error":{},"choices":[{"delta":{}}]}"#,
        r#"{"error":false,"choices":[{"delta":{}}]}"#,
    ] {
        let (seen, _) = follow(&[chunk]);
        assert_eq!((seen.events, seen.content, seen.failed), (1, 0, None), "{chunk}");
    }
}

#[test]
fn comments_and_pings_are_no_content() {
    let text = ": keep-alive\n\n: OPENROUTER PROCESSING\n\nevent: ping\ndata: now\n\ndata:\n\n\n\n";
    let (seen, outcome) = watch(&text.repeat(100));
    assert_eq!((seen.content, seen.failed, outcome), (0, None, Outcome::Truncated));
}

#[test]
fn a_finish_reason_and_done_each_suffice() {
    for end in [&[STOP][..], &[DONE], &[STOP, DONE], &[STOP, USAGE, DONE], &[STOP, DONE, DONE]] {
        let events = [&[ROLE, WORD, WORD], end].concat();
        assert_eq!(outcome(&events), Outcome::Success, "{end:?}");
    }
}

#[test]
fn without_either_the_stream_is_truncated() {
    assert_eq!(outcome(&[ROLE, WORD, WORD]), Outcome::Truncated);
    assert_eq!(outcome(&[ROLE]), Outcome::Truncated);
    assert_eq!(watch("data: {\"choices\":[{\"delta\":{\"content\":\"wo").1, Outcome::Truncated);
}

#[test]
fn an_end_that_was_not_ended_by_a_blank_line_counts() {
    let text = format!("data: {WORD}\n\ndata: [DONE]");
    assert_eq!(watch(&text).1, Outcome::Success);
    let text = format!("data: {WORD}\n\ndata:{STOP}\n");
    assert_eq!(watch(&text).1, Outcome::Success);
}

#[test]
fn a_stream_cut_after_its_finish_reason_is_whole() {
    let text = format!("data: {WORD}\n\ndata: {STOP}\n\ndata: {{\"choices\":[],\"usa");
    assert_eq!(watch(&text).1, Outcome::Success);
}

#[test]
fn done_is_read_with_and_without_a_space_and_ends_all() {
    for done in ["data:[DONE]", "data: [DONE]", "data:  [DONE] ", "event: done\ndata: [DONE]"] {
        let text =
            format!("data: {WORD}\n\n{done}\n\ndata: {ERROR}\n\ndata: {{bad\n\ndata: {WORD}\n\n");
        let (seen, outcome) = watch(&text);
        assert_eq!((seen.content, seen.failed, outcome), (1, None, Outcome::Success), "{done}");
    }
}

#[test]
fn a_stream_that_ends_well_without_content_is_empty() {
    for events in
        [&[DONE][..], &[ROLE, DONE], &[ROLE, STOP], &[STOP, USAGE, DONE], &[ROLE, USAGE, DONE]]
    {
        assert_eq!(outcome(events), Outcome::Empty, "{events:?}");
    }
    assert_eq!(watch("").1, Outcome::Empty);
    assert_eq!(watch(" \n\n").1, Outcome::Empty);
}

#[test]
fn without_content_a_filter_has_blocked_it_and_a_limit_has_ended_it() {
    assert_eq!(outcome(&[ROLE, FILTER, DONE]), Outcome::Blocked);
    assert_eq!(outcome(&[ROLE, WORD, FILTER, DONE]), Outcome::Success);
    let limit = STOP.replace("stop", "length");
    assert_eq!(outcome(&[ROLE, &limit, DONE]), Outcome::Success);
}

#[test]
fn several_choices_are_whole_when_all_that_began_have_finished() {
    let of = |chunk: &str, n: &str| chunk.replace("\"index\":0", &format!("\"index\":{n}"));
    let (word, stop) = (of(WORD, "1"), of(STOP, "1"));
    assert_eq!(outcome(&[WORD, &word, STOP]), Outcome::Truncated);
    assert_eq!(outcome(&[WORD, &word, STOP, &stop]), Outcome::Success);
    assert_eq!(outcome(&[WORD, &word, STOP, DONE]), Outcome::Success);
    // An invalid index has no effect.
    for n in ["-1", "128", "4000000000", "1e9", "null", "\"a\""] {
        assert_eq!(outcome(&[&of(WORD, n), &of(STOP, n)]), Outcome::Success, "{n}");
    }
}

#[test]
fn an_empty_finish_reason_is_none() {
    for none in ["\"\"", "\"null\""] {
        let word = WORD.replace("\"finish_reason\":null", &format!("\"finish_reason\":{none}"));
        assert_eq!(outcome(&[&word, &word]), Outcome::Truncated, "{none}");
        assert_eq!(outcome(&[&word, &word, STOP]), Outcome::Success, "{none}");
    }
}

#[test]
fn the_usage_ends_an_answer_only_if_no_content_follows_it() {
    let end = |events: &[&str]| {
        let mut watch = StreamMonitor::new(Dialect::OpenAiChat, &ErrorCodeTable::default());
        let text: String = events.iter().map(|data| format!("data: {data}\n\n")).collect();
        watch.feed(text.as_bytes());
        watch.end_in_order();
        watch.finish().unwrap_or_else(|why| why.outcome())
    };
    assert_eq!(end(&[ROLE, WORD, USAGE]), Outcome::Success);
    assert_eq!(end(&[ROLE, WORD, USAGE, r#"{"choices":[],"cost":"0"}"#]), Outcome::Success);
    assert_eq!(end(&[ROLE, WORD, USAGE, WORD]), Outcome::Truncated, "alike");
    let other = WORD.replace("word", "\\u0041").replace(",\"finish_reason\":null", "");
    assert_eq!(end(&[ROLE, WORD, USAGE, &other]), Outcome::Truncated, "not alike");
}

#[test]
fn an_error_in_the_stream_fails_it() {
    for (before, error) in [
        (ROLE, ERROR),
        (WORD, ERROR),
        (WORD, r#"{"error":"out of memory"}"#),
        (WORD, r#"[{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}]"#),
        (WORD, r#"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#),
        (WORD, r#"{"choices":[{"index":0,"delta":{},"error":{"code":502,"message":"x"}}]}"#),
        (
            WORD,
            r#"{"error":{"code":502,"message":"x"},"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
        ),
        (WORD, r#"{"object":"error","message":"x","type":"InternalServerError","code":500}"#),
        (WORD, r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#),
    ] {
        let (seen, outcome) = follow(&[before, error, WORD, STOP, DONE]);
        let failed = seen.failed.expect(error).outcome();
        assert_eq!((failed, outcome), (Outcome::Unavailable { wait: None }, failed), "{error}");
    }
}

#[test]
fn nothing_is_read_after_a_failure() {
    let mut watch = StreamMonitor::new(Dialect::OpenAiChat, &ErrorCodeTable::default());
    assert!(watch.feed(format!("data: {ERROR}\n\n").as_bytes()).failed.is_some());
    let seen = watch.feed(format!("data: {WORD}\n\ndata: {ERROR}\n\n").as_bytes());
    assert_eq!((seen.events, seen.content, seen.failed), (0, 0, None));
}

#[test]
fn an_event_without_end_is_malformed_unless_the_answer_is_whole() {
    let large = vec![b'x'; 17 * 1024 * 1024];
    for (before, failed) in [(WORD, Some(Outcome::Malformed.into())), (STOP, None)] {
        let mut watch = StreamMonitor::new(Dialect::OpenAiChat, &ErrorCodeTable::default());
        watch.feed(format!("data: {WORD}\n\ndata: {before}\n\ndata: ").as_bytes());
        assert_eq!(watch.feed(&large).failed, failed);
    }
}

#[test]
fn an_event_by_the_name_of_error_is_one() {
    for data in [ERROR, r#"{"message":"overloaded"}"#, "overloaded"] {
        let text = format!("data: {WORD}\n\nevent: error\ndata: {data}\n\n");
        assert!(watch(&text).0.failed.is_some(), "{data}");
    }
}

#[test]
fn nothing_after_a_whole_answer_undoes_it() {
    for after in [ERROR, "{bad", "<html>"] {
        let (seen, outcome) = follow(&[WORD, STOP, after]);
        assert_eq!((seen.failed, outcome), (None, Outcome::Success), "{after}");
    }
    // A finish reason without content does not make a whole answer.
    assert!(follow(&[STOP, ERROR]).0.failed.is_some());
}

#[test]
fn invalid_json_fails_the_stream() {
    for bad in [
        r#"{"choices":[{"index":0,"delta":{"content":"wo"#,
        r#"{"choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]"#,
        r#"{"choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"wo"rd"},"finish_reason":null}]}"#,
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"wo\trd\"},\"finish_reason\":null}]}",
        r#"{"choices":[{"index":0,"delta":{"content":"\x"},"finish_reason":null}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"\u12"},"finish_reason":null}]}"#,
        "{not json}",
    ] {
        let (seen, outcome) = follow(&[ROLE, WORD, WORD, bad, WORD, STOP, DONE]);
        assert_eq!(seen.failed, Some(Outcome::Malformed.into()), "{bad}");
        assert_eq!((seen.content, outcome), (2, Outcome::Malformed), "{bad}");
    }
}

#[test]
fn data_that_is_no_chunk_changes_nothing() {
    for odd in [
        "not json",
        "null",
        "17",
        "\"text\"",
        "[]",
        "{}",
        ": keepalive",
        r#"{"choices":"none"}"#,
        r#"{"choices":[17]}"#,
        r#"{"choices":[{"delta":"a"}]}"#,
    ] {
        let (seen, outcome) = follow(&[odd, ROLE, WORD, WORD, odd, WORD, STOP, odd, DONE]);
        assert_eq!((seen.failed, seen.content, outcome), (None, 3, Outcome::Success), "{odd}");
    }
    let error = r#"{"choices":"none","error":{"message":"busy","type":"server_error"}}"#;
    assert!(follow(&[WORD, error]).0.failed.is_some());
}

#[test]
fn bytes_that_are_no_text_are_read_as_clients_read_them() {
    let text = format!("data: {WORD}\n\n");
    let bad = text.as_bytes().iter().map(|byte| if *byte == b'w' { 0xFF } else { *byte });
    let end = format!("data: {STOP}\n\n");
    let bytes = [text.as_bytes(), &bad.collect::<Vec<_>>(), end.as_bytes()].concat();
    let mut watch = StreamMonitor::new(Dialect::OpenAiChat, &ErrorCodeTable::default());
    let seen = watch.feed(&bytes);
    assert_eq!((seen.failed, seen.content, watch.outcome()), (None, 2, Outcome::Success));
}

#[test]
fn a_field_that_comes_twice_is_read_as_its_last() {
    let twice = r#"{"error":{"message":"x"},"error":null,"choices":[{"delta":{"content":"","content":"a"}}]}"#;
    let (seen, _) = follow(&[twice]);
    assert_eq!((seen.content, seen.failed), (1, None));
}

#[test]
fn usage_is_kept_the_last_wins() {
    let mut follower = Follower::default();
    let mut seen = FrameSummary::default();
    let running = r#"{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":7,"completion_tokens":1}}"#;
    for data in [running, STOP, USAGE, r#"{"choices":[],"usage":null}"#] {
        follower.event(b"", data.as_bytes(), &mut seen);
    }
    assert_eq!(follower.answer.tokens(), Some(Usage::new(7, 3)));
    follower.event(b"", running.as_bytes(), &mut seen);
    assert_eq!(follower.answer.tokens(), Some(Usage::new(7, 1)));
}

#[test]
fn a_page_under_the_label_of_a_stream_is_malformed() {
    assert_eq!(watch("<!doctype html>\n<p>Sign in</p>\n").1, Outcome::Malformed);
    assert_eq!(watch("Bad gateway\n").1, Outcome::Malformed);
    assert_eq!(watch("\u{1f}\u{8b}\u{8}\u{0}gzip\n").1, Outcome::Malformed);
}

/// The result of an event that is parsed in full, without the fast path.
fn in_full(data: &[u8]) -> (u32, bool, Outcome) {
    let (mut follower, mut seen) = (Follower::default(), FrameSummary::default());
    follower.event(b"message", data, &mut seen);
    (seen.content, seen.failed.is_some(), follower.answer.outcome())
}

/// The result of the same event after others like it.
fn in_short(like: &[u8], data: &[u8]) -> (u32, bool, Outcome) {
    let (mut follower, mut seen) = (Follower::default(), FrameSummary::default());
    follower.event(b"", like, &mut seen);
    seen = FrameSummary::default();
    follower.event(b"", data, &mut seen);
    (seen.content, seen.failed.is_some(), follower.answer.outcome())
}

#[test]
fn chunks_that_differ_in_text_time_and_padding_alone_take_the_short_way() {
    let of = |text: &str, time: &str, pad: &str| {
        format!(
            r#"{{"id":"c","created":{time},"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}],"usage":null,"obfuscation":"{pad}"}}"#
        )
    };
    let mut follower = Follower::default();
    follower.event(b"", of("one", "17", "xyz").as_bytes(), &mut FrameSummary::default());
    for (text, time, pad) in [
        ("two", "17", ""),
        ("thr\\\"ee", "0", "q"),
        ("\\u00e9 🐎", "18", "\\n"),
        (" ", "1700000000", "longer than before"),
    ] {
        assert!(follower.is_alike(of(text, time, pad).as_bytes()), "{text}");
    }
    for (text, time, pad) in [
        ("", "17", "x"),
        ("a\"b", "17", ""),
        ("\\", "17", ""),
        ("\\u00g0", "17", ""),
        ("a", "17", "\u{1}"),
        ("a", "017", ""),
        ("a", "-1", ""),
        ("a", "1.5", ""),
        ("a", "", ""),
    ] {
        assert!(!follower.is_alike(of(text, time, pad).as_bytes()), "{text} {time}");
    }
    for (from, to) in [("null", "\"stop\""), ("\"c\"", "\"d\""), ("}]", "}],\"error\":1")] {
        let other = of("two", "17", "").replacen(from, to, 1);
        assert!(!follower.is_alike(other.as_bytes()), "{other}");
    }
}

#[test]
fn reasoning_and_tool_calls_take_the_short_way_too() {
    for of in [
        r#"{"reasoning_content":"?"}"#,
        r#"{"content":"","reasoning":"?"}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":"?"}}]}"#,
    ] {
        let mut follower = Follower::default();
        let of = |text: &str| delta(&of.replace('?', text));
        follower.event(b"", of("{\\\"a\\\"").as_bytes(), &mut FrameSummary::default());
        assert!(follower.is_alike(of(": 1}").as_bytes()), "{}", of(""));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Byte by byte no event is complete in one piece, so each is parsed in full.
    #[test]
    fn events_read_in_one_pass_say_what_they_say_byte_by_byte(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                WORD, WORD, WORD, ROLE, STOP, USAGE, DONE, ERROR, "data: ", "data: ", "data: ", "data:",
                "\n\n", "\n\n", "\n\n", "\n", "\r\n\r\n", ": ping\n\n", "event: error\n", "x",
            ]),
            0..24,
        ),
        cut in any::<prop::sample::Index>(),
    ) {
        // Whole events come before it, so that there is a template.
        let text = format!("data: {WORD}\n\ndata: {WORD}\n\n{}", parts.concat());
        let read = |pieces: &[&[u8]]| {
            let codes = ErrorCodeTable::default();
            let mut watch = StreamMonitor::new(Dialect::OpenAiChat, &codes);
            let mut all = FrameSummary::default();
            for piece in pieces {
                let seen = watch.feed(piece);
                all.events += seen.events;
                all.content += seen.content;
                all.failed = all.failed.or(seen.failed);
            }
            let failed = all.failed.map(|verdict| verdict.outcome());
            (all.events, all.content, failed, watch.finish().map_err(|why| why.outcome()))
        };
        let bytes = text.as_bytes();
        let (first, second) = bytes.split_at(cut.index(bytes.len()));
        let slow = read(&bytes.chunks(1).collect::<Vec<_>>());
        let quick = read(&[first, second]);
        // After an error or the last event, events in the same piece are counted, and events in a later piece are not.
        prop_assert_eq!((quick.1, quick.2, quick.3), (slow.1, slow.2, slow.3));
        if slow.2.is_none() && !text.contains(DONE) {
            prop_assert_eq!(quick.0, slow.0);
        }
    }

    #[test]
    fn the_short_way_says_what_the_long_one_says(
        at in any::<prop::sample::Index>(),
        cut in 0_usize..12,
        put in prop::sample::select(vec![
            "", "\"", "\\", "\\\"", "}", "x", "é", "\u{1}", "\\u00e9", "\"stop\"", "null", "error", ",", "\"}",
            "\",\"error\":\"x", "\"},\"finish_reason\":\"stop\",\"x\":{\"y\":\"", "0", "17", "1.5", "-",
        ]),
        pad in prop::sample::select(vec!["", r#","obfuscation":"abc""#, r#","created":17,"obfuscation":"""#]),
        delta in prop::sample::select(vec![
            r#"{"content":"word"}"#,
            r#"{"content":"","reasoning":"word"}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"word"}}]}"#,
        ]),
    ) {
        let like = format!(
            r#"{{"id":"c","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]{pad}}}"#
        );
        let at = at.index(like.len());
        let end = (at + cut).min(like.len());
        let data = [&like.as_bytes()[..at], put.as_bytes(), &like.as_bytes()[end..]].concat();
        let (content, failed, end) = in_full(&data);
        let short = in_short(like.as_bytes(), &data);
        prop_assert_eq!((short.0, short.1), (content, failed));
        // The earlier events had content; apart from that the outcomes are the same.
        let end = if end == Outcome::Empty { Outcome::Success } else { end };
        prop_assert_eq!(short.2, end);
    }

    #[test]
    fn no_events_make_it_panic(events in prop::collection::vec(any::<Vec<u8>>(), 0..6)) {
        let (mut follower, mut seen) = (Follower::default(), FrameSummary::default());
        for data in &events {
            follower.event(b"", data, &mut seen);
        }
        prop_assert!(seen.content == 0);
    }
}
