//! Paths without a dialect: passed through byte for byte, streamed or not, with classified statuses and with timeouts.

use std::time::Duration;

use bytes::Bytes;
use evenkeel::{
    Client, Profile, Request,
    fallback::Fallback,
    outcome::{Outcome, Phase},
};
use evenkeel_testkit::{Fault, Provider, Reply};
use tokio::time::Instant;

use crate::support::{EventLog, call, ms, over, pair, request_to, secondary, secs};

/// The allowed handling of a failed call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum May {
    /// Computed from the request alone: it is repeated, and any provider can answer it.
    MoveDown,
    /// Repeated, but bound to its account or its model.
    Repeat,
    /// It costs or changes something: repeated only if nothing was done.
    Neither,
}

/// The other operations of providers. The chats of Cohere and Bedrock are among them.
const PATHS: [(&str, &str, May); 19] = [
    ("POST", "/v1/embeddings", May::Repeat),
    ("POST", "/v1/images/generations", May::Neither),
    ("POST", "/v1/images/edits", May::Neither),
    ("POST", "/v1/audio/speech", May::Neither),
    ("POST", "/v1/audio/transcriptions", May::Neither),
    ("POST", "/v1/files", May::Neither),
    ("GET", "/v1/files/file-1/content", May::Repeat),
    ("POST", "/v1/batches", May::Neither),
    ("POST", "/v1/moderations", May::MoveDown),
    ("POST", "/v1/completions", May::MoveDown),
    ("POST", "/v1/threads/t/runs", May::Neither),
    ("POST", "/v1/assistants", May::Neither),
    ("GET", "/v1/models", May::Repeat),
    ("GET", "/v1/responses/resp_1", May::Repeat),
    ("POST", "/v1/messages/count_tokens", May::MoveDown),
    ("POST", "/v1beta/models/m:embedContent", May::Repeat),
    ("POST", "/api/embed", May::Repeat),
    ("POST", "/v2/chat", May::MoveDown),
    ("POST", "/model/anthropic.claude/converse-stream", May::MoveDown),
];

fn ask(method: &str, path: &str, stream: bool) -> Request {
    let body = match method {
        "GET" => Bytes::new(),
        _ => format!(r#"{{"model":"m","stream":{stream},"input":"hi"}}"#).into(),
    };
    request_to(method, path, body)
}

/// Every path, streamed and not.
fn all() -> impl Iterator<Item = (&'static str, Request)> {
    each().map(|(path, _, request)| (path, request))
}

/// Every path with the allowed handling.
fn each() -> impl Iterator<Item = (&'static str, May, Request)> {
    let both = |(method, path, may)| {
        [true, false].map(move |stream| (path, may, ask(method, path, stream)))
    };
    PATHS.into_iter().flat_map(both)
}

fn bytes(size: usize) -> Bytes {
    (0..size as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[tokio::test(start_paused = true)]
async fn large_binary_bodies_pass_byte_for_byte() {
    let sound = bytes(3 << 20);
    let pieces: Vec<_> = sound.chunks(50_000).map(Bytes::copy_from_slice).collect();
    for (kind, reply) in [
        ("audio/mpeg", Reply::pieces("audio/mpeg", pieces.clone())),
        ("application/octet-stream", Reply::raw(200, "application/octet-stream", sound.clone())),
        (
            "application/vnd.amazon.eventstream",
            Reply::pieces("application/vnd.amazon.eventstream", pieces),
        ),
    ] {
        for (path, request) in all() {
            let (primary, log) =
                (Provider::new("primary").always(reply.clone()), EventLog::default());
            let client = over(log.attach_to(Client::builder()), [&primary]);
            let answer = call(&client, request).await.unwrap();
            assert!(answer.bytes() == sound && answer.error.is_none(), "{path} {kind}");
            assert_eq!((primary.count(), log.count("body_ended")), (1, 1), "{path} {kind}");
            assert_eq!(answer.verdict.unwrap().outcome(), Outcome::Success);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_an_unknown_dialect_pass_byte_for_byte() {
    // A run of an assistant, Cohere's end, an error, garbage, and no end.
    let events = [
        ": hi\r\n\r\nevent: thread.run.created\r\ndata: {\"id\":\"run_1\"}\r\n\r\n",
        "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\"}}\n\n",
        "event: error\ndata: {\"error\":{\"code\":\"server_error\"}}\n\n",
        "data: {bad\n\n\u{feff}",
        "data: [DONE]\n\ndata: more",
    ];
    let reply =
        Reply::pieces("text/event-stream", events).with(Fault::Drip { bytes: 7, every: ms(1) });
    for (path, request) in all() {
        let primary = Provider::new("primary").always(reply.clone());
        let client = over(Client::builder().fallback(secondary()), [&primary]);
        let answer = call(&client, request).await.unwrap();
        assert_eq!(answer.bytes(), events.concat().as_bytes(), "{path}");
        assert_eq!((answer.error.is_none(), primary.count()), (true, 1), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_retried_and_moved_down_as_far_as_that_is_safe() {
    // After a 503 the request was rejected before any work; after a 500 it may have been executed.
    for (status, (path, may, request)) in
        [500, 503].into_iter().flat_map(|s| each().map(move |e| (s, e)))
    {
        let (primary, second) = pair();
        primary.set(Reply::status(status));
        second.set(Reply::raw(200, "application/json", "{}"));
        let canned = Fallback::canned("busy");
        let client =
            over(Client::builder().fallback(secondary()).fallback(canned), [&primary, &second]);
        let answer = call(&client, request.clone()).await.unwrap();
        let (by, at_first) = match (may, status) {
            (May::MoveDown, _) => (200, 3),
            (May::Neither, 500) => (500, 1),
            (May::Repeat | May::Neither, status) => (status, 3),
        };
        assert_eq!((answer.status.as_u16(), primary.count()), (by, at_first), "{path} {status}");
        assert_eq!(second.count(), u64::from(may == May::MoveDown), "{path} {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_is_classified() {
    for (path, request) in all() {
        for (reply, outcome) in [
            (Reply::quota_exhausted(), Outcome::QuotaExhausted { wait: None }),
            (
                Reply::error(400, "invalid_request_error", "invalid_value"),
                Outcome::Rejected { why: evenkeel::outcome::Rejection::Request },
            ),
            // In the formats of Cohere and of Bedrock.
            (
                Reply::raw(498, "application/json", r#"{"message":"invalid token"}"#),
                Outcome::Unavailable { wait: None },
            ),
            (
                Reply::raw(400, "application/json", r#"{"message":"x"}"#)
                    .header("x-amzn-errortype", "ThrottlingException:http://x"),
                Outcome::RateLimited { wait: None },
            ),
            (
                Reply::raw(424, "application/json", r#"{"__type":"com.amazon#NoSuchException"}"#),
                Outcome::Declined,
            ),
        ] {
            let primary = Provider::new("primary").always(reply);
            let client = over(Client::builder(), [&primary]);
            let answer = call(&client, request.clone()).await.unwrap();
            assert_eq!(answer.verdict.unwrap().outcome(), outcome, "{path}");
            let attempts = if outcome.is_retryable() { 3 } else { 1 };
            assert_eq!(primary.count(), attempts, "{path} {outcome}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn silence_before_and_within_bodies_is_bounded() {
    for (path, request) in all() {
        let primary = Provider::new("primary").always(Reply::hang());
        let start = Instant::now();
        let error = over(Client::builder(), [&primary]).send(request.clone()).await.unwrap_err();
        assert!(error.is_timeout() && primary.count() == 1, "{path}");
        assert_eq!(start.elapsed(), secs(30), "{path}: nobody else can be asked");

        // Every byte counts as content, because its meaning is unknown.
        let slow = Reply::raw(200, "audio/mpeg", bytes(100))
            .with(Fault::Drip { bytes: 1, every: secs(9) });
        let client = over(Client::builder(), [&Provider::new("primary").always(slow)]);
        let answer = call(&client, request.clone()).await.unwrap();
        assert!(answer.error.is_none() && answer.bytes().len() == 100, "{path}");
        let stalls = Reply::raw(200, "audio/mpeg", bytes(100))
            .with(Fault::Drip { bytes: 60, every: secs(9) });
        let client = over(
            Client::builder().profile(idle(secs(8))),
            [&Provider::new("primary").always(stalls)],
        );
        let answer = call(&client, request).await;
        let failed = answer.map(|answer| answer.error.map(|error| error.outcome()));
        assert_eq!(failed.unwrap(), Some(Outcome::TimedOut { phase: Phase::Idle }), "{path}");
    }
}

fn idle(limit: Duration) -> Profile {
    Profile::interactive().timeout(evenkeel::timeout::TimeoutPolicy::new().idle(limit))
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_is_never_a_success() {
    for (path, may, request) in each() {
        let cut = Reply::raw(200, "audio/mpeg", bytes(1000)).with(Fault::ResetAfter { bytes: 500 });
        let client = over(Client::builder(), [&Provider::new("primary").always(cut)]);
        let answer = call(&client, request.clone()).await.unwrap();
        assert!(answer.error.unwrap().is_truncated(), "{path}");
        // JSON is short: it is requested again where that does no harm.
        let cut = Reply::raw(200, "application/json", "{\"data\":[0.1,0.2]}")
            .with(Fault::ResetAfter { bytes: 9 });
        let primary =
            Provider::new("primary").replies([cut, Reply::raw(200, "application/json", "{}")]);
        let answer = call(&over(Client::builder(), [&primary]), request).await;
        match may {
            May::Neither => assert!(answer.unwrap_err().is_truncated(), "{path}"),
            _ => assert_eq!(&answer.unwrap().bytes()[..], b"{}", "{path}"),
        }
        assert_eq!(primary.count(), if may == May::Neither { 1 } else { 2 }, "{path}");
    }
}
