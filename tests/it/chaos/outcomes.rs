//! What the guard makes of each fault.

use std::collections::BTreeSet;

use super::*;

/// The outcome of the attempt at the end of its answer, streamed and in one piece. `None`: the fault is for streams alone.
const TABLE: [(FaultKind, &str, Option<&str>); 28] = [
    (FaultKind::Refused, "unreachable", Some("unreachable")),
    (FaultKind::Reset, "broken", Some("broken")),
    (FaultKind::Closed, "broken", Some("broken")),
    (FaultKind::Hang, "timed_out", Some("timed_out")),
    (FaultKind::Status, "unavailable", Some("unavailable")),
    (FaultKind::RateLimited, "rate_limited", Some("rate_limited")),
    (FaultKind::Quota, "quota_exhausted", Some("quota_exhausted")),
    (FaultKind::ContextLength, "too_large", Some("too_large")),
    (FaultKind::Blocked, "blocked", Some("blocked")),
    (FaultKind::Empty, "empty", Some("empty")),
    (FaultKind::Page, "malformed", Some("malformed")),
    (FaultKind::ErrorBody, "unavailable", Some("unavailable")),
    (FaultKind::NoContent, "empty", Some("empty")),
    (FaultKind::SlowHead, "success", Some("success")),
    (FaultKind::SlowContent, "success", Some("success")),
    (FaultKind::SlowEvents, "success", None),
    (FaultKind::ResetAfter, "truncated", Some("truncated")),
    (FaultKind::Cut, "truncated", Some("truncated")),
    (FaultKind::Silence, "truncated", Some("truncated")),
    (FaultKind::Stall, "timed_out", Some("timed_out")),
    // The JSON of an answer in one piece ends in its middle.
    (FaultKind::InvalidEvent, "malformed", Some("truncated")),
    (FaultKind::ErrorEvent, "unavailable", Some("unavailable")),
    (FaultKind::Unstreamed, "success", None),
    (FaultKind::Endless, "truncated", None),
    (FaultKind::NoDone, "success", None),
    // `[DONE]` ends a chat as well.
    (FaultKind::NoFinish, "success", None),
    (FaultKind::Drip, "success", Some("success")),
    (FaultKind::Comments, "success", Some("success")),
];

/// The outcome of the attempt, the fault in its log, and the answer if there was one.
async fn attempt(fault: Fault, stream: bool) -> (&'static str, Option<FaultKind>, Option<Answer>) {
    let (client, ..) = with_rule(ChaosRule::new(fault));
    let (log, answer) = match call(&client, chat(stream)).await {
        Ok(answer) => (answer.attempt_log.clone().unwrap(), Some(answer)),
        Err(error) => (error.attempt_log().unwrap().clone(), None),
    };
    let attempt = log.attempts()[0].clone();
    // A stream that was handed on fails at its end.
    let ending = log.ending().map(|ending| ending.outcome());
    let outcome = ending.filter(|_| attempt.outcome.is_success()).unwrap_or(attempt.outcome);
    (outcome.name(), attempt.injected, answer)
}

/// The faults as they are by default, but for those that would need hours of virtual time.
fn short(kind: FaultKind) -> Fault {
    match Fault::from(kind) {
        Fault::Drip { .. } => Fault::Drip { bytes: 256, every: ms(20) },
        Fault::Comments { .. } => Fault::Comments { every: ms(100), count: 20 },
        fault => fault,
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_has_the_outcome_that_the_guard_gives_to_the_real_one() {
    let named: BTreeSet<_> = TABLE.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(named.len(), FaultKind::ALL.len());
    let mut wrong = Vec::new();
    for (kind, streamed, whole) in TABLE {
        for (stream, expected) in [(true, Some(streamed)), (false, whole)] {
            let (outcome, fault, _) = attempt(short(kind), stream).await;
            let expected = (expected.unwrap_or("success"), expected.map(|_| kind));
            if (outcome, fault) != expected {
                wrong.push((kind, stream, outcome, fault));
            }
        }
    }
    assert_eq!(wrong, []);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_only_late_or_in_another_form_reaches_the_caller_whole() {
    for kind in [
        FaultKind::SlowHead,
        FaultKind::SlowContent,
        FaultKind::SlowEvents,
        FaultKind::Unstreamed,
        FaultKind::NoDone,
        FaultKind::Drip,
        FaultKind::Comments,
    ] {
        for stream in [true, false] {
            let (outcome, _, answer) = attempt(short(kind), stream).await;
            assert_eq!(outcome, "success", "{kind} {stream}");
            answer.unwrap().is_whole();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_in_a_stream_is_after_the_events_that_were_set() {
    for events in [0, 1, 17, 59, 60, 100] {
        let (.., answer) = attempt(Fault::Cut { events }, true).await;
        let words = answer.map_or(0, |answer| answer.words().split_whitespace().count());
        assert_eq!(words, events.min(60) as usize);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_stream_goes_on_until_chaos_ends_and_never_ends_as_a_whole_answer() {
    let (primary, switch) = (Provider::new("primary"), ChaosSwitch::for_at_most(secs(60)));
    let rule = ChaosRule::new(Fault::Endless { events: 5, every: secs(1) });
    let client = over(chaos(Client::builder(), &switch, rule), [&primary]);
    switch.on();
    let answer = call(&client, chat(true)).await.unwrap();
    assert!(answer.error.unwrap().is_truncated());
    let words: usize = answer
        .frames
        .iter()
        .map(|it| {
            crate::support::words(std::str::from_utf8(it).unwrap()).split_whitespace().count()
        })
        .sum();
    assert_eq!(words, 5 + 59, "one a second");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_provider_that_is_an_error_stays_as_it_is_and_is_not_counted() {
    let (client, primary, switch) = with_rule(ChaosRule::new(FaultKind::Cut));
    primary.set(evenkeel_testkit::Reply::status(500));
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!((answer.status.as_u16(), switch.injected()), (500, 0));
    assert!(!answer.headers.contains_key("evenkeel-chaos"));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_takes_the_place_of_an_answer_sends_nothing() {
    for (kind, ..) in &TABLE[..13] {
        let (client, primary, switch) = with_rule(ChaosRule::new(*kind));
        let _ = call(&client, chat(false)).await;
        assert_eq!((primary.count(), switch.injected()), (0, 1), "{kind}");
    }
}
