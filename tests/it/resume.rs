//! Streams that fail while they are read, with `MidStreamFailure::Continue`, at full length in virtual time, in every dialect
//! with a prefill.

mod dialects;

use evenkeel::{
    Client, ClientBuilder, Profile,
    breaker::CircuitState,
    context::AttemptLog,
    dialect::UsageHandle,
    fallback::{Capabilities, Fallback, FallbackPolicy, Prefill, Target},
    outcome::{Outcome, Phase},
    stream::{BodyEnd, MidStreamFailure},
    telemetry::{EventKind, SkipReason},
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{Fault, Provider, Reply, WORDS, provider::AttemptState};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::support::{
    Answer, EventLog, call, chat, ms, over, pair, read, secondary, secs, with_body, with_extension,
};

/// The text of an answer as a parser of server-sent events sees it, in any dialect; the answer has to be well-formed.
pub(crate) struct Heard {
    pub(crate) text: String,
    pub(crate) ends: usize,
    pub(crate) usages: usize,
    pub(crate) ids: Vec<String>,
    pub(crate) roles: usize,
}

impl Heard {
    /// Parses chunks of chat completions strictly: every event is JSON, or the sentinel.
    pub(crate) fn chat(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut heard = Self { text: String::new(), ends: 0, usages: 0, ids: Vec::new(), roles: 0 };
        let mut over = false;
        // An event without its blank line is not an event.
        let ended = text.rfind("\n\n").map_or("", |end| &text[..end]);
        for event in ended.split("\n\n") {
            let data = event.strip_prefix("data: ").unwrap_or_else(|| panic!("{event:?}"));
            assert!(!over, "after the sentinel: {data}");
            if data == "[DONE]" {
                over = true;
                continue;
            }
            let chunk: serde_json::Value = serde_json::from_str(data).expect(data);
            heard.ids.extend(chunk["id"].as_str().map(String::from));
            heard.usages += usize::from(chunk["usage"].is_object());
            let choice = &chunk["choices"][0];
            heard.roles += usize::from(choice["delta"]["role"].is_string());
            heard.text += choice["delta"]["content"].as_str().unwrap_or_default();
            heard.ends += usize::from(choice["finish_reason"].is_string());
        }
        heard.ids.dedup();
        heard
    }
}

/// The second target, which takes a prefill.
fn able() -> Fallback {
    secondary().capabilities(Capabilities::default().prefill(Prefill::Message))
}

fn third() -> Fallback {
    Fallback::target(Target::new("http://third/v1").model("last"))
        .capabilities(Capabilities::default().prefill(Prefill::Message))
}

struct Stage {
    primary: Provider,
    second: Provider,
    third: Provider,
    client: Client,
    log: EventLog,
    start: Instant,
}

impl Stage {
    fn new(reply: Reply) -> Self {
        Self::with(reply, Client::builder().fallback(able()).fallback(third()))
    }

    fn with(reply: Reply, builder: ClientBuilder) -> Self {
        let primary = Provider::new("primary").always(reply);
        let second = Provider::new("secondary").continues();
        let third = Provider::new("third").continues();
        let log = EventLog::default();
        let builder = log.attach_to(builder.mid_stream_failure(MidStreamFailure::Continue));
        let client = over(builder, [&primary, &second, &third]);
        Self { primary, second, third, client, log, start: Instant::now() }
    }

    async fn ask(&self) -> Answer {
        call(&self.client, chat(true)).await.unwrap()
    }

    fn counts(&self) -> (u64, u64, u64) {
        (self.primary.count(), self.second.count(), self.third.count())
    }
}

fn dies(words: usize) -> Reply {
    Reply::answer().with(Fault::Cut { words }).between_events(ms(50))
}

/// Asserts that the answer is the whole text once, as one stream.
#[track_caller]
fn is_one(answer: &Answer) {
    assert!(answer.error.is_none(), "{:?}", answer.error);
    let heard = Heard::chat(&answer.bytes());
    assert_eq!(heard.text, WORDS);
    assert_eq!((heard.ends, heard.usages, heard.roles), (1, 1, 1));
    assert_eq!(heard.ids.len(), 1, "{:?}", heard.ids);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_is_continued_where_the_next_target_can() {
    let stage = Stage::new(dies(40));
    let answer = stage.ask().await;
    is_one(&answer);
    assert_eq!(stage.counts(), (1, 1, 0));
    assert!(stage.second.attempts()[0].prefill);
    let attempt_log = answer.attempt_log.unwrap();
    let attempts = attempt_log.attempts();
    assert_eq!(attempts[0].outcome, Outcome::Truncated, "the failed attempt is told as failed");
    assert_eq!((attempts[1].outcome, attempts[1].fallback), (Outcome::Success, 1));
    assert_eq!(attempt_log.ending(), Some(BodyEnd::Done));
    assert_eq!(attempt_log.served_by().as_deref(), Some("spare"));
    assert_eq!((stage.log.count("resumed"), stage.log.count("body_ended")), (1, 1));
    assert_eq!(stage.log.count("call_ended"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_failed_stream_is_a_failure_of_its_route() {
    let stage = Stage::new(dies(40));
    for _ in 0..5 {
        is_one(&stage.ask().await);
        // After failures of the route, it gets one call in two seconds.
        tokio::time::sleep(std::time::Duration::from_millis(2300)).await;
    }
    let list = stage.client.breakers().list();
    let state = |host: &str| {
        list.iter().find(|(route, _)| route.provider() == host).map(|(_, shown)| shown.state)
    };
    assert_eq!(state("primary"), Some(CircuitState::Open));
    assert_eq!(state("secondary"), Some(CircuitState::Closed));
    // From now on the second answers from the beginning.
    let answer = stage.ask().await;
    is_one(&answer);
    assert_eq!((answer.from(), stage.primary.count()), ("secondary", 5));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_goes_silent_is_continued() {
    let silent = Reply::answer().with(Fault::Silence { words: 20, lasts: secs(30) });
    let stage = Stage::new(silent);
    let answer = stage.ask().await;
    is_one(&answer);
    assert_eq!(stage.start.elapsed(), secs(15), "when the silence is one");
    assert_eq!(stage.primary.attempts()[0].state, AttemptState::Cancelled);
    let outcome = answer.attempt_log.unwrap().attempts()[0].outcome;
    assert_eq!(outcome, Outcome::TimedOut { phase: Phase::Idle });
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_not_json_is_not_handed_on_and_the_answer_continues_elsewhere() {
    let stage = Stage::new(Reply::answer().with(Fault::InvalidEvent { event: 10 }));
    is_one(&stage.ask().await);
}

#[tokio::test(start_paused = true)]
async fn an_error_event_is_not_handed_on_and_the_answer_continues_elsewhere() {
    let stage = Stage::new(Reply::answer().with(Fault::server_error(30)));
    is_one(&stage.ask().await);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_prefill_does_not_hide_the_first_failure() {
    let stage = Stage::with(dies(40), Client::builder().fallback(able()));
    let second = stage.second.clone().rejects_prefill();
    let answer = stage.ask().await;
    let error = answer.error.as_ref().expect("nobody could go on");
    assert!(error.is_truncated(), "the first failure: {error:?}");
    assert_eq!(Heard::chat(&answer.bytes()).text.split_whitespace().count(), 40);
    assert_eq!(second.count(), 1, "and it is asked once");
    let attempt_log = error.attempt_log().unwrap();
    assert_eq!(attempt_log.attempts().len(), 2, "the attempt log tells both: {attempt_log}");
    assert_eq!(attempt_log.ending(), Some(BodyEnd::Truncated));
    assert_eq!(stage.log.count("body_ended"), 1);
}

#[tokio::test(start_paused = true)]
async fn no_prefill_is_sent_to_a_target_that_does_not_declare_it() {
    let (primary, other) = pair();
    primary.set(dies(40));
    let client = over(Client::builder().fallback(secondary()), [&primary, &other]);
    let answer = call(&client, with_extension(chat(true), MidStreamFailure::Continue)).await;
    assert!(answer.unwrap().error.expect("a clear error").is_truncated());
    assert_eq!((primary.count(), other.count()), (1, 0));
    // A target that declares a prefill is used, and one that does not is skipped.
    let stage = Stage::with(dies(40), Client::builder().fallback(secondary()).fallback(third()));
    is_one(&stage.ask().await);
    assert_eq!(stage.counts(), (1, 0, 1));
    let skipped = |event: &EventKind| {
        matches!(event, EventKind::FallbackSkipped { reason: SkipReason::Capability, .. })
    };
    assert!(stage.log.events().iter().any(skipped));
}

#[tokio::test(start_paused = true)]
async fn the_next_target_is_asked_where_one_rejects_the_prefill_after_all() {
    let stage = Stage::new(dies(40));
    let _ = stage.second.clone().rejects_prefill();
    let answer = stage.ask().await;
    is_one(&answer);
    assert_eq!(stage.counts(), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_in_a_stream_asks_each_fallback_once_and_ends() {
    let limited = r#"{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}"#;
    let reply = |words| Reply::answer().with(Fault::ErrorEvent { words, data: limited.into() });
    let stage = Stage::new(reply(10));
    stage.second.set(reply(10));
    stage.third.set(reply(10));
    let answer = stage.ask().await;
    let error = answer.error.as_ref().unwrap();
    assert!(error.is_rate_limited(), "{error:?}");
    assert_eq!(stage.counts(), (1, 1, 1));
    let text = Heard::chat(&answer.bytes()[..]).text;
    assert!(WORDS.starts_with(&text) && text.split_whitespace().count() == 30, "{text:?}");
    assert_eq!(error.attempt_log().unwrap().attempts().len(), 3);
    assert!(stage.start.elapsed() < secs(1), "nobody waits");
}

#[tokio::test(start_paused = true)]
async fn a_body_without_a_continuation_is_polled_a_bounded_number_of_times() {
    let stage = Stage::new(dies(40));
    for provider in [&stage.second, &stage.third] {
        provider.set(Reply::hang());
    }
    let mut body = Box::pin(async {
        let response = stage.client.send(chat(true)).await.unwrap();
        read(response).await
    });
    let mut polls = 0_u32;
    let answer = std::future::poll_fn(|cx| {
        polls += 1;
        body.poll_unpin(cx)
    })
    .await;
    assert!(answer.error.unwrap().is_truncated());
    assert!(polls < 200, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_failures_goes_down_the_fallbacks_and_repeats_no_text() {
    let stage = Stage::new(dies(20));
    stage.second.set(dies(20));
    is_one(&stage.ask().await);
    assert_eq!(stage.counts(), (1, 1, 1));
    assert_eq!(stage.log.count("resumed"), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_chain_of_failures_the_first_is_returned() {
    let stage = Stage::new(dies(20));
    stage.second.set(Reply::answer().with(Fault::server_error(10)));
    stage.third.set(Reply::status(503));
    let answer = stage.ask().await;
    assert!(answer.error.as_ref().unwrap().is_truncated(), "{:?}", answer.error);
    let text = Heard::chat(&answer.bytes()).text;
    assert!(WORDS.starts_with(&text) && text.split_whitespace().count() == 30, "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn tool_calls_and_reasoning_are_not_continued() {
    for delta in [
        r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a"}}]}"#,
        r#"{"reasoning_content":"let me think"}"#,
    ] {
        let event = format!(r#"data: {{"choices":[{{"index":0,"delta":{delta}}}]}}"#);
        let reply = Reply::pieces("text/event-stream", [event + "\n\n"]);
        let stage = Stage::new(reply);
        let answer = stage.ask().await;
        assert!(answer.error.unwrap().is_truncated());
        assert_eq!(stage.counts(), (1, 0, 0), "{delta}");
    }
}

#[tokio::test(start_paused = true)]
async fn resume_is_off_unless_it_is_set_and_a_call_can_have_its_own() {
    for (set, own, resumed) in [
        (MidStreamFailure::Error, None, false),
        (MidStreamFailure::Error, Some(MidStreamFailure::Continue), true),
        (MidStreamFailure::Continue, Some(MidStreamFailure::Error), false),
    ] {
        let fallbacks = FallbackPolicy::new().fallback(able()).mid_stream_failure(set);
        let stage = Stage::new(dies(40));
        let client =
            over(Client::builder().fallback_policy(fallbacks), [&stage.primary, &stage.second]);
        let mut request = chat(true);
        if let Some(own) = own {
            request.extensions_mut().insert(own);
        }
        let answer = call(&client, request).await.unwrap();
        assert_eq!(answer.error.is_none(), resumed);
        assert_eq!(stage.second.count(), u64::from(resumed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_stream_comes_byte_for_byte_and_is_done_when_its_reader_stops_at_the_end() {
    let stage = Stage::new(Reply::answer());
    let answer = stage.ask().await;
    let plain = call(&over(Client::builder(), [&stage.primary]), chat(true)).await.unwrap();
    assert_eq!(answer.bytes(), plain.bytes());
    assert_eq!(answer.frames, plain.frames, "whole events are not split or joined");
    // A reader that has seen the finish reason needs no more.
    let response = stage.client.send(chat(true)).await.unwrap();
    let attempt_log = AttemptLog::of(response.extensions());
    let mut body = response.into_body();
    loop {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        if frame.windows(6).any(|six| six == b"\"stop\"") {
            break;
        }
    }
    drop(body);
    assert_eq!(attempt_log.ending(), Some(BodyEnd::Done));
    let mut body = stage.client.send(chat(true)).await.unwrap();
    let attempt_log = AttemptLog::of(body.extensions());
    let _ = body.body_mut().frame().await;
    drop(body);
    assert_eq!(attempt_log.ending(), Some(BodyEnd::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn the_usage_is_that_of_both_attempts() {
    let stage = Stage::new(dies(40));
    let response = stage.client.send(chat(true)).await.unwrap();
    let usage = response.extensions().get::<UsageHandle>().unwrap().clone();
    is_one(&read(response).await);
    assert_eq!(usage.get().map(|tokens| (tokens.input, tokens.output)), Some((12, 20)));
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_the_whole_stream_bounds_its_continuation() {
    let slow = Reply::answer().between_events(secs(1));
    let timeout = TimeoutPolicy::new().stream_total(secs(30));
    let profile = Profile::interactive().timeout(timeout);
    let builder = Client::builder().profile(profile).fallback(able()).fallback(third());
    let stage = Stage::with(slow.clone().with(Fault::Cut { words: 20 }), builder);
    stage.second.set(slow);
    let answer = stage.ask().await;
    assert!(answer.error.unwrap().is_truncated());
    assert_eq!(stage.start.elapsed(), secs(30));
    assert_eq!(stage.third.count(), 0, "no time is left for it");
}

#[tokio::test(start_paused = true)]
async fn a_silent_target_costs_its_own_limit_and_the_next_continues() {
    let stage = Stage::new(dies(40));
    stage.second.set(Reply::hang());
    is_one(&stage.ask().await);
    let took = stage.start.elapsed();
    assert_eq!(took, ms(39 * 50) + secs(20), "the limit on the first content");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_leaves_cancels_the_continuation() {
    let stage = Stage::new(dies(40));
    stage.second.set(Reply::hang());
    let response = stage.client.send(chat(true)).await.unwrap();
    let attempt_log = AttemptLog::of(response.extensions());
    let reading = tokio::time::timeout(secs(5), read(response)).await;
    assert!(reading.is_err());
    assert_eq!((stage.second.cancelled(), attempt_log.ending()), (1, Some(BodyEnd::Cancelled)));
    assert_eq!(stage.log.count("body_ended"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_continuation_is_no_whole_answer() {
    // Truncated between the last word and the finish reason: an empty answer proves nothing.
    let stage = Stage::with(dies(60), Client::builder().fallback(able()));
    let answer = stage.ask().await;
    assert!(answer.error.unwrap().is_truncated());
}

#[test]
fn a_body_that_is_read_without_a_runtime_is_continued() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let reply = Reply::answer().with(Fault::Cut { words: 40 });
    let (stage, response) = runtime.block_on(async {
        let stage = Stage::new(reply);
        let response = stage.client.send(chat(true)).await.unwrap();
        (stage, response)
    });
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = futures_util::FutureExt::now_or_never(body.frame()) {
        let Some(frame) = frame else { break };
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    assert_eq!(Heard::chat(&bytes).text, WORDS);
    drop(stage);
}

fn whole() -> String {
    let chunk = |delta: String, finish: &str| {
        format!(
            r#"{{"id":"one","choices":[{{"index":0,"delta":{{{delta}}},"finish_reason":{finish}}}]}}"#
        )
    };
    let mut text =
        format!("data: {}\n\n", chunk(r#""role":"assistant","content":"""#.into(), "null"));
    for word in WORDS.split_inclusive(' ') {
        let word = serde_json::Value::from(word);
        text += &format!("data: {}\n\n", chunk(format!(r#""content":{word}"#), "null"));
    }
    text += &format!("data: {}\n\n", chunk(String::new(), "\"stop\""));
    text += "data: {\"id\":\"one\",\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
    text + "data: [DONE]\n\n"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn wherever_the_bytes_are_split_and_cut_the_text_comes_whole_and_once(
        cut in 0_usize..6000, size in 1_usize..400
    ) {
        let bytes = whole().into_bytes();
        let cut = cut.min(bytes.len());
        let pieces: Vec<Vec<u8>> = bytes[..cut].chunks(size).map(<[u8]>::to_vec).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let answer = runtime.block_on(async {
            let stage = Stage::new(Reply::pieces("text/event-stream", pieces));
            call(&stage.client, chat(true)).await.unwrap()
        });
        let heard = Heard::chat(&answer.bytes());
        prop_assert!(WORDS.starts_with(&heard.text));
        match &answer.error {
            None => {
                prop_assert_eq!(heard.text, WORDS);
                prop_assert_eq!(heard.ends, 1);
                prop_assert!(heard.roles == 1 && heard.ids.len() == 1);
            }
            // The text is complete, and only the end is missing.
            Some(_) => prop_assert_eq!(heard.text, WORDS),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn trailing_white_space_is_not_sent_in_the_prefill_and_does_not_come_twice() {
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"q"}]}"#;
    for words in [1, 7, 59] {
        let stage = Stage::new(dies(words));
        let answer = call(&stage.client, with_body(body)).await.unwrap();
        assert_eq!(Heard::chat(&answer.bytes()).text, WORDS, "{words}");
    }
}
