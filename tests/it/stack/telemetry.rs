//! The telemetry of a call: its attempt log, the order of its events.

use evenkeel::fallback::Capabilities;

use super::*;

// === events ===

/// A story: the primary's replies, the settings of the client, and whether the call is streamed.
struct Story {
    primary: Vec<Reply>,
    second: Vec<Reply>,
    breaker: BreakerPolicy,
    stream: bool,
    calls: usize,
}

impl Story {
    fn new(primary: impl Into<Vec<Reply>>) -> Self {
        let breaker = BreakerPolicy::default();
        Self { primary: primary.into(), second: Vec::new(), breaker, stream: true, calls: 1 }
    }

    /// Plays it. Returns the names of the events of the last call.
    async fn event_names(self) -> Vec<&'static str> {
        let (primary, second) = pair();
        let (primary, second) = (primary.replies(self.primary), second.replies(self.second));
        let log = EventLog::default();
        let profile = Profile::interactive().breaker(self.breaker);
        let builder = log.attach_to(Client::builder().profile(profile));
        let builder = builder.fallback(secondary()).fallback(Fallback::canned(BUSY));
        let client = over(builder, [&primary, &second]);
        for _ in 0..self.calls {
            log.clear();
            call(&client, chat(self.stream)).await.unwrap();
        }
        log.names()
    }
}

const BEGIN: [&str; 3] = ["call_started", "fallback_entered", "attempt_started"];
const END: [&str; 4] = ["attempt_ended", "call_ended", "body_ended", "call_closed"];

fn sequence(parts: &[&[&'static str]]) -> Vec<&'static str> {
    parts.concat()
}

#[tokio::test(start_paused = true)]
async fn a_successful_call_emits_its_steps_in_order() {
    for stream in [true, false] {
        let log = Story { stream, ..Story::new([]) }.event_names().await;
        assert_eq!(log, sequence(&[&BEGIN, &END]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_emits_its_wait() {
    let log = Story::new([Reply::status(500)]).event_names().await;
    let again = ["attempt_ended", "retry_waiting", "attempt_started"];
    assert_eq!(log, sequence(&[&BEGIN, &again, &END]));
}

#[tokio::test(start_paused = true)]
async fn silence_emits_the_timeout_before_the_end_of_the_attempt() {
    let log = Story::new([Reply::hang()]).event_names().await;
    let silent = ["timed_out", "attempt_ended", "fallback_entered", "attempt_started"];
    assert_eq!(log, sequence(&[&BEGIN, &silent, &END]));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_emits_its_opening_and_its_refusals() {
    let breaker = BreakerPolicy::default().consecutive_failures(1);
    let story = || Story { breaker: breaker.clone(), ..Story::new([Reply::status(503)]) };
    let opens = [
        "breaker_changed",
        "attempt_ended",
        "retry_stopped",
        "fallback_entered",
        "attempt_started",
    ];
    assert_eq!(story().event_names().await, sequence(&[&BEGIN, &opens, &END]));
    let refuses = ["breaker_refused", "attempt_ended", "fallback_entered", "attempt_started"];
    let log = Story { calls: 2, ..story() }.event_names().await;
    assert_eq!(log, sequence(&[&BEGIN, &refuses, &END]));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_moves_down_without_events_of_retries() {
    let log = Story::new([Reply::status(401)]).event_names().await;
    let down = ["attempt_ended", "fallback_entered", "attempt_started"];
    assert_eq!(log, sequence(&[&BEGIN, &down, &END]));
}

#[tokio::test(start_paused = true)]
async fn the_canned_reply_is_a_fallback_without_an_attempt() {
    let gone = Reply::quota_exhausted();
    let story = Story { second: vec![gone.clone()], ..Story::new([gone]) };
    let first = ["breaker_changed", "attempt_ended", "fallback_entered", "attempt_started"];
    let second = [
        "breaker_changed",
        "attempt_ended",
        "fallback_entered",
        "call_ended",
        "body_ended",
        "call_closed",
    ];
    assert_eq!(story.event_names().await, sequence(&[&BEGIN, &first, &second]));
}

#[tokio::test(start_paused = true)]
async fn a_failing_body_emits_its_end_after_the_end_of_the_call() {
    let log = Story::new([Reply::answer().with(Fault::stall(3))]).event_names().await;
    let end = ["attempt_ended", "call_ended", "timed_out", "body_ended", "call_closed"];
    assert_eq!(log, sequence(&[&BEGIN, &end]));
}

#[tokio::test(start_paused = true)]
async fn every_event_has_the_id_of_its_call_also_where_calls_overlap_and_bodies_fail() {
    let (primary, second) = pair();
    let stalls = Reply::answer().with(Fault::stall(3));
    let primary = primary.replies([Reply::status(500), Reply::hang(), stalls]);
    let log = EventLog::default();
    let builder = log.attach_to(Client::builder().fallback(secondary()));
    let client = over(builder, [&primary, &second]);
    let one = || async {
        let response = client.send(chat(true)).await.unwrap();
        let id = AttemptLog::of(response.extensions()).call_id();
        // One of the cases is a stream that breaks.
        let _ = response.into_body().collect().await;
        id
    };
    let ids = futures_util::future::join_all([one(), one(), one(), one(), one()]).await;
    let by_call = log.by_call();
    let seen: Vec<_> = by_call.keys().copied().collect();
    let mut expected: Vec<_> = ids.into_iter().map(Some).collect();
    expected.sort_unstable();
    assert_eq!(seen, expected, "five calls, and no event without one");
    for events in by_call.values() {
        assert_eq!((events[0], *events.last().unwrap()), ("call_started", "call_closed"));
        assert_eq!(events.iter().filter(|name| **name == "call_ended").count(), 1, "{events:?}");
    }
    assert!(by_call.values().any(|events| events.contains(&"retry_waiting")));
    let idle = |events: &Vec<&str>| {
        let ended = events.iter().position(|name| *name == "call_ended");
        events.iter().skip(ended.unwrap()).any(|name| *name == "timed_out")
    };
    assert!(by_call.values().any(idle), "the silence of a body belongs to the call that reads it");
}

#[tokio::test(start_paused = true)]
async fn a_shared_attempt_belongs_to_the_call_that_sent_it() {
    let (primary, second) = pair();
    let log = EventLog::default();
    let cache = evenkeel::cache::CachePolicy::new().coalesce(true);
    let builder = log.attach_to(Client::builder().cache(cache));
    let client = over(builder, [&primary, &second]);
    // The first is cancelled while the second waits for the same attempt, and polls it from then on.
    primary.set(Reply::status(500).head_after(ms(20)));
    let (first, second) = (client.send(chat(false)), client.send(chat(false)));
    let given_up = tokio::time::timeout(ms(1), first);
    let (_, answer) = tokio::join!(given_up, second);
    drop(answer.unwrap());
    let started: Vec<_> = log.by_call().into_values().collect();
    let attempts =
        started.iter().map(|events| events.iter().filter(|n| **n == "attempt_started").count());
    assert_eq!(attempts.collect::<Vec<_>>(), [3, 0], "{started:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_lacks_a_capability_emits_a_skip() {
    let log = EventLog::default();
    let (primary, second) = pair();
    primary.set(Reply::status(401));
    let plain = secondary().capabilities(Capabilities::default().tools(false));
    let builder = log.attach_to(Client::builder().fallback(plain).fallback(Fallback::canned(BUSY)));
    let body = r#"{"model":"m","messages":[],"tools":[{"type":"function"}]}"#;
    call(&over(builder, [&primary, &second]), with_body(body)).await.unwrap();
    let down = [
        "attempt_ended",
        "fallback_skipped",
        "fallback_entered",
        "call_ended",
        "body_ended",
        "call_closed",
    ];
    assert_eq!(log.names(), sequence(&[&BEGIN, &down]));
}

/// The events in the order of their source file.
fn in_the_file() -> Vec<String> {
    let file = include_str!("../../../src/telemetry/event.rs");
    let (_, events) = file.split_once("pub enum EventKind {").unwrap();
    let (events, _) = events.split_once("\n}\n").unwrap();
    let lines = events.lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names.map(|line| snake_case(line.trim_end_matches([' ', '{', ',']))).collect()
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[tokio::test(start_paused = true)]
async fn the_file_of_the_events_read_top_to_bottom_is_the_flow_of_a_call() {
    let order = in_the_file();
    let stories = [
        Story::new([]),
        Story::new([Reply::status(500), Reply::status(500), Reply::status(500)]),
        Story::new([Reply::hang()]),
        Story {
            breaker: BreakerPolicy::default().consecutive_failures(1),
            ..Story::new([Reply::hang()])
        },
        Story { calls: 2, ..Story::new([Reply::quota_exhausted()]) },
        Story::new([Reply::rate_limited(Some(secs(60)))]),
        Story::new([Reply::answer().with(Fault::stall(3))]),
        Story {
            breaker: BreakerPolicy::default().consecutive_failures(1),
            ..Story::new([Reply::answer().with(Fault::Cut { words: 3 })])
        },
        Story { second: vec![Reply::hang()], ..Story::new([Reply::hang()]) },
    ];
    for story in stories {
        let log = story.event_names().await;
        let place = |name: &str| order.iter().position(|event| event == name).expect("a name");
        // Each fallback, each attempt and each body starts again.
        let anew = ["fallback_entered", "fallback_skipped", "attempt_started"];
        let mut last = 0;
        let mut body = false;
        for name in &log {
            let next = place(name);
            assert!(
                next > last || last == 0 || body || anew.contains(&&**name),
                "{name} in {log:?}"
            );
            (last, body) = (next, body || *name == "call_ended");
        }
        assert_eq!(log.last(), Some(&"call_closed"));
    }
}

// === attempt logs ===

#[tokio::test(start_paused = true)]
async fn the_attempt_log_has_target_and_duration_of_each_attempt() {
    let (primary, second) = pair();
    let primary = primary.replies([
        Reply::status(500).head_after(ms(100)),
        Reply::rate_limited(Some(secs(2))),
        Reply::answer().first_content_after(secs(3600)),
    ]);
    second.set(Reply::answer().first_content_after(ms(400)).between_events(secs(1)));
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    let answer = call(&client, chat(true)).await.unwrap();
    let attempt_log = answer.attempt_log.unwrap();
    let attempts = attempt_log.attempts();
    let log: Vec<_> = attempts
        .iter()
        .map(|a| (a.fallback, a.route.provider().to_owned(), a.route.model().to_owned(), a.outcome))
        .collect();
    let at = |fallback, provider: &str, model: &str, outcome| {
        (fallback, provider.into(), model.into(), outcome)
    };
    // The attempt had less time than its own limit for the first content: the fallbacks' reserve was reached.
    let silent = Outcome::TimedOut { phase: Phase::Deadline };
    assert_eq!(
        log,
        [
            at(0, "primary", "m", Outcome::Unavailable { wait: None }),
            at(0, "primary", "m", Outcome::RateLimited { wait: Some(secs(2)) }),
            at(0, "primary", "m", silent),
            at(1, "secondary", "spare", Outcome::Success),
        ]
    );
    assert_eq!(attempts[0].took, ms(100));
    assert!(attempts[0].wait.is_zero() && attempts[1].wait >= ms(50));
    assert!(attempts[2].wait >= secs(2) && (secs(17)..secs(18)).contains(&attempts[2].took));
    assert_eq!((attempts[3].wait, attempts[3].took), (secs(0), ms(400)), "to its first content");
    assert_eq!((attempt_log.sent(), attempt_log.served_by().as_deref()), (4, Some("spare")));
    assert_eq!(answer.headers["evenkeel-served-by"], "spare");
    assert_eq!(answer.headers["evenkeel-attempts"], "4");
    assert!(attempt_log.to_string().ends_with("→ spare success in 400.0ms"), "{attempt_log}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_log_of_refusals_counts_none_as_sent() {
    let primary = Provider::new("primary").always(Reply::quota_exhausted());
    let client = over(Client::builder().fallback(Fallback::canned(BUSY)), [&primary]);
    call(&client, chat(true)).await.unwrap();
    let attempt_log = call(&client, chat(true)).await.unwrap().attempt_log.unwrap();
    assert!(matches!(attempt_log.attempts()[0].outcome, Outcome::NotSent { retry_in: Some(_) }));
    assert_eq!((attempt_log.sent(), attempt_log.attempts().len()), (0, 1));
    assert_eq!(attempt_log.served_by().as_deref(), Some("canned"));
}
