//! Tests of all dialects.

use bytes::Bytes;
use proptest::prelude::*;

use crate::outcome::Outcome;
use crate::*;

/// A whole stream of a dialect, with its path and the body of its request.
struct Sample {
    dialect: Dialect,
    path: &'static str,
    asks: &'static str,
    stream: String,
    /// The bytes after which the answer is whole although the stream continues.
    enough: &'static str,
}

fn events(data: &[&str]) -> String {
    data.iter().map(|data| format!("data: {data}\n\n")).collect()
}

fn samples() -> Vec<Sample> {
    let gemini = [
        r#"{"candidates":[{"content":{"parts":[{"text":"éa"}]}}],"usageMetadata":{"promptTokenCount":7}}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"b"}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}"#,
        r#"{"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3}}"#,
    ];
    vec![
        Sample {
            dialect: Dialect::OpenAiChat,
            path: "/v1/chat/completions",
            asks: r#"{"model":"m","stream":true}"#,
            stream: events(&[
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"éa"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"b"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
                "[DONE]",
            ]),
            enough: "\"stop\"}]}\n\n",
        },
        Sample {
            dialect: Dialect::OpenAiResponses,
            path: "/v1/responses",
            asks: r#"{"model":"m","stream":true}"#,
            stream: events(&[
                r#"{"type":"response.created","response":{"status":"in_progress","error":null,"output":[]}}"#,
                r#"{"type":"response.output_item.added","item":{"type":"message","content":[]}}"#,
                r#"{"type":"response.output_text.delta","delta":"éa"}"#,
                r#"{"type":"response.output_text.delta","delta":"b"}"#,
                r#"{"type":"response.output_text.done","text":"éab"}"#,
                r#"{"type":"response.completed","response":{"status":"completed","error":null,"output":[],"usage":{"input_tokens":7,"output_tokens":3}}}"#,
            ]),
            enough: "\"output_tokens\":3}}}\n\n",
        },
        Sample {
            dialect: Dialect::Anthropic,
            path: "/v1/messages",
            asks: r#"{"model":"m","stream":true}"#,
            stream: events(&[
                r#"{"type":"message_start","message":{"content":[],"usage":{"input_tokens":7,"output_tokens":1}}}"#,
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                r#"{"type":"ping"}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"éa"}}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}"#,
                r#"{"type":"content_block_stop","index":0}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
                r#"{"type":"message_stop"}"#,
            ]),
            enough: "\"output_tokens\":3}}\n\n",
        },
        Sample {
            dialect: Dialect::Gemini,
            path: "/v1beta/models/m:streamGenerateContent?alt=sse",
            asks: r#"{"contents":[]}"#,
            stream: events(&gemini),
            enough: "\"STOP\"}]}\n\n",
        },
        Sample {
            dialect: Dialect::Gemini,
            path: "/v1beta/models/m:streamGenerateContent",
            asks: r#"{"contents":[]}"#,
            stream: format!("[{}]\n", gemini.join("\n,\n")),
            enough: "\"STOP\"}]}",
        },
        Sample {
            dialect: Dialect::Ollama,
            path: "/api/chat",
            asks: r#"{"model":"m"}"#,
            stream: [
                r#"{"message":{"role":"assistant","content":"éa"},"done":false}"#,
                r#"{"message":{"role":"assistant","content":"b"},"done":false}"#,
                r#"{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":3}"#,
                "",
            ]
            .join("\n"),
            enough: "\"eval_count\":3}\n",
        },
    ]
}

fn request(path: &str, body: &str) -> Request {
    let uri = format!("https://api.example{path}");
    http::Request::post(uri).body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// The number of events, of events with content, the failure, the outcome, the usage.
type StreamSummary = (u32, u32, Option<Outcome>, Outcome, Option<Usage>);

fn said<'a>(dialect: Dialect, pieces: impl IntoIterator<Item = &'a [u8]>) -> StreamSummary {
    let mut watch = StreamMonitor::new(dialect, &crate::outcome::ErrorCodeTable::default());
    let (mut events, mut content, mut failed) = (0, 0, None);
    for piece in pieces {
        let seen = watch.feed(piece);
        events += seen.events;
        content += seen.content;
        failed = failed.or(seen.failed.map(|verdict| verdict.outcome()));
    }
    let end = watch.finish().unwrap_or_else(|why| why.outcome());
    (events, content, failed, end, watch.usage())
}

#[test]
fn a_whole_stream_is_a_success_with_its_cost() {
    for Sample { dialect, stream, path, asks, .. } in samples() {
        let (_, content, failed, end, tokens) = said(dialect, [stream.as_bytes()]);
        assert_eq!((content, failed, end), (2, None, Outcome::Success), "{dialect:?}");
        assert_eq!(tokens, Some(Usage::new(7, 3)), "{dialect:?}");
        let ask = RequestInfo::read(&request(path, asks));
        assert_eq!((ask.dialect(), ask.model(), ask.stream()), (Some(dialect), Some("m"), true));
    }
}

#[test]
fn a_stream_that_is_cut_is_truncated_until_the_answer_is_whole() {
    for Sample { dialect, stream, enough, .. } in samples() {
        let whole = stream.find(enough).unwrap() + enough.len();
        for end in 1..stream.len() {
            let outcome = said(dialect, [&stream.as_bytes()[..end]]).3;
            match outcome {
                Outcome::Truncated => assert!(end < whole, "{dialect:?} {end}"),
                // Only the start of a frame.
                Outcome::Malformed => assert!(end < "data:".len(), "{dialect:?} {end}"),
                // The white space after the last event is not needed.
                Outcome::Success => assert!(end + 3 > whole, "{dialect:?} {end}"),
                other => panic!("{dialect:?} {end} {other}"),
            }
        }
    }
}

#[test]
fn a_canned_answer_is_a_whole_one_in_both_forms() {
    for Sample { dialect, path, asks, .. } in samples() {
        let stream = RequestInfo::read(&request(path, asks));
        let body = dialect.render("Back \"soon\".", &stream).into_body();
        let (_, content, failed, end, _) = said(dialect, [&body[..]]);
        assert_eq!((content > 0, failed, end), (true, None, Outcome::Success), "{dialect:?}");
        let body =
            dialect.render("Back \"soon\".", &RequestInfo { stream: false, ..stream }).into_body();
        let (answer, _) = dialect.check(&crate::outcome::ErrorCodeTable::default(), &body);
        assert_eq!(answer, Ok(Outcome::Success), "{dialect:?}");
    }
}

#[test]
fn another_model_changes_the_model_and_nothing_else() {
    for Sample { dialect, path, asks, .. } in samples() {
        let mut asked = request(path, asks);
        asked.headers_mut().insert("x-a", http::HeaderValue::from_static("1"));
        let mut other = asked.clone();
        dialect.with_model(&mut other, "new one/2");
        let model = RequestInfo::read(&other).model().map(String::from);
        assert_eq!(model.as_deref(), Some("new one/2"), "{dialect:?}");
        dialect.with_model(&mut other, "m");
        assert_eq!((other.uri(), other.body()), (asked.uri(), asked.body()), "{dialect:?}");
        assert_eq!(other.headers(), asked.headers());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_events(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        // An inserted byte makes another stream, for which the same holds.
        (at, byte) in (any::<prop::sample::Index>(), prop::sample::select(&b" \n\r\"\\{}[],:ax"[..])),
        spoilt in any::<bool>(),
    ) {
        for Sample { dialect, stream, .. } in samples() {
            let mut bytes = stream.into_bytes();
            if spoilt {
                bytes.insert(at.index(bytes.len()), byte);
            }
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
            let whole = settled(said(dialect, [bytes.as_slice()]));
            prop_assert_eq!(settled(said(dialect, pieces)), whole, "{:?}", dialect);
            prop_assert_eq!(settled(said(dialect, bytes.chunks(1))), whole, "{:?}", dialect);
        }
    }

    #[test]
    fn foreign_data_between_events_changes_nothing(
        odd in prop_oneof![
            "[a-z0-9:;<(\"\\[ ][a-zA-Z0-9 :,\"\\]]{0,20}",
            "\\{(\"(ping|type|x)\":(1|null|\"\"|\\[\\]))?\\}",
            prop::sample::select(vec![": keepalive", "null", "", "[]", "\"\"", "-1.5", "{}"]).prop_map(String::from),
        ],
        at in any::<prop::sample::Index>(),
    ) {
        // The sentinel ends a chat.
        prop_assume!(!odd.contains("[DONE]"));
        for Sample { dialect, stream, path, .. } in samples() {
            if path.ends_with("streamGenerateContent") {
                continue;
            }
            let (end, odd) = match dialect {
                Dialect::Ollama => ("\n", format!("{odd}\n")),
                _ => ("\n\n", format!("data: {odd}\n\n")),
            };
            let mut blocks: Vec<_> = stream.split_inclusive(end).collect();
            // The first byte of a body tells its form.
            let first = usize::from(dialect == Dialect::Ollama);
            blocks.insert(first + at.index(blocks.len() - first), &odd);
            let ((_, content, failed, end, tokens), plain) =
                (said(dialect, [blocks.concat().as_bytes()]), said(dialect, [stream.as_bytes()]));
            prop_assert_eq!((content, failed, end, tokens), (plain.1, plain.2, plain.3, plain.4));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in prop::collection::vec(any::<Vec<u8>>(), 0..6), text in ".{0,60}") {
        for Sample { dialect, path, .. } in samples() {
            said(dialect, pieces.iter().map(Vec::as_slice));
            let _ = dialect.check(&crate::outcome::ErrorCodeTable::default(), &pieces.concat());
            let mut request = request(path, &text);
            let _ = RequestInfo::read(&request);
            dialect.with_model(&mut request, &text);
        }
    }

    #[test]
    fn no_json_makes_it_panic(text in r#"(\{|\}|\[|\]|"[a-z_]{0,4}"|"type"|"error"|"candidates"|"done"|:|,|1|null|true| |\n){0,40}"#) {
        for Sample { dialect, .. } in samples() {
            said(dialect, text.as_bytes().chunks(3));
            said(dialect, [format!("data: {text}\n\n").as_bytes()]);
            let _ = dialect.check(&crate::outcome::ErrorCodeTable::default(), text.as_bytes());
        }
    }
}

/// After a failure nothing is parsed, whatever else is in the same piece.
fn settled((events, content, failed, end, tokens): StreamSummary) -> StreamSummary {
    (if failed.is_some() { 0 } else { events }, content, failed, end, tokens)
}
