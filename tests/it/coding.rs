//! Requests and answers in a content coding, through the whole stack.

use std::io::Write;

use bytes::Bytes;
use evenkeel::{
    Body, Client, Profile, Request, Response,
    cache::CachePolicy,
    dialect::UsageHandle,
    fallback::{Fallback, Target},
    outcome::{Outcome, Verdict},
    stream::MidStreamFailure,
    timeout::TimeoutPolicy,
};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use tokio::time::Instant;

use crate::support::{
    Answer, BodyStep, DONE, RequestLog, STOP, USAGE, WORD, body_of, check_property, host,
    in_virtual_time, read, secs, with_body, without_retries,
};

const ASKED: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
const ASKED_WHOLE: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
const WHOLE: &str = r#"{"id":"c","choices":[{"message":{"content":"word"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;

/// The pieces in gzip, with a flush after each, and the end.
fn gzip(pieces: &[&str]) -> Vec<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut coded = Vec::new();
    for piece in pieces {
        encoder.write_all(piece.as_bytes()).unwrap();
        encoder.flush().unwrap();
        coded.push(std::mem::take(encoder.get_mut()).into());
    }
    coded.push(encoder.finish().unwrap().into());
    coded
}

fn gunzip(coded: &[u8]) -> String {
    let mut decoder = flate2::write::GzDecoder::new(Vec::new());
    decoder.write_all(coded).unwrap();
    String::from_utf8(decoder.finish().unwrap()).unwrap()
}

/// What each frame of a stream in gzip adds to the plain stream.
fn decoded(frames: &[Bytes]) -> Vec<Bytes> {
    let mut decoder = flate2::write::GzDecoder::new(Vec::new());
    let frames = frames.iter().map(|frame| {
        let mut rest = &frame[..];
        while !rest.is_empty() {
            rest = &rest[decoder.write(rest).unwrap()..];
        }
        decoder.flush().unwrap();
        Bytes::from(std::mem::take(decoder.get_mut()))
    });
    frames.collect()
}

fn zstd(plain: &str) -> Bytes {
    let mut coded = Vec::with_capacity(plain.len() + 1024);
    zstd_safe::compress(&mut coded, plain.as_bytes(), 3).unwrap();
    coded.into()
}

/// A chat request whose body is in a coding.
fn coded_request(coding: &str, body: Bytes) -> Request {
    let length = body.len();
    let mut request = with_body(body);
    request.headers_mut().insert("content-encoding", coding.parse().unwrap());
    request.headers_mut().insert("content-length", length.into());
    request
}

/// An answer in gzip.
fn coded(status: u16, kind: &str, body: Body) -> Response {
    let response = http::Response::builder().status(status).header("content-type", kind);
    response.header("content-encoding", "gzip").body(body).unwrap()
}

/// A stream in gzip of these pieces, in frames of their own.
fn coded_stream(frames: Vec<Bytes>) -> Response {
    let steps: Vec<_> = frames.into_iter().map(BodyStep::Data).collect();
    coded(200, "text/event-stream", body_of(&steps))
}

fn plain_stream() -> Response {
    let body = [WORD, STOP, DONE].concat();
    http::Response::builder().header("content-type", "text/event-stream").body(body.into()).unwrap()
}

/// A client of a provider that answers with `answer`.
fn client(
    log: &RequestLog,
    profile: Profile,
    answer: impl Fn(&Request) -> Response + Clone + Send + Sync + 'static,
) -> Client {
    let upstream = log.answering(move |request| Ok(answer(request)));
    Client::builder().profile(profile).build_with(upstream).unwrap()
}

async fn sent(client: &Client, request: Request) -> Answer {
    read(client.send(request).await.unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_request_is_sent_byte_for_byte_and_read_in_every_coding() {
    let gzipped = gzip(&[ASKED]).concat();
    for (coding, body) in
        [("gzip", Bytes::from(gzipped)), ("zstd", zstd(ASKED)), ("identity", ASKED.into())]
    {
        let log = RequestLog::default();
        let client = client(&log, Profile::interactive(), |_| plain_stream());
        let request = coded_request(coding, body.clone());
        let [route] = &client.routes_of(&request)[..] else { panic!("one route") };
        assert_eq!(route.model(), "m", "{coding}");
        sent(&client, request).await;
        assert_eq!(client.breakers().list()[0].0.model(), "m", "{coding}");
        let last = log.last();
        assert_eq!(last.body(), &body);
        assert_eq!(last.headers()["content-encoding"], coding);
        assert_eq!(last.headers()["content-length"], body.len().to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn another_target_gets_its_own_model_in_a_plain_request() {
    let log = RequestLog::default();
    let upstream = log.answering(|request| match host(request) {
        "primary" => Ok(http::Response::builder().status(401).body("no".into()).unwrap()),
        _ => Ok(plain_stream()),
    });
    let second = Target::new("http://secondary/v1").bearer("its key").model("spare");
    let client = Client::builder()
        .profile(without_retries())
        .fallback(Fallback::target(second))
        .build_with(upstream)
        .unwrap();
    let answer = sent(&client, coded_request("zstd", zstd(ASKED))).await;
    assert_eq!(answer.words(), "word");
    let requests = log.all();
    assert_eq!(requests[0].body(), &zstd(ASKED));
    assert_eq!(requests[1].body(), &ASKED.replace("\"m\"", "\"spare\""));
    assert!(!requests[1].headers().contains_key("content-encoding"));
    assert_eq!(requests[1].headers()["content-length"], requests[1].body().len().to_string());
}

#[tokio::test(start_paused = true)]
async fn a_coded_request_for_a_stream_outlives_the_limit_of_an_unstreamed_attempt() {
    let log = RequestLog::default();
    let client = client(&log, Profile::interactive(), |_| {
        let mut steps = Vec::new();
        for _ in 0..8 {
            steps.extend([BodyStep::Wait(secs(5)), BodyStep::Data(WORD.into())]);
        }
        steps.extend([STOP, DONE].map(|text| BodyStep::Data(text.into())));
        http::Response::builder()
            .header("content-type", "text/event-stream")
            .body(body_of(&steps))
            .unwrap()
    });
    let start = Instant::now();
    let answer = sent(&client, coded_request("zstd", zstd(ASKED))).await;
    assert!(answer.error.is_none(), "{:?}", answer.error);
    assert_eq!((answer.words(), start.elapsed()), ("word".repeat(8), secs(40)));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_decoded_is_sent_as_it_came() {
    for (coding, body) in [("gzip", "no gzip"), ("compress", "x")] {
        let log = RequestLog::default();
        let client = client(&log, Profile::interactive(), |_| {
            http::Response::builder().status(415).body(Body::empty()).unwrap()
        });
        let answer = sent(&client, coded_request(coding, body.into())).await;
        assert_eq!((answer.status.as_u16(), log.len()), (415, 1));
        assert_eq!(
            (log.last_body(), &log.last().headers()["content-encoding"]),
            (body.to_owned(), &coding.parse::<http::HeaderValue>().unwrap())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_coded_stream_is_handed_on_byte_for_byte_from_its_first_content() {
    let log = RequestLog::default();
    let frames = gzip(&[WORD, WORD, STOP, USAGE, DONE]);
    let answered = frames.clone();
    let client = client(&log, Profile::interactive(), move |_| {
        let steps = answered.iter().cloned().map(BodyStep::Data);
        let steps: Vec<_> = steps.flat_map(|data| [BodyStep::Wait(secs(1)), data]).collect();
        coded(200, "text/event-stream", body_of(&steps))
    });
    let start = Instant::now();
    let response = client.send(with_body(ASKED)).await.unwrap();
    assert_eq!(start.elapsed(), secs(1), "the first content is the commit point");
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let usage = response.extensions().get::<UsageHandle>().unwrap().clone();
    let answer = read(response).await;
    assert_eq!(answer.bytes(), frames.concat());
    assert!(answer.error.is_none(), "{:?}", answer.error);
    let usage = usage.get().unwrap();
    assert_eq!((usage.input, usage.output), (7, 3));
}

#[tokio::test(start_paused = true)]
async fn a_coded_stream_that_stops_sending_content_ends_at_the_idle_limit() {
    let log = RequestLog::default();
    let frames = gzip(&[WORD, ": ping\n\n", ": ping\n\n", ": ping\n\n", ": ping\n\n"]);
    let timeout = TimeoutPolicy::default().idle(secs(15));
    let client = client(&log, Profile::interactive().timeout(timeout), move |_| {
        let steps = frames.iter().cloned().map(BodyStep::Data);
        let steps: Vec<_> = steps.flat_map(|data| [data, BodyStep::Wait(secs(10))]).collect();
        coded(200, "text/event-stream", body_of(&steps))
    });
    let error = sent(&client, with_body(ASKED)).await.error.expect("pings are no content");
    assert!(matches!(error.outcome(), Outcome::TimedOut { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_coded_stream_that_is_cut_is_truncated_and_a_broken_one_malformed() {
    let whole = gzip(&[WORD, STOP, DONE]);
    let broken = vec![whole[0].clone(), Bytes::from_static(&[0xff; 40])];
    for (frames, outcome) in
        [(vec![whole[0].clone()], Outcome::Truncated), (broken, Outcome::Malformed)]
    {
        let log = RequestLog::default();
        let client = client(&log, without_retries(), move |_| coded_stream(frames.clone()));
        let answer = sent(&client, with_body(ASKED)).await;
        assert_eq!(answer.error.expect("the end is missing").outcome(), outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn a_coded_stream_that_fails_before_its_first_content_is_retried() {
    const ERROR: &str = "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"code\":\"server_error\"}}\n\n";
    let log = RequestLog::default();
    let calls = log.clone();
    let client = client(&log, Profile::interactive(), move |_| match calls.len() {
        0 => coded_stream(gzip(&[ERROR])),
        1 => coded_stream(vec![Bytes::from_static(b"no gzip")]),
        _ => coded_stream(gzip(&[WORD, STOP, DONE])),
    });
    let answer = sent(&client, with_body(ASKED)).await;
    assert_eq!((gunzip(&answer.bytes()), log.len()), ([WORD, STOP, DONE].concat(), 3));
}

#[tokio::test(start_paused = true)]
async fn a_coded_answer_that_is_cut_or_broken_is_retried() {
    let whole = Bytes::from(gzip(&[WHOLE]).concat());
    let cut = whole.slice(..whole.len() - 3);
    for (first, outcome) in
        [(cut, Outcome::Truncated), (Bytes::from_static(&[0; 40]), Outcome::Malformed)]
    {
        let log = RequestLog::default();
        let (calls, then) = (log.clone(), whole.clone());
        let client = client(&log, Profile::interactive(), move |_| {
            let body = if calls.len() == 0 { &first } else { &then };
            coded(200, "application/json", body.clone().into())
        });
        let answer = sent(&client, with_body(ASKED_WHOLE)).await;
        assert_eq!((answer.bytes(), log.len()), (whole.clone(), 2));
        assert_eq!(answer.headers["content-encoding"], "gzip");
        let attempts = answer.attempt_log.unwrap().attempts();
        let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome).collect();
        assert_eq!(outcomes, [outcome, Outcome::Success]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_coded_answer_in_one_piece_to_a_request_for_a_stream_is_converted() {
    let whole = Bytes::from(gzip(&[WHOLE]).concat());
    for (kind, body) in [("application/json", whole.clone()), ("text/event-stream", whole.clone())]
    {
        let log = RequestLog::default();
        let client = client(&log, without_retries(), move |_| {
            let (one, two) = (body.slice(..20), body.slice(20..));
            coded(200, kind, body_of(&[BodyStep::Data(one), BodyStep::Data(two)]))
        });
        let response = client.send(with_body(ASKED)).await.unwrap();
        let usage = response.extensions().get::<UsageHandle>().and_then(UsageHandle::get);
        assert_eq!(usage.map(|usage| usage.output), Some(3), "{kind}");
        let answer = read(response).await;
        assert_eq!(answer.words(), "word", "{kind}");
        assert!(!answer.headers.contains_key("content-encoding"), "{kind}");
        let label = answer.headers["content-type"].to_str().unwrap();
        assert!(label.starts_with("text/event-stream"), "{kind}: {label}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_coded_answer_beyond_the_bound_is_handed_on_unread() {
    let log = RequestLog::default();
    let bomb = Bytes::from(gzip(&[&" ".repeat(33 << 20)]).concat());
    let answered = bomb.clone();
    let client = client(&log, Profile::interactive(), move |_| {
        coded(200, "application/json", answered.clone().into())
    });
    let answer = sent(&client, with_body(ASKED_WHOLE)).await;
    assert_eq!((answer.bytes(), log.len()), (bomb, 1));
}

#[tokio::test(start_paused = true)]
async fn the_code_in_a_coded_error_body_decides() {
    const QUOTA: &str = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let log = RequestLog::default();
    let body = Bytes::from(gzip(&[QUOTA]).concat());
    let answered = body.clone();
    let client = client(&log, Profile::interactive(), move |_| {
        coded(429, "application/json", answered.clone().into())
    });
    let answer = sent(&client, with_body(ASKED)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes(), log.len()), (429, body, 1));
    let outcome = answer.verdict.as_ref().map(Verdict::outcome);
    assert!(matches!(outcome, Some(Outcome::QuotaExhausted { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_coded_answer_is_stored_and_served_plain() {
    let log = RequestLog::default();
    let upstream = log.answering(|_| Ok(coded_stream(gzip(&[WORD, STOP, DONE]))));
    let cache = CachePolicy::new().serve_fresh_for(secs(60));
    let client = Client::builder().cache(cache).build_with(upstream).unwrap();
    let first = sent(&client, with_body(ASKED)).await;
    assert_eq!(first.headers["content-encoding"], "gzip");
    let stored = sent(&client, coded_request("zstd", zstd(ASKED))).await;
    assert_eq!((stored.bytes(), log.len()), ([WORD, STOP, DONE].concat().into(), 1));
    assert!(!stored.headers.contains_key("content-encoding"));
}

#[tokio::test(start_paused = true)]
async fn a_coded_stream_that_breaks_is_continued_in_a_plain_one() {
    let log = RequestLog::default();
    let upstream = log.answering(|request| match host(request) {
        "primary" => Ok(coded_stream(vec![gzip(&[WORD])[0].clone()])),
        _ => Ok(coded_stream(gzip(&[WORD, STOP, DONE]))),
    });
    let offers =
        evenkeel::fallback::Capabilities::default().prefill(evenkeel::fallback::Prefill::Prefix);
    let second = Target::new("http://secondary/v1").bearer("its key").model("spare");
    let client = Client::builder()
        .profile(without_retries())
        .mid_stream_failure(MidStreamFailure::Continue)
        .fallback(Fallback::target(second).capabilities(offers))
        .build_with(upstream)
        .unwrap();
    let answer = sent(&client, with_body(ASKED)).await;
    assert!(answer.error.is_none(), "{:?}", answer.error);
    assert_eq!((answer.words(), log.len()), ("wordword".to_owned(), 2));
    assert!(!answer.headers.contains_key("content-encoding"));
}

#[tokio::test(start_paused = true)]
async fn callers_that_accept_different_codings_do_not_share_an_answer() {
    let log = RequestLog::default();
    let upstream = log.answering(|_| {
        let steps = [WORD, STOP, DONE].map(|text| BodyStep::Data(text.into()));
        let steps = [&[BodyStep::Wait(secs(1))][..], &steps].concat();
        Ok(http::Response::builder()
            .header("content-type", "text/event-stream")
            .body(body_of(&steps))
            .unwrap())
    });
    let cache = CachePolicy::new().coalesce(true);
    let client = Client::builder().cache(cache).build_with(upstream).unwrap();
    let accepting = |codings: &str| {
        let mut request = with_body(ASKED);
        request.headers_mut().insert("accept-encoding", codings.parse().unwrap());
        request
    };
    let [one, two, three] = ["gzip", "gzip", "identity"].map(accepting);
    let answers = tokio::join!(sent(&client, one), sent(&client, two), sent(&client, three));
    assert_eq!((answers.0.words(), answers.2.words()), ("word".into(), "word".into()));
    assert_eq!(log.len(), 2, "the first two share one");
}

/// How an answer was judged: its words or its failure.
async fn judged(frames: Vec<Bytes>, coding: Option<&str>) -> (Option<Outcome>, Option<Outcome>) {
    let log = RequestLog::default();
    let coding = coding.map(str::to_owned);
    let client = client(&log, without_retries(), move |_| {
        let mut response = coded_stream(frames.clone());
        response.headers_mut().remove("content-encoding");
        if let Some(coding) = &coding {
            response.headers_mut().insert("content-encoding", coding.parse().unwrap());
        }
        response
    });
    match client.send(with_body(ASKED)).await {
        Ok(response) => {
            let answer = read(response).await;
            let verdict = answer.verdict.as_ref().map(Verdict::outcome);
            (verdict, answer.error.map(|error| error.outcome()))
        }
        Err(error) => (None, Some(error.outcome())),
    }
}

/// A frame with content and an error after it is a failure; in two frames, the content is handed on first.
#[test]
fn any_split_of_a_coded_stream_is_judged_like_the_plain_one() {
    const EVENTS: [&str; 7] = [
        WORD,
        STOP,
        USAGE,
        DONE,
        ": ping\n\n",
        "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"code\":\"server_error\"}}\n\n",
        "data: {bad\n\n",
    ];
    let cases = (
        prop::collection::vec(prop::sample::select(&EVENTS[..]), 0..8),
        prop::collection::vec(1..400usize, 1..6),
    );
    check_property(64, cases, |(events, sizes)| {
        in_virtual_time(async {
            let mut rest = Bytes::from(gzip(&events).concat());
            let (mut frames, mut sizes) = (Vec::new(), sizes.iter().cycle());
            while !rest.is_empty() {
                frames.push(rest.split_to((*sizes.next().unwrap()).min(rest.len())));
            }
            let plain = decoded(&frames);
            let coded = judged(frames, Some("gzip")).await;
            assert_eq!(coded, judged(plain, None).await, "{events:?}");
        });
        Ok(())
    });
}
