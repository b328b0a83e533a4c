//! The `Classify` layer: answers held back to their commit point, classified, and monitored to their end.

use std::{
    error::Error as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Body, Error, Request, Response, Upstream,
    classify::{ClassifyLayer, ClassifyPolicy},
    dialect::UsageHandle,
    outcome::{Outcome, Verdict},
    stream::{BodyEnd, CommitPolicy},
};
use http::{StatusCode, header};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};
use tower::{Layer, ServiceExt, service_fn};

const ROLE: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
const FILTER: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n";
const ERROR: &str =
    "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"code\":\"server_error\"}}\n\n";
const BAD: &str = "data: {bad\n\n";
const WHOLE: &str = r#" {"id":"c","choices":[{"message":{"content":"word"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}} "#;
const SSE: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "application/json";
const UNAVAILABLE: Outcome = Outcome::Unavailable { wait: None };

use crate::support::BodyStep::*;

use crate::support::{BodyStep, DONE, PING, STOP, USAGE, WORD, body_of, secs};

fn data(text: &'static str) -> BodyStep {
    Data(Bytes::from_static(text.as_bytes()))
}

type Endings = Arc<Mutex<Vec<BodyEnd>>>;

fn answer(kind: &str, body: Body) -> Response {
    let response =
        http::Response::builder().header(header::CONTENT_TYPE, kind).header("x-request-id", "r-1");
    response.body(body).unwrap()
}

/// A provider with one answer.
fn provider(answer: Response) -> impl Upstream {
    let answer = Arc::new(Mutex::new(Some(answer)));
    service_fn(move |_: Request| {
        let answer = answer.lock().unwrap().take().expect("one call");
        async move { Ok::<_, Error>(answer) }
    })
}

fn chat() -> Request {
    let body = Bytes::from_static(b"{\"model\":\"m\",\"messages\":[]}");
    http::Request::post("https://api.example/v1/chat/completions").body(body).unwrap()
}

fn chat_stream() -> Request {
    chat().map(|_| Bytes::from_static(b"{\"model\":\"m\",\"stream\":true}"))
}

fn policy() -> ClassifyPolicy {
    ClassifyPolicy::default()
}

async fn classify_by(
    policy: ClassifyPolicy,
    request: Request,
    answer: Response,
) -> Result<Response, Error> {
    let call = policy.build().unwrap().layer(provider(answer)).oneshot(request);
    // No test takes an hour: a call that would wait for ever fails here instead.
    timeout(Duration::from_secs(3600), call).await.expect("an end")
}

/// The answer to a request that asks for the form that the content type names.
async fn classify(answer: Response) -> Result<Response, Error> {
    let events = answer.headers()[header::CONTENT_TYPE].as_bytes().starts_with(b"text/event");
    classify_by(policy(), if events { chat_stream() } else { chat() }, answer).await
}

/// The result of a stream: the outcome before the commit point, or the bytes that were read and the error after them.
async fn streamed(
    commit: CommitPolicy,
    steps: &[BodyStep],
) -> Result<(String, Option<Outcome>), Outcome> {
    let answer = answer(SSE, body_of(steps));
    let answer = classify_by(policy().commit(commit), chat_stream(), answer).await;
    Ok(read(answer.map_err(|error| error.outcome())?).await)
}

async fn read(answer: Response) -> (String, Option<Outcome>) {
    let (mut body, mut text) = (answer.into_body(), String::new());
    let hour = Duration::from_secs(3600);
    while let Some(frame) = timeout(hour, body.frame()).await.expect("an end") {
        match frame {
            Ok(frame) => {
                text.push_str(std::str::from_utf8(&frame.into_data().unwrap_or_default()).unwrap())
            }
            Err(error) => return (text, Some(error.outcome())),
        }
    }
    (text, None)
}

fn verdict(answer: &Response) -> Outcome {
    answer.extensions().get::<Verdict>().expect("a verdict").outcome()
}

fn note(body: &mut Body) -> Endings {
    let endings = Endings::default();
    let list = endings.clone();
    body.on_end(move |ending| list.lock().unwrap().push(*ending));
    endings
}

// === Streams ===

#[tokio::test(start_paused = true)]
async fn a_stream_passes_byte_for_byte() {
    let pieces = [
        "\u{feff}: hi\r\n\r",
        "\ndata:{\"choices\":[{\"delta\":{\"cont",
        "ent\":\"a\"}}]}\r\n\r\n",
        STOP,
        USAGE,
        DONE,
        DONE,
        "x",
    ];
    for commit in [CommitPolicy::FirstContent, CommitPolicy::Complete] {
        let steps = pieces.map(data);
        assert_eq!(streamed(commit, &steps).await, Ok((pieces.concat(), None)), "{commit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_handed_on_at_its_first_content_or_when_it_is_complete() {
    for (commit, after) in [(CommitPolicy::FirstContent, 2), (CommitPolicy::Complete, 7)] {
        let began = Instant::now();
        let steps = [
            data(ROLE),
            data(PING),
            Wait(secs(2)),
            data(WORD),
            Wait(secs(5)),
            data(STOP),
            data(DONE),
            Hang,
        ];
        let answer =
            classify_by(policy().commit(commit), chat_stream(), answer(SSE, body_of(&steps))).await;
        assert_eq!(
            (began.elapsed().as_secs(), verdict(&answer.unwrap())),
            (after, Outcome::Success)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_complete_stream_without_done_is_not_waited_for_in_vain() {
    let began = Instant::now();
    let steps = [data(WORD), data(STOP), Hang];
    let whole = policy().commit(CommitPolicy::Complete);
    let mut answer = classify_by(whole, chat_stream(), answer(SSE, body_of(&steps))).await.unwrap();
    let endings = note(answer.body_mut());
    assert_eq!(read(answer).await, ([WORD, STOP].concat(), None));
    assert!(began.elapsed() <= Duration::from_secs(2), "nor by whoever reads it");
    assert_eq!(endings.lock().unwrap()[..], [BodyEnd::Done]);
}

#[tokio::test(start_paused = true)]
async fn an_error_in_a_stream_before_the_commit_point_is_an_error_of_the_call() {
    for steps in [
        &[data(ERROR)][..],
        &[data(ROLE), Wait(secs(1)), data(ERROR), data(DONE)],
        &[data(PING), data(ERROR), Hang],
    ] {
        for commit in [CommitPolicy::FirstContent, CommitPolicy::Complete] {
            assert_eq!(streamed(commit, steps).await, Err(UNAVAILABLE), "{steps:?}");
        }
    }
    let late = [data(ROLE), data(WORD), Wait(secs(1)), data(ERROR), Hang];
    assert_eq!(streamed(CommitPolicy::Complete, &late).await, Err(UNAVAILABLE));
    let text = [ROLE, WORD, ERROR].concat();
    assert_eq!(streamed(CommitPolicy::FirstContent, &late).await, Ok((text, Some(UNAVAILABLE))));
}

#[tokio::test(start_paused = true)]
async fn a_cut_stream_is_never_a_success() {
    for cut in [&[][..], &[Break], &[Trailers], &[data("data: {\"choi")]] {
        let steps = [&[data(WORD), data(WORD)], cut].concat();
        let (_, error) = streamed(CommitPolicy::FirstContent, &steps).await.unwrap();
        assert_eq!(error, Some(Outcome::Truncated), "{cut:?}");
        assert_eq!(
            streamed(CommitPolicy::Complete, &steps).await,
            Err(Outcome::Truncated),
            "{cut:?}"
        );
        let steps = [&[data(ROLE)], cut].concat();
        assert_eq!(
            streamed(CommitPolicy::FirstContent, &steps).await,
            Err(Outcome::Truncated),
            "{cut:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_finish_reason_without_done_is_a_whole_answer() {
    for end in [
        &[data(STOP)][..],
        &[data(STOP), data(USAGE)],
        &[data(STOP), Break],
        &[data(STOP), Trailers],
        &[data(DONE)],
    ] {
        for commit in [CommitPolicy::FirstContent, CommitPolicy::Complete] {
            let steps = [&[data(WORD)], end].concat();
            assert_eq!(streamed(commit, &steps).await.unwrap().1, None, "{end:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_content_is_empty() {
    for steps in [
        &[][..],
        &[data("\n")],
        &[data(DONE), Hang],
        &[data(ROLE), data(STOP), Hang],
        &[data(ROLE), data(STOP), data(DONE)],
    ] {
        assert_eq!(
            streamed(CommitPolicy::FirstContent, steps).await,
            Err(Outcome::Empty),
            "{steps:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn invalid_json_fails_the_call_or_the_body() {
    let steps =
        [&vec![data(WORD); 9][..], &[data(BAD), data(WORD), data(STOP), data(DONE)]].concat();
    let text = [WORD.repeat(9).as_str(), BAD].concat();
    assert_eq!(
        streamed(CommitPolicy::FirstContent, &steps).await,
        Ok((text, Some(Outcome::Malformed)))
    );
    assert_eq!(streamed(CommitPolicy::Complete, &steps).await, Err(Outcome::Malformed));
    assert_eq!(
        streamed(CommitPolicy::FirstContent, &[data(BAD), Hang]).await,
        Err(Outcome::Malformed)
    );
}

#[tokio::test(start_paused = true)]
async fn usage_is_reported_at_the_end_of_a_stream_without_done() {
    let answer =
        classify(answer(SSE, body_of(&[data(WORD), data(STOP), data(USAGE)]))).await.unwrap();
    let usage = answer.extensions().get::<UsageHandle>().unwrap().clone();
    assert_eq!(usage.get(), None);
    assert_eq!(read(answer).await.1, None);
    assert_eq!(usage.get().map(|tokens| (tokens.input, tokens.output)), Some((7, 3)));
}

#[tokio::test(start_paused = true)]
async fn a_blocked_answer_is_handed_on_with_its_verdict() {
    let stream =
        classify(answer(SSE, body_of(&[data(ROLE), data(FILTER), data(DONE)]))).await.unwrap();
    assert_eq!(verdict(&stream), Outcome::Blocked);
    assert_eq!(read(stream).await, ([ROLE, FILTER, DONE].concat(), None));
    let json = r#"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#;
    let json = classify(answer(JSON, json.into())).await.unwrap();
    assert_eq!(verdict(&json), Outcome::Blocked);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_is_bounded() {
    let policy = || policy().hold_events(3).hold_bytes(1000);
    for (step, most) in [(data(ROLE), 4), (data(PING), 15)] {
        let began = Instant::now();
        let steps = vec![[Wait(secs(1)), step.clone()]; 60].concat();
        let answer =
            classify_by(policy(), chat_stream(), answer(SSE, body_of(&steps))).await.unwrap();
        assert_eq!(verdict(&answer), Outcome::Success);
        assert!(began.elapsed().as_secs() <= most, "{step:?}");
        // Without content it is a failure too, in the body.
        assert_eq!(read(answer).await.1, Some(Outcome::Truncated));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_too_large_to_be_held_until_complete_is_passed_through() {
    let steps = [&vec![data(WORD); 30][..], &[Hang]].concat();
    let small = policy().commit(CommitPolicy::Complete).collect(1000);
    assert!(classify_by(small, chat_stream(), answer(SSE, body_of(&steps))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_body_is_reported_at_the_end_not_with_the_headers() {
    let mut answer =
        classify(answer(SSE, body_of(&[data(WORD), Wait(secs(9)), data(STOP), data(DONE)])))
            .await
            .unwrap();
    let endings = note(answer.body_mut());
    for _ in 0..2 {
        assert!(endings.lock().unwrap().is_empty());
        answer.body_mut().frame().await.unwrap().unwrap();
    }
    answer.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(*endings.lock().unwrap(), [BodyEnd::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_dies_half_way_is_a_failure() {
    for (steps, ending) in [
        (&[data(WORD), Break][..], BodyEnd::Truncated),
        (&[data(WORD), Wait(secs(1)), data(ERROR)], BodyEnd::Failed(UNAVAILABLE)),
        (&[data(WORD), data(STOP), Break], BodyEnd::Done),
    ] {
        let mut answer = classify(answer(SSE, body_of(steps))).await.unwrap();
        let endings = note(answer.body_mut());
        read(answer).await;
        assert_eq!(*endings.lock().unwrap(), [ending], "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_of_failure_is_a_failure_and_is_returned_unchanged() {
    let mut bad = answer(JSON, "{\"error\":{\"message\":\"x\"}}".into());
    *bad.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let answer = classify(bad).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(read(answer).await, ("{\"error\":{\"message\":\"x\"}}".into(), None));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_while_it_is_held_back_cancels_the_body() {
    let mut held = body_of(&[data(ROLE), Hang]);
    let endings = note(&mut held);
    let call = timeout(Duration::from_secs(5), classify(answer(SSE, held)));
    assert!(call.await.is_err());
    assert_eq!(*endings.lock().unwrap(), [BodyEnd::Cancelled]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_on_the_inner_body_receives_the_classified_end() {
    for (kind, steps, ending) in [
        (SSE, &[data(ROLE), data(ERROR), Hang][..], BodyEnd::Failed(UNAVAILABLE)),
        (SSE, &[data(ROLE)], BodyEnd::Truncated),
        (SSE, &[data("<html>"), Hang], BodyEnd::Failed(Outcome::Malformed)),
        ("text/html", &[data("<html>"), Hang], BodyEnd::Failed(Outcome::Malformed)),
        (JSON, &[data("{\"cho"), Break], BodyEnd::Truncated),
        (JSON, &[data(WHOLE)], BodyEnd::Done),
    ] {
        let mut under = body_of(steps);
        let endings = note(&mut under);
        let _ = classify(answer(kind, under)).await;
        assert_eq!(*endings.lock().unwrap(), [ending], "{kind} {steps:?}");
    }
}

// === Answers that are not streamed ===

#[tokio::test(start_paused = true)]
async fn an_answer_is_collected_and_passes_byte_for_byte() {
    let (one, two) = WHOLE.split_at(20);
    for (steps, size) in [
        (&[data(WHOLE)][..], true),
        (&[data("\n"), Wait(secs(3)), data("\n"), data(one), data(two)], true),
        (&[data(WHOLE), Trailers], false),
    ] {
        let answer = classify(answer(JSON, body_of(steps))).await.unwrap();
        assert_eq!(verdict(&answer), Outcome::Success);
        assert_eq!(answer.headers()["x-request-id"], "r-1");
        assert_eq!(answer.body().as_bytes().is_some(), size);
        let tokens = answer.extensions().get::<UsageHandle>().and_then(UsageHandle::get);
        assert_eq!(tokens.map(|tokens| tokens.output), Some(3));
        let collected = answer.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().is_some(), !size);
        assert_eq!(collected.to_bytes().trim_ascii(), WHOLE.trim().as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_is_never_handed_on() {
    for (steps, source) in
        [(&[Break][..], true), (&[data(WHOLE), Break], true), (&[data("{\"choices\":[{")], false)]
    {
        let error = classify(answer(JSON, body_of(steps))).await.unwrap_err();
        assert_eq!(
            (error.outcome(), error.source().is_some()),
            (Outcome::Truncated, source),
            "{steps:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_200_that_is_no_answer_is_an_error() {
    for (kind, body, outcome) in [
        (JSON, "", Outcome::Empty),
        (JSON, "  \n", Outcome::Empty),
        (JSON, "{\"choices\":[]}", Outcome::Empty),
        (JSON, "{\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}", UNAVAILABLE),
        (JSON, "<html>Sign in</html>", Outcome::Malformed),
        ("text/html", "<html>Sign in</html>", Outcome::Malformed),
        ("application/json", "[]", Outcome::Malformed),
        ("application/xml", "<?xml version=\"1.0\"?>", Outcome::Malformed),
        (SSE, "<html>Sign in</html>", Outcome::Malformed),
        ("text/plain", "<html>Sign in</html>", Outcome::Malformed),
        ("text/plain", "upstream connect error", Outcome::Malformed),
        (SSE, "{\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}", UNAVAILABLE),
    ] {
        let error = classify(answer(kind, body.into())).await.expect_err(body);
        assert_eq!(error.outcome(), outcome, "{kind} {body}");
    }
    let mut none = answer(JSON, WHOLE.into());
    *none.status_mut() = StatusCode::NO_CONTENT;
    assert_eq!(classify(none).await.unwrap_err().outcome(), Outcome::Empty);
}

#[tokio::test(start_paused = true)]
async fn the_bytes_decide_not_the_content_type() {
    let stream = [WORD, STOP, USAGE, DONE].concat();
    let kinds = [
        SSE,
        "TEXT/Event-Stream",
        JSON,
        "application/vnd.api+json",
        "text/plain; charset=utf-8",
        "",
        "text/html",
    ];
    for kind in kinds {
        for body in [stream.as_str(), WHOLE, &format!("\u{feff}{WHOLE}")] {
            for request in [chat(), chat_stream()] {
                let (streams, is_stream) = (request.body() != chat().body(), body == stream);
                let mut answer = answer(kind, body.to_owned().into());
                answer.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
                let answer = classify_by(policy(), request, answer).await.unwrap();
                assert_eq!(verdict(&answer), Outcome::Success, "{kind}");
                let now = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
                let length = answer.headers().get(header::CONTENT_LENGTH).is_some();
                let usage = answer.extensions().get::<UsageHandle>().cloned().unwrap();
                let (text, error) = read(answer).await;
                assert_eq!((error, usage.get().map(|it| it.output)), (None, Some(3)), "{kind}");
                assert!(text.contains("word") && text.contains("stop"), "{text}");
                match (streams, is_stream) {
                    (true, true) | (false, false) => {
                        assert_eq!((&*text, &*now, length), (body, kind, true))
                    }
                    (true, false) => {
                        assert!(now.starts_with("text/event-stream") && !length, "{now}");
                        assert!(
                            text.starts_with("data: {") && text.ends_with("data: [DONE]\n\n"),
                            "{text}"
                        );
                    }
                    (false, true) => {
                        assert_eq!((&*now, length), (JSON, false));
                        assert!(text.starts_with('{') && !text.contains("data: "), "{text}");
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_becomes_one_piece_is_judged_as_the_provider_sent_it() {
    for kind in [SSE, JSON, ""] {
        for (steps, outcome) in [
            (&[data(WORD), data(WORD)][..], Outcome::Truncated),
            (&[data(WORD), Break], Outcome::Truncated),
            (&[data(WORD), data(ERROR), Hang], UNAVAILABLE),
            (&[data(WORD), data(BAD), Hang], Outcome::Malformed),
            (&[data(ROLE), data(STOP), data(DONE)], Outcome::Empty),
        ] {
            let answer = answer(kind, body_of(steps));
            let error = classify_by(policy(), chat(), answer).await.unwrap_err();
            assert_eq!(error.outcome(), outcome, "{kind} {steps:?}");
        }
        // The end of the answer is enough: a connection that stays open, or breaks, changes nothing.
        for last in [Hang, Break] {
            let steps = [data(PING), data(WORD), data(WORD), data(STOP), last];
            let answer = answer(kind, body_of(&steps));
            let (text, error) = read(classify_by(policy(), chat(), answer).await.unwrap()).await;
            assert!(text.contains("\"content\":\"wordword\"") && error.is_none(), "{text}");
        }
        let large = answer(kind, body_of(&[data(WORD), data(WORD), data(STOP), data(DONE)]));
        let error = classify_by(policy().collect(150), chat(), large).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Malformed, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_passed_on_where_the_request_does_not_tell_its_form() {
    let coded = chat().map(|_| Bytes::from_static(b"\x28\xb5\x2f\xfd"));
    let stream = [WORD, STOP, DONE].concat();
    let answer = classify_by(policy(), coded, answer(SSE, stream.clone().into())).await.unwrap();
    assert_eq!(read(answer).await, (stream, None));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_asked_for_is_read_though_it_is_labelled_json() {
    let asked = || chat().map(|_| Bytes::from_static(b"{\"stream\":true}"));
    let cut = answer(JSON, body_of(&[data(WORD), data(WORD)]));
    let cut = classify_by(policy(), asked(), cut).await.unwrap();
    assert_eq!(read(cut).await, (WORD.repeat(2), Some(Outcome::Truncated)));
    let failed = answer(JSON, body_of(&[data(ROLE), data(ERROR)]));
    let failed = classify_by(policy(), asked(), failed).await.unwrap_err();
    assert_eq!(failed.outcome(), UNAVAILABLE);
    let cut = answer(JSON, body_of(&[data("\n{\"choices\":"), Break]));
    assert!(classify_by(policy(), asked(), cut).await.unwrap_err().is_truncated());
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_an_unknown_content_coding_is_passed_through_unread() {
    let mut coded = answer(JSON, "\u{1f}\u{8b}".into());
    coded.headers_mut().insert(header::CONTENT_ENCODING, "compress".parse().unwrap());
    assert_eq!(verdict(&classify(coded).await.unwrap()), Outcome::Success);
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_is_passed_through() {
    let small = || policy().collect(50);
    let (one, two) = WHOLE.split_at(60);
    for steps in [&[data(WHOLE)][..], &[data(one), data(two)], &[data(one), data(two), Trailers]] {
        let answer = classify_by(small(), chat(), answer(JSON, body_of(steps))).await.unwrap();
        assert!(answer.body().as_bytes().is_none());
        assert_eq!(read(answer).await, (WHOLE.into(), None));
    }
    let cut = answer(JSON, body_of(&[data(one), Break]));
    let cut = classify_by(small(), chat(), cut).await.unwrap();
    assert_eq!(read(cut).await, (one.into(), Some(Outcome::Truncated)));
}

// === Other paths ===

#[tokio::test(start_paused = true)]
async fn an_answer_to_an_unknown_path_is_passed_through_unread() {
    let models = || http::Request::get("https://api.example/v1/models").body(Bytes::new()).unwrap();
    for (kind, text) in [
        (JSON, "{\"error\":1}"),
        (SSE, ERROR),
        (SSE, WORD),
        ("text/html", "<p>"),
        ("audio/mpeg", ""),
    ] {
        let answer = answer(kind, body_of(&[data(text)]));
        let answer = classify_by(policy(), models(), answer).await.unwrap();
        assert_eq!(verdict(&answer), Outcome::Success);
        assert_eq!(read(answer).await, (text.into(), None));
    }
    // Truncated JSON is not passed on as whole.
    let cut = classify_by(policy(), models(), answer(JSON, body_of(&[data("{"), Break]))).await;
    assert_eq!(cut.unwrap_err().outcome(), Outcome::Truncated);
    let cut =
        classify_by(policy(), models(), answer(SSE, body_of(&[data(WORD), Break]))).await.unwrap();
    assert_eq!(read(cut).await, (WORD.into(), Some(Outcome::Truncated)));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_transport_passes_unchanged() {
    let refused =
        service_fn(|_: Request| async { Err::<Response, _>(Error::new(Outcome::Unreachable)) });
    let error = ClassifyLayer::default().layer(refused).oneshot(chat()).await.unwrap_err();
    assert!(error.is_connect());
}

#[tokio::test(start_paused = true)]
async fn two_nested_layers_behave_as_one() {
    let answer = answer(SSE, body_of(&[data(WORD), data(STOP), data(DONE)]));
    let inner = ClassifyLayer::default().layer(provider(answer));
    let answer = ClassifyLayer::default().layer(inner).oneshot(chat_stream()).await.unwrap();
    assert_eq!(read(answer).await, ([WORD, STOP, DONE].concat(), None));
}

#[tokio::test(start_paused = true)]
async fn an_error_carries_the_attempt_log() {
    for answer in [
        answer(SSE, body_of(&[data(ERROR)])),
        answer(JSON, "{}".into()),
        answer(JSON, body_of(&[Break])),
    ] {
        assert!(classify(answer).await.unwrap_err().attempt_log().is_some());
    }
    let cut = classify(answer(SSE, body_of(&[data(WORD)]))).await.unwrap();
    assert!(cut.into_body().collect().await.unwrap_err().attempt_log().is_some());
}

#[test]
fn a_bound_of_zero_is_refused() {
    for (policy, field) in [
        (policy().hold_events(0), "classify.hold_events"),
        (policy().hold_bytes(0), "classify.hold_bytes"),
        (policy().collect(0), "classify.collect"),
    ] {
        assert_eq!(policy.build().unwrap_err().field(), field);
    }
}
