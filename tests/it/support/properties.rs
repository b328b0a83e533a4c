//! Properties, and strategies for the behaviour of providers and callers.

use std::time::Duration;

use evenkeel_testkit::{Fault, Reply, WORDS};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng},
};

use super::{bodies::Answer, time::ms};

pub(crate) const BUSY: &str = "We are very busy.";

/// Runs a property on the same cases every time.
pub(crate) fn check_property<S: Strategy>(
    cases: u32,
    strategy: S,
    check: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, seed);
    if let Err(error) = runner.run(&strategy, check) {
        panic!("{error}");
    }
}

fn any_wait() -> impl Strategy<Value = Duration> {
    prop_oneof![3 => Just(0), 3 => 1..3_000_u64, 2 => 3_000..40_000_u64].prop_map(ms)
}

/// Any reply of the testkit.
pub(crate) fn any_reply() -> impl Strategy<Value = Reply> {
    let status = prop::sample::select(vec![
        400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529,
    ]);
    let words = 0..60_usize;
    let fault = prop_oneof![
        Just(Fault::Refused),
        Just(Fault::Reset),
        Just(Fault::Hang),
        Just(Fault::NoDone),
        Just(Fault::NoFinish),
        words.clone().prop_map(|words| Fault::Cut { words }),
        words.clone().prop_map(Fault::stall),
        words.clone().prop_map(Fault::server_error),
        (words.clone(), any_wait()).prop_map(|(words, lasts)| Fault::Silence { words, lasts }),
        (1..64_usize).prop_map(|event| Fault::InvalidEvent { event }),
        (0..9_000_usize).prop_map(|bytes| Fault::ResetAfter { bytes }),
        (50..500_usize, 0..400_u64)
            .prop_map(|(bytes, every)| Fault::Drip { bytes, every: ms(every) }),
        (1..4_000_u64, 0..200_u32)
            .prop_map(|(every, count)| Fault::Comments { every: ms(every), count }),
    ];
    let answer = (prop::option::of(fault), any_wait(), any_wait(), 0..1_500_u64).prop_map(
        |(fault, head, first, between)| {
            let reply = Reply::answer().head_after(head).first_content_after(first);
            let reply = reply.between_events(ms(between));
            fault.map_or(reply.clone(), |fault| reply.with(fault))
        },
    );
    prop_oneof![
        6 => answer,
        2 => Just(Reply::answer()),
        3 => (status, prop::option::of(any_wait()), any_wait()).prop_map(|(status, hint, head)| {
            let reply = Reply::status(status).head_after(head);
            hint.map_or(reply.clone(), |hint| reply.retry_after(hint))
        }),
        1 => prop::sample::select(vec![
            Reply::quota_exhausted(),
            Reply::context_length_exceeded(),
            Reply::content_policy_violation(),
            Reply::empty(),
            Reply::html(),
            Reply::answer().text(""),
            Reply::raw(200, "application/json", r#"{"error":{"type":"overloaded_error"}}"#),
            Reply::raw(200, "text/event-stream", ": nothing\n\n"),
            Reply::raw(307, "text/plain", ""),
        ]),
    ]
}

/// One call: streamed or not, the time after the previous one, its own deadline, and the time when its caller leaves.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) stream: bool,
    pub(crate) after: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) leaves: Option<Duration>,
}

pub(crate) fn any_call() -> impl Strategy<Value = Call> {
    let deadline = prop::option::weighted(0.2, (0..20_000_u64).prop_map(ms));
    let leaves = prop::option::weighted(0.15, (0..30_000_u64).prop_map(ms));
    (any::<bool>(), any_wait(), deadline, leaves)
        .prop_map(|(stream, after, deadline, leaves)| Call { stream, after, deadline, leaves })
}

/// Whether the answer is whole or failed; a part without an error is neither.
pub(crate) fn is_whole_or_failed(answer: &Answer) -> bool {
    let whole = answer.words() == WORDS || answer.words() == BUSY;
    // An answer that is not a success is the provider's own.
    whole || answer.error.is_some() || !answer.verdict.as_ref().unwrap().outcome().is_success()
}
