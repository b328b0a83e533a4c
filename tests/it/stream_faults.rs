//! Faults of streams from proxies, CDNs, slow servers and faulty gateways, in every dialect: the caller's view, the number of
//! attempts, the breaker's state, and that the body ended once.

#[cfg(feature = "reqwest")]
mod sockets;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Client, Error, Profile, Request,
    breaker::{BreakerPolicy, CircuitState},
    classify::ClassifyPolicy,
    outcome::{BreakerSignal, Outcome, Phase},
    retry::RetryPolicy,
    stream::{BodyEnd, CommitPolicy},
    telemetry::EventKind,
};
use proptest::prelude::*;
use tokio::time::{Instant, timeout};
use tower::service_fn;

use crate::support::{BodyStep, DONE, EventLog, PING, STOP, USAGE, WORD, body_of, ms, read, secs};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";
const GEMINI: &str = "/v1beta/models/m:streamGenerateContent?alt=sse";
const ARRAY: &str = "/v1beta/models/m:streamGenerateContent";
const OLLAMA: &str = "/api/chat";

const ERROR: &str = "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n";

const UNAVAILABLE: Outcome = Outcome::Unavailable { wait: None };

use crate::support::BodyStep::{Break, Data, Hang, Wait};

fn data(text: impl Into<Bytes>) -> BodyStep {
    Data(text.into())
}

/// The result of a call.
#[derive(Debug, PartialEq)]
struct Came {
    /// The bytes read of the body, and its failure; or the failure of the call before anything was passed on.
    body: Result<(Bytes, Option<Outcome>), Outcome>,
    /// The number of attempts.
    attempts: u32,
    /// The state of the breaker after one such answer.
    state: CircuitState,
    endings: Vec<BodyEnd>,
}

// === impl Came ===

impl Came {
    /// Asserts a complete answer without a failure.
    #[track_caller]
    fn is_whole(&self, text: &[u8]) {
        assert_eq!(self.body.as_ref().unwrap(), &(Bytes::copy_from_slice(text), None));
        assert_eq!((self.attempts, self.state), (1, CircuitState::Closed));
        assert_eq!(self.endings, [BodyEnd::Done]);
    }

    /// Asserts that these bytes were passed on unchanged, and then the body failed with this outcome.
    #[track_caller]
    fn fails(&self, text: &[u8], outcome: Outcome) {
        assert_eq!(self.body.as_ref().unwrap(), &(Bytes::copy_from_slice(text), Some(outcome)));
        let state = state_after(outcome);
        assert_eq!((self.attempts, self.state), (1, state), "it was handed on: nobody asks again");
        assert_eq!(self.endings, [outcome.into()]);
    }

    /// Asserts that nothing was passed on.
    #[track_caller]
    fn is_none(&self, outcome: Outcome, attempts: u32) {
        assert_eq!((self.body.as_ref().unwrap_err(), self.attempts), (&outcome, attempts));
        assert_eq!((self.state, self.endings.len()), (state_after(outcome), 0));
    }
}

/// The state of the breaker after several calls with that outcome.
fn state_after(outcome: Outcome) -> CircuitState {
    match outcome.breaker_signal() {
        BreakerSignal::Ignored => CircuitState::Closed,
        _ => CircuitState::Open,
    }
}

fn ask(path: &str) -> Request {
    let body = Bytes::from_static(br#"{"model":"m","stream":true,"messages":[]}"#);
    http::Request::post(format!("http://primary{path}")).body(body).unwrap()
}

/// A client of a provider that always sends this reply, and the number of its attempts.
fn client(
    profile: Profile,
    kind: &'static str,
    steps: &[BodyStep],
) -> (Client, Arc<AtomicU32>, EventLog) {
    let (steps, count, log) = (steps.to_vec(), Arc::new(AtomicU32::new(0)), EventLog::default());
    let counted = count.clone();
    let wire = service_fn(move |_: Request| {
        counted.fetch_add(1, Ordering::Relaxed);
        let answer = http::Response::builder().header("content-type", kind).body(body_of(&steps));
        async move { Ok::<_, Error>(answer.unwrap()) }
    });
    let client = log.attach_to(Client::builder().profile(profile)).build_with(wire).unwrap();
    (client, count, log)
}

fn endings(log: &EventLog) -> Vec<BodyEnd> {
    let ended = log.events().into_iter().filter_map(|event| match event {
        EventKind::BodyEnded { ending, .. } => Some(ending),
        _ => None,
    });
    ended.collect()
}

fn kind(path: &str) -> &'static str {
    match path {
        OLLAMA => "application/x-ndjson",
        ARRAY => "application/json",
        _ => "text/event-stream",
    }
}

/// Makes one call, and returns its result.
async fn play(path: &str, commit: CommitPolicy, steps: &[BodyStep]) -> Came {
    let profile =
        Profile::interactive().classify(ClassifyPolicy::default().commit(commit)).cold_start(None);
    // One failure opens this breaker, so that its state shows the signal of the answer.
    let brittle = BreakerPolicy::default().consecutive_failures(1).slow_ratio(None);
    let once = profile.clone().breaker(brittle).retry(RetryPolicy::default().retries(0));
    let (one, _, _) = client(once, kind(path), steps);
    let hour = secs(7200);
    if let Ok(response) = timeout(hour, one.send(ask(path))).await.expect("an end") {
        timeout(hour, read(response)).await.expect("an end");
    }
    let state = one.breakers().list()[0].1.state;

    let (client, count, log) = client(profile, kind(path), steps);
    let body = match timeout(hour, client.send(ask(path))).await.expect("an end") {
        Ok(response) => {
            let answer = timeout(hour, read(response)).await.expect("an end");
            Ok((answer.bytes(), answer.error.map(|error| error.outcome())))
        }
        Err(error) => Err(error.outcome()),
    };
    Came { body, attempts: count.load(Ordering::Relaxed), state, endings: endings(&log) }
}

const FIRST: CommitPolicy = CommitPolicy::FirstContent;
const WHOLE: CommitPolicy = CommitPolicy::Complete;

/// The same result for both commit points.
async fn whole(path: &str, pieces: &[&str]) {
    let steps: Vec<_> = pieces.iter().map(|piece| data(piece.to_string())).collect();
    for commit in [FIRST, WHOLE] {
        play(path, commit, &steps).await.is_whole(pieces.concat().as_bytes());
    }
}

/// A stream that fails with this outcome: after the part that was passed on, or, for a complete answer, after all its attempts.
async fn broken(path: &str, pieces: &[&str], outcome: Outcome) {
    let steps: Vec<_> = pieces.iter().map(|piece| data(piece.to_string())).collect();
    play(path, FIRST, &steps).await.fails(pieces.concat().as_bytes(), outcome);
    // An attempt that may be charged is repeated once.
    let attempts = match outcome.is_retryable() {
        true if outcome.retry_at_most_once() => 2,
        true => 3,
        false => 1,
    };
    play(path, WHOLE, &steps).await.is_none(outcome, attempts);
}

// === framing ===

#[tokio::test(start_paused = true)]
async fn all_line_ends_byte_order_marks_and_missing_spaces_change_nothing() {
    let [word, stop] = [WORD, STOP].map(|event| event.trim_end().replace("data: ", "data:"));
    for [one, two] in [["\r\n", "\n"], ["\r", "\r\n"], ["\n", "\r"]] {
        let text = format!(
            "\u{feff}{word}{one}{one}id: 7{two}retry: 10{two}event: {two}{word}{two}{two}:x{one}{stop}{one}{two}"
        );
        whole(CHAT, &[&text, "data:[DONE]\r\r"]).await;
        let bytes: Vec<_> = text.chars().map(String::from).collect();
        whole(CHAT, &bytes.iter().map(String::as_str).chain([DONE]).collect::<Vec<_>>()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn data_in_several_lines_is_one_event() {
    let word =
        "data: {\"choices\":[\ndata: {\"index\":0,\"delta\":{\"content\":\"a\"}}\ndata: ]}\n\n";
    whole(CHAT, &[word, STOP, DONE]).await;
    let delta = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\ndata: \"delta\":{\"text\":\"a\"}}\n\n";
    whole(MESSAGES, &[delta, "data: {\"type\":\"message_stop\"}\n\n"]).await;
}

#[tokio::test(start_paused = true)]
async fn one_byte_a_packet_is_a_stream_and_a_character_may_be_split() {
    let text = [&WORD.replace("word", "wörd 🐎"), STOP, DONE].concat();
    let steps: Vec<_> = text.bytes().map(|byte| data(vec![byte])).collect();
    for commit in [FIRST, WHOLE] {
        play(CHAT, commit, &steps).await.is_whole(text.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_empty_packets_are_no_content_and_cost_nothing() {
    let empty = vec![data(""); 10_000];
    let steps = [&empty[..], &[data(WORD)], &empty, &[data(STOP), data(DONE)], &empty].concat();
    let begun = Instant::now();
    for commit in [FIRST, WHOLE] {
        play(CHAT, commit, &steps).await.is_whole([WORD, STOP, DONE].concat().as_bytes());
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_event_of_fifteen_megabytes_is_parsed_and_one_of_twenty_is_not() {
    let picture = |size: usize| WORD.replace("word", &"A".repeat(size << 20));
    let large = picture(15);
    whole(CHAT, &[&large, STOP, DONE]).await;
    let huge = picture(20);
    let pieces: Vec<_> =
        huge.as_bytes().chunks(1 << 20).map(Bytes::copy_from_slice).map(Data).collect();
    let steps = [&[data(WORD)], &pieces[..], &[data(STOP)]].concat();
    let came = play(CHAT, FIRST, &steps).await;
    let (bytes, error) = came.body.unwrap();
    assert!(bytes.starts_with(WORD.as_bytes()) && error == Some(Outcome::Malformed));
    assert_eq!((came.attempts, came.state, came.endings.len()), (1, CircuitState::Open, 1));
}

#[tokio::test(start_paused = true)]
async fn the_sentinel_may_stand_between_blanks_and_at_the_very_end() {
    for done in ["data:  [DONE]  \n\n", "data: [DONE]", "data: [DONE]\n", "data:[DONE]\r\n"] {
        whole(CHAT, &[WORD, done]).await;
        whole(CHAT, &[WORD, STOP, done]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_objects_in_one_event_and_invalid_numbers_are_not_json() {
    let nan = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"logprobs\":{\"x\":NaN}}]}\n\n";
    let two = "data: {\"choices\":[]}{\"choices\":[]}\n\n";
    for bad in [nan, two] {
        broken(CHAT, &[WORD, bad], Outcome::Malformed).await;
    }
}

// === chat completions ===

#[tokio::test(start_paused = true)]
async fn one_cut_choice_of_two_makes_the_answer_truncated() {
    let second = WORD.replace("\"index\":0", "\"index\":1");
    broken(CHAT, &[WORD, &second, STOP], Outcome::Truncated).await;
    broken(CHAT, &[WORD, STOP, &second], Outcome::Truncated).await;
    whole(CHAT, &[WORD, &second, STOP, &STOP.replace("\"index\":0", "\"index\":1")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_finish_reason_twice_and_an_error_after_it_change_nothing() {
    whole(CHAT, &[WORD, STOP, STOP, DONE]).await;
    whole(CHAT, &[WORD, STOP, ERROR]).await;
    whole(CHAT, &[WORD, STOP, "data: {bad\n\n", DONE]).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_before_the_sentinel_is_an_error() {
    let steps = [data(ERROR), data(DONE)];
    for commit in [FIRST, WHOLE] {
        play(CHAT, commit, &steps).await.is_none(UNAVAILABLE, 3);
    }
    // With nothing read after it.
    play(CHAT, FIRST, &[data(WORD), data(ERROR), data(DONE)])
        .await
        .fails([WORD, ERROR].concat().as_bytes(), UNAVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_gateway_within_a_stream_is_found_however_it_is_wrapped() {
    for error in [
        "data: {\"error\":\"upstream overloaded\"}\n\n",
        "data: [{\"error\":{\"message\":\"x\"}}]\n\n",
        "event: error\ndata: upstream went away\n\n",
        "data: {\"object\":\"error\",\"message\":\"x\",\"code\":500}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n",
        "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"error\":{\"code\":502,\"message\":\"x\"}}]}\n\n",
    ] {
        broken(CHAT, &[WORD, error], UNAVAILABLE).await;
    }
    // JSON that is not an event: the bytes are passed on, and the answer does not count as whole.
    broken(
        CHAT,
        &[WORD, "{\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n"],
        Outcome::Truncated,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn usage_after_a_pause_is_waited_for_within_the_idle_limit_and_no_longer() {
    let steps = |wait| [data(WORD), data(STOP), Wait(wait), data(USAGE), data(DONE)];
    let came = play(CHAT, FIRST, &steps(secs(14))).await;
    came.is_whole([WORD, STOP, USAGE, DONE].concat().as_bytes());
    let begun = Instant::now();
    let came = play(CHAT, FIRST, &steps(secs(3600))).await;
    came.is_whole([WORD, STOP].concat().as_bytes());
    assert_eq!(begun.elapsed(), secs(30), "twice the idle limit: it is played twice");
}

#[tokio::test(start_paused = true)]
async fn comments_for_an_hour_are_silence_before_and_after_the_first_token() {
    let hour = vec![[Wait(secs(5)), data(PING)]; 720].concat();
    let begun = Instant::now();
    play(CHAT, FIRST, &hour).await.is_none(Outcome::TimedOut { phase: Phase::FirstEvent }, 1);
    assert_eq!(begun.elapsed(), secs(60), "twice all the time there is: nobody else can be asked");
    let begun = Instant::now();
    let came = play(CHAT, FIRST, &[&[data(WORD)], &hour[..]].concat()).await;
    assert_eq!(came.body.as_ref().unwrap().1, Some(Outcome::TimedOut { phase: Phase::Idle }));
    assert_eq!((came.endings.len(), came.state), (1, CircuitState::Open));
    assert_eq!(begun.elapsed(), secs(30));
}

#[tokio::test(start_paused = true)]
async fn keep_alives_are_silence_in_every_dialect() {
    let role = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    let filters = "data: {\"choices\":[],\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n";
    for (path, word, beat) in [
        (CHAT, WORD, role),
        (CHAT, WORD, filters),
        (CHAT, WORD, "event: keepalive\ndata: now\n\n"),
        (CHAT, WORD, ": OPENROUTER PROCESSING\n\n"),
        (CHAT, WORD, "\n\n"),
        (
            RESPONSES,
            "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n",
            "event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":3}\n\n",
        ),
        (
            RESPONSES,
            "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n",
            "data: {\"type\":\"response.in_progress\",\"response\":{\"status\":\"in_progress\"}}\n\n",
        ),
        (
            MESSAGES,
            "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\n",
            "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        ),
        (
            GEMINI,
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\r\n\r\n",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"thoughtSignature\":\"x\"}]}}]}\r\n\r\n",
        ),
        (ARRAY, "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}", "\n"),
        (OLLAMA, "{\"message\":{\"content\":\"a\"}}\n", "{\"message\":{\"content\":\"\"}}\n"),
        (OLLAMA, "{\"message\":{\"content\":\"a\"}}\n", "\n"),
    ] {
        let beats = vec![[Wait(secs(4)), data(beat)]; 900].concat();
        let begun = Instant::now();
        let came = play(path, FIRST, &[&[data(word)], &beats[..]].concat()).await;
        let failed = came.body.as_ref().map(|body| body.1);
        assert_eq!(failed, Ok(Some(Outcome::TimedOut { phase: Phase::Idle })), "{path} {beat}");
        assert_eq!(begun.elapsed(), secs(30), "{path} {beat}");
        let begun = Instant::now();
        let beats = if path == ARRAY { [&[data("[")], &beats[..]].concat() } else { beats };
        let none = Outcome::TimedOut { phase: Phase::FirstEvent };
        play(path, FIRST, &beats).await.is_none(none, 1);
        assert_eq!(begun.elapsed(), secs(60), "{path} {beat}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_of_tools_may_come_interleaved_and_a_cut_one_is_never_whole() {
    let call = |index: u32, arguments: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":\"{arguments}\"}}}}]}}}}]}}\n\n"
        )
    };
    let [a, b, c, d] = [call(0, "{"), call(1, "{"), call(0, "}"), call(1, "}")];
    let end = STOP.replace("\"stop\"", "\"tool_calls\"");
    whole(CHAT, &[&a, &b, &c, &d, &end, DONE]).await;
    broken(CHAT, &[&a, &b, &c], Outcome::Truncated).await;
}

// === the other dialects ===

const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\n";
const REASON: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
const MESSAGE_STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

#[tokio::test(start_paused = true)]
async fn a_message_whose_end_comes_late_or_is_an_error_is_whole_by_its_stop_reason() {
    for commit in [FIRST, WHOLE] {
        let steps = [data(DELTA), data(REASON), Wait(ms(100)), data(MESSAGE_STOP)];
        play(MESSAGES, commit, &steps)
            .await
            .is_whole([DELTA, REASON, MESSAGE_STOP].concat().as_bytes());
    }
    let error =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    whole(MESSAGES, &[DELTA, REASON, error]).await;
    broken(MESSAGES, &[DELTA, error], UNAVAILABLE).await;
    broken(MESSAGES, &[DELTA], Outcome::Truncated).await;
}

const CANDIDATE: &str = "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}";

#[tokio::test(start_paused = true)]
async fn an_array_that_is_cut_between_its_elements_is_truncated() {
    for cut in ["", "\n", ",", ",\r\n", "]"] {
        broken(ARRAY, &["[", CANDIDATE, cut], Outcome::Truncated).await;
    }
    let end = ",{\"candidates\":[{\"finishReason\":\"STOP\"}]}";
    whole(ARRAY, &["[", CANDIDATE, end, "]"]).await;
    // The answer is whole, with or without the bracket.
    whole(ARRAY, &["[", CANDIDATE, end]).await;
}

#[tokio::test(start_paused = true)]
async fn a_malformed_function_call_of_gemini_is_no_answer() {
    let end = "data: {\"candidates\":[{\"content\":{},\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}\r\n\r\n";
    for commit in [FIRST, WHOLE] {
        play(GEMINI, commit, &[data(end)]).await.is_none(Outcome::Unfinished, 2);
    }
    broken(GEMINI, &[&format!("data: {CANDIDATE}\r\n\r\n"), end], Outcome::Unfinished).await;
}

#[tokio::test(start_paused = true)]
async fn a_load_request_of_ollama_is_a_success() {
    whole(OLLAMA, &["{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"load\"}\n"])
        .await;
    // Without a known reason and without content, it has not ended.
    let nothing = data("{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n");
    play(OLLAMA, FIRST, &[nothing]).await.is_none(Outcome::Empty, 2);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_incomplete_is_whole_by_a_limit_and_blocked_by_a_filter() {
    let delta = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n";
    let end = |why: &str| {
        format!(
            "data: {{\"type\":\"response.incomplete\",\"response\":{{\"status\":\"incomplete\",\"incomplete_details\":{{\"reason\":\"{why}\"}},\"output\":[]}}}}\n\n"
        )
    };
    whole(RESPONSES, &[delta, &end("max_output_tokens")]).await;
    whole(RESPONSES, &[&end("max_output_tokens")]).await;
    let came = play(RESPONSES, FIRST, &[data(end("content_filter"))]).await;
    assert_eq!((came.body, came.attempts), (Ok((end("content_filter").into(), None)), 1));
    assert_eq!(
        (came.state, came.endings),
        (CircuitState::Closed, vec![BodyEnd::Failed(Outcome::Blocked)])
    );
    // Any other value is not the end.
    broken(
        RESPONSES,
        &[delta, "data: {\"type\":\"response.output_text.done\",\"text\":\"a\"}\n\n"],
        Outcome::Truncated,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_or_hangs_after_the_end_is_no_failure_in_any_dialect() {
    for [path, word, end] in samples() {
        for after in [Break, Hang, data("\n"), data("rubbish")] {
            let text = [word, end].concat();
            let steps = [data(text.clone()), after.clone()];
            for commit in [FIRST, WHOLE] {
                let came = play(path, commit, &steps).await;
                let (bytes, error) = came.body.as_ref().unwrap();
                assert!(bytes.starts_with(text.as_bytes()) && error.is_none(), "{path} {after:?}");
                assert_eq!(
                    (came.attempts, came.state),
                    (1, CircuitState::Closed),
                    "{path} {after:?}"
                );
                assert_eq!(came.endings, [BodyEnd::Done], "{path} {after:?}");
            }
        }
    }
}

/// For each dialect: its path, a word, and the end.
fn samples() -> [[&'static str; 3]; 6] {
    [
        [
            CHAT,
            WORD,
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        ],
        [
            RESPONSES,
            "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n",
            "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n",
        ],
        [MESSAGES, DELTA, MESSAGE_STOP],
        [
            GEMINI,
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\r\n\r\n",
            "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n",
        ],
        [
            ARRAY,
            "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}",
            ",{\"candidates\":[{\"finishReason\":\"STOP\"}]}]",
        ],
        [
            OLLAMA,
            "{\"message\":{\"content\":\"a\"},\"done\":false}\n",
            "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n",
        ],
    ]
}

// === laws of every dialect ===

/// A step that may occur in a body.
fn step() -> impl Strategy<Value = BodyStep> {
    prop_oneof![
        3 => any::<prop::sample::Index>().prop_map(|index| {
            // A piece of some sample, of any dialect.
            let text = samples().concat().concat();
            let at = index.index(text.len());
            data(text[at..(at + 40).min(text.len())].to_owned())
        }),
        2 => (0..20_000_u64).prop_map(|wait| Wait(ms(wait))),
        1 => Just(Break),
        1 => Just(Hang),
        1 => prop::collection::vec(any::<u8>(), 0..30).prop_map(data),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn each_body_ends_once_in_every_dialect_whatever_its_bytes_and_whenever_dropped(
        (sample, cut) in (0..6_usize, any::<prop::sample::Index>()),
        more in prop::collection::vec(step(), 0..5),
        complete in any::<bool>(),
        leaves in prop::option::of(0..40_000_u64),
    ) {
        let [path, word, end] = samples()[sample];
        let text = [word, end].concat();
        let cut = cut.index(text.len() + 1);
        let steps = [&[data(text[..cut].to_owned())], &more[..]].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let commit = if complete { WHOLE } else { FIRST };
            let profile = Profile::interactive()
        .classify(ClassifyPolicy::default().commit(commit))
        .cold_start(None);
            let (client, _, log) = client(profile, kind(path), &steps);
            let mut handed = false;
            let work = async {
                let response = client.send(ask(path)).await.ok()?;
                handed = true;
                Some(read(response).await)
            };
            let leaves = leaves.map_or(secs(36_000), ms);
            let answer = timeout(leaves, work).await.ok().flatten();
            let endings = endings(&log);
            prop_assert_eq!(endings.len(), usize::from(handed), "{:?}", log.names());
            if let Some(answer) = answer {
                let done = endings[0] == BodyEnd::Done || endings[0] == BodyEnd::Failed(Outcome::Blocked);
                prop_assert_eq!(answer.error.is_none(), done, "{:?}", endings);
                // Never a success before the end of the API has started to arrive.
                let said = more.iter().any(|step| matches!(step, Data(_)));
                prop_assert!(said || endings[0] != BodyEnd::Done || cut > word.len(), "{} of {}", cut, text);
            }
            Ok(())
        })?;
    }
}
