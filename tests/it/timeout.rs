//! The timeout and deadline layers over services in process, on a paused clock.
//!
//! The timers of a body and of a streamed attempt are tested beside their code. Sequences from other test suites are included for
//! rules with the same meaning here. These are left out:
//!
//! - failsafe-go, retries of timeouts: evenkeel has none
//! - Polly, limits of zero and infinity: rejected when built, or used as they are
//! - Finagle, refusals: a deadline that has passed leaves time for answers that need none, without a quota
//! - .NET extensions, sampling and the sum of waits: breakers decide by counts, and waits beyond the deadline are skipped

use std::{
    future::{pending, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Body, Error, Request, Response, Upstream,
    context::Deadline,
    outcome::{Outcome, Phase, Rejection},
    retry::RetryPolicy,
    telemetry::EventKind,
    timeout::{DeadlinePolicy, TimeoutPolicy},
};
use http::HeaderName;
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{EventLog, channel_body, secs, with_deadline};

/// A service that answers after `wait`, and the number of its attempts.
fn after(wait: Duration) -> (Arc<AtomicU32>, impl Upstream) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let service = service_fn(move |_: Request| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            sleep(wait).await;
            Ok::<_, Error>(Response::new(Body::from("well")))
        }
    });
    (asked, service)
}

fn timeouts(log: &EventLog) -> Vec<(Phase, Duration)> {
    let timeout = |event| match event {
        EventKind::TimedOut { phase, after, .. } => Some((phase, after)),
        _ => None,
    };
    log.events().into_iter().filter_map(timeout).collect()
}

fn phase(result: Result<Response, Error>) -> Phase {
    match result.expect_err("it fails").outcome() {
        Outcome::TimedOut { phase } => phase,
        other => panic!("{other}"),
    }
}

// === attempts ===

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_ended_and_emits_one_event() {
    let log = EventLog::default();
    let layer = TimeoutPolicy::new().attempt(secs(2)).build().unwrap().events(log.sink());
    let start = Instant::now();
    let result = layer.layer(after(secs(4)).1).oneshot(Request::default()).await;
    assert_eq!((phase(result), start.elapsed().as_secs()), (Phase::Attempt, 2));
    assert_eq!(timeouts(&log), [(Phase::Attempt, secs(2))]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_is_no_timeout() {
    let log = EventLog::default();
    let layer = TimeoutPolicy::new().build().unwrap().events(log.sink());
    let outer = DeadlinePolicy::new().build().unwrap().events(log.sink());
    let service = outer.layer(layer.layer(after(secs(10)).1));
    let call = service.oneshot(Request::default());
    assert!(tokio::time::timeout(secs(1), call).await.is_err());
    assert!(timeouts(&log).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_returned_unchanged() {
    let layer = TimeoutPolicy::new().build().unwrap();
    let response = layer.layer(after(secs(19)).1).oneshot(Request::default()).await.unwrap();
    assert_eq!(response.body().as_bytes(), Some(&b"well"[..]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_limit_is_returned() {
    let layer = TimeoutPolicy::new().attempt(secs(2)).build().unwrap();
    assert!(layer.layer(after(secs(2)).1).oneshot(Request::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_what_is_left_until_the_deadline() {
    let log = EventLog::default();
    let layer = TimeoutPolicy::new().build().unwrap().events(log.sink());
    let start = Instant::now();
    let result =
        layer.layer(after(secs(60)).1).oneshot(with_deadline(Request::default(), secs(7))).await;
    assert_eq!((phase(result), start.elapsed().as_secs()), (Phase::Deadline, 7));
    assert_eq!(timeouts(&log), [(Phase::Deadline, secs(7))]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_cannot_finish_is_not_started() {
    let (asked, service) = after(Duration::ZERO);
    let layer = TimeoutPolicy::new().build().unwrap();
    let start = Instant::now();
    let result =
        layer.layer(service).oneshot(with_deadline(Request::default(), Duration::ZERO)).await;
    assert_eq!((phase(result), start.elapsed()), (Phase::Deadline, Duration::ZERO));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn the_attempt_is_dropped_the_moment_its_time_is_over() {
    struct Flag(Arc<Mutex<Option<Instant>>>);
    impl Drop for Flag {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = Some(Instant::now());
        }
    }
    let dropped = Arc::new(Mutex::new(None));
    let flag = dropped.clone();
    let silent = service_fn(move |_: Request| {
        let flag = Flag(flag.clone());
        async move {
            let _flag = flag;
            pending::<Result<Response, Error>>().await
        }
    });
    let layer = TimeoutPolicy::new().attempt(secs(3)).build().unwrap();
    let start = Instant::now();
    let mut call = Box::pin(layer.layer(silent).oneshot(Request::default()));
    assert!(call.as_mut().await.is_err());
    // The future is still held, but the inner future was dropped.
    let at = *dropped.lock().unwrap();
    let at = at.expect("the attempt is dropped");
    assert_eq!((at - start).as_secs(), 3);
    drop(call);
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_transport_are_returned_unchanged() {
    let refused = service_fn(|_: Request| {
        ready(Err::<Response, _>(Error::new(Outcome::Unreachable).with_source("refused")))
    });
    let service = ServiceBuilder::new()
        .layer(DeadlinePolicy::new().build().unwrap())
        .layer(TimeoutPolicy::new().build().unwrap())
        .service(refused);
    let error = service.oneshot(Request::default()).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "refused");
}

// === the header ===

async fn told(policy: TimeoutPolicy, request: Request) -> Option<String> {
    let seen = Arc::new(Mutex::new(None));
    let into = seen.clone();
    let service = service_fn(move |request: Request| {
        let value = request.headers().get("x-time-left-ms").map(|it| it.to_str().unwrap().into());
        *into.lock().unwrap() = value;
        ready(Ok::<_, Error>(Response::default()))
    });
    policy.build().unwrap().layer(service).oneshot(request).await.unwrap();
    seen.lock().unwrap().take()
}

#[tokio::test(start_paused = true)]
async fn the_remaining_time_is_sent_in_a_header_where_configured() {
    let with = TimeoutPolicy::new().header(HeaderName::from_static("x-time-left-ms"));
    let request = with_deadline(Request::default(), Duration::from_millis(1200));
    sleep(secs(1)).await;
    assert_eq!(told(with.clone(), request).await.as_deref(), Some("200"));
    assert_eq!(told(with, Request::default()).await.as_deref(), Some("20000"));
    assert_eq!(told(TimeoutPolicy::new(), with_deadline(Request::default(), secs(1))).await, None);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_remaining_time_in_the_header() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    let service = service_fn(move |request: Request| {
        let value = request.headers()["x-time-left-ms"].to_str().unwrap().to_owned();
        into.lock().unwrap().push(value);
        ready(Err::<Response, _>(Error::new(Outcome::Unreachable)))
    });
    let policy = TimeoutPolicy::new().header(HeaderName::from_static("x-time-left-ms"));
    let service = ServiceBuilder::new()
        .layer(RetryPolicy::new().schedule(|| [secs(2), secs(3)].into_iter()).build().unwrap())
        .layer(policy.build().unwrap())
        .service(service);
    service.oneshot(with_deadline(Request::default(), secs(10))).await.unwrap_err();
    assert_eq!(*seen.lock().unwrap(), ["10000", "8000", "5000"]);
}

// === bodies ===

#[tokio::test(start_paused = true)]
async fn the_limit_does_not_end_at_the_headers() {
    let (body, sender) = channel_body();
    sender.send(Bytes::from_static(b"half")).unwrap();
    let body = Arc::new(Mutex::new(Some(body)));
    let service = service_fn(move |_: Request| {
        let body = body.lock().unwrap().take().expect("one attempt");
        ready(Ok::<_, Error>(Response::new(body)))
    });
    let log = EventLog::default();
    let layer = TimeoutPolicy::new().build().unwrap().events(log.sink());
    let start = Instant::now();
    let response = layer.layer(service).oneshot(Request::default()).await.unwrap();
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Idle });
    assert!(error.attempt_log().is_some());
    assert_eq!(start.elapsed().as_secs(), 15);
    assert_eq!(timeouts(&log), [(Phase::Idle, secs(15))]);
    drop(sender);
}

#[tokio::test(start_paused = true)]
async fn a_stream_longer_than_every_limit_goes_on() {
    let (body, sender) = channel_body();
    tokio::spawn(async move {
        for _ in 0..60 {
            sleep(secs(10)).await;
            sender.send(Bytes::from_static(b"word ")).unwrap();
        }
    });
    let body = Arc::new(Mutex::new(Some(body)));
    let service = service_fn(move |_: Request| {
        let body = body.lock().unwrap().take().expect("one attempt");
        ready(Ok::<_, Error>(Response::new(body)))
    });
    let log = EventLog::default();
    let service = ServiceBuilder::new()
        .layer(DeadlinePolicy::new().build().unwrap().events(log.sink()))
        .layer(TimeoutPolicy::new().build().unwrap().events(log.sink()))
        .service(service);
    let start = Instant::now();
    let response = service.oneshot(Request::default()).await.unwrap();
    let whole = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!((whole.len(), start.elapsed().as_secs()), (300, 600));
    assert!(timeouts(&log).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_whole_stream_is_bounded_from_the_start_of_its_attempt() {
    let service = service_fn(|_: Request| async {
        sleep(secs(8)).await;
        let (body, sender) = channel_body();
        tokio::spawn(async move {
            for _ in 0..100 {
                let _ = sender.send(Bytes::from_static(b"word "));
                sleep(secs(1)).await;
            }
        });
        Ok::<_, Error>(Response::new(body))
    });
    let log = EventLog::default();
    let policy = TimeoutPolicy::new().stream_total(secs(30));
    let layer = policy.build().unwrap().events(log.sink());
    let start = Instant::now();
    let response = layer.layer(service).oneshot(Request::default()).await.unwrap();
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Stream });
    assert_eq!(start.elapsed().as_secs(), 30);
    assert_eq!(timeouts(&log), [(Phase::Stream, secs(30))]);
}

// === the deadline ===

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline() {
    let log = EventLog::default();
    let layer = DeadlinePolicy::new().build().unwrap().events(log.sink());
    let start = Instant::now();
    let result = layer.layer(after(secs(600)).1).oneshot(Request::default()).await;
    assert_eq!((phase(result), start.elapsed().as_secs()), (Phase::Deadline, 30));
    assert_eq!(timeouts(&log), [(Phase::Deadline, secs(30))]);
}

#[tokio::test(start_paused = true)]
async fn a_callers_own_deadline_holds_sooner_or_later() {
    let layer = DeadlinePolicy::new().build().unwrap();
    for limit in [3, 300] {
        let start = Instant::now();
        let result = layer
            .layer(after(secs(600)).1)
            .oneshot(with_deadline(Request::default(), secs(limit)))
            .await;
        assert_eq!((phase(result), start.elapsed().as_secs()), (Phase::Deadline, limit));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_within_a_call_ends_by_the_sooner_deadline() {
    for (outer, inner, first) in [(5, 30, 5), (30, 5, 5)] {
        let layer = |limit| DeadlinePolicy::new().limit(secs(limit)).build().unwrap();
        let service = ServiceBuilder::new()
            .layer(layer(outer))
            .layer(layer(inner))
            .service(after(secs(600)).1);
        let start = Instant::now();
        let result = service.oneshot(Request::default()).await;
        assert_eq!((phase(result), start.elapsed().as_secs()), (Phase::Deadline, first));
    }
}

#[tokio::test(start_paused = true)]
async fn the_shorter_of_two_limits_fires_once() {
    let log = EventLog::default();
    let ms = Duration::from_millis;
    let deadline = DeadlinePolicy::new().limit(ms(500)).build().unwrap();
    let attempt = TimeoutPolicy::new().attempt(ms(100)).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(deadline.events(log.sink()))
        .layer(attempt.events(log.sink()))
        .service(after(secs(600)).1);
    let start = Instant::now();
    assert_eq!(phase(service.oneshot(Request::default()).await), Phase::Attempt);
    assert_eq!(start.elapsed().as_millis(), 100);
    assert_eq!(timeouts(&log), [(Phase::Attempt, ms(100))]);
}

#[tokio::test(start_paused = true)]
async fn an_inner_timeout_at_the_deadline_precedes_the_deadline() {
    // An attempt that ends with the deadline is reported as an attempt, so that a last fallback can still answer.
    let log = EventLog::default();
    let inner = TimeoutPolicy::new().attempt(secs(60)).first_event(secs(60)).build().unwrap();
    let inner = inner.layer(after(secs(600)).1);
    let canned = service_fn(move |request: Request| {
        let inner = inner.clone();
        async move {
            let first = inner.oneshot(request).await;
            first.or_else(|_| Ok::<_, Error>(Response::new(Body::from("canned"))))
        }
    });
    let outer = DeadlinePolicy::new().build().unwrap().events(log.sink());
    let start = Instant::now();
    let response = outer.layer(canned).oneshot(Request::default()).await.unwrap();
    assert_eq!(response.body().as_bytes(), Some(&b"canned"[..]));
    assert_eq!(start.elapsed().as_secs(), 30);
    assert!(timeouts(&log).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_leaves_time_for_answers_that_need_none() {
    let canned =
        service_fn(|_: Request| ready(Ok::<_, Error>(Response::new(Body::from("canned")))));
    let layer = DeadlinePolicy::new().build().unwrap();
    assert!(
        layer
            .layer(canned)
            .oneshot(with_deadline(Request::default(), Duration::ZERO))
            .await
            .is_ok()
    );
    let start = Instant::now();
    let result = layer
        .layer(after(secs(1)).1)
        .oneshot(with_deadline(Request::default(), Duration::ZERO))
        .await;
    assert_eq!((phase(result), start.elapsed().as_millis()), (Phase::Deadline, 0));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_a_wait_for_a_retry_and_keeps_the_attempt_log() {
    let (_, service) = after(secs(600));
    let service = ServiceBuilder::new()
        .layer(DeadlinePolicy::new().build().unwrap())
        .layer(RetryPolicy::new().build().unwrap())
        .service(service);
    let error = service.oneshot(Request::default()).await.unwrap_err();
    let attempt_log = error.attempt_log().unwrap().attempts();
    assert_eq!(attempt_log.len(), 1);
    assert_eq!(
        (attempt_log[0].outcome, attempt_log[0].took.as_secs()),
        (Outcome::TimedOut { phase: Phase::Deadline }, 30)
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_past_the_end_of_time_is_far_away() {
    let layer = DeadlinePolicy::new().limit(Duration::MAX).build().unwrap();
    let forever = TimeoutPolicy::new().attempt(Duration::MAX).idle(Duration::MAX).build().unwrap();
    let service = ServiceBuilder::new().layer(layer).layer(forever).service(after(secs(86_400)).1);
    assert!(service.oneshot(Request::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_header_sets_the_deadline_of_one_call_and_is_not_forwarded() {
    let upstream = service_fn(|request: Request| async move {
        assert!(!request.headers().contains_key("evenkeel-deadline-ms"));
        std::future::pending::<Result<Response, Error>>().await
    });
    let service = DeadlinePolicy::new().build().unwrap().layer(upstream);
    let after = async |header: Option<&'static str>, own: Option<u64>| {
        let mut request = Request::default();
        if let Some(value) = header {
            request.headers_mut().insert("evenkeel-deadline-ms", value.parse().unwrap());
        }
        if let Some(secs) = own {
            request.extensions_mut().insert(Deadline::within(Duration::from_secs(secs)));
        }
        let start = Instant::now();
        assert!(service.clone().oneshot(request).await.unwrap_err().is_timeout());
        start.elapsed().as_secs()
    };
    assert_eq!(after(Some("8000"), None).await, 8);
    assert_eq!(after(Some(" 90000 "), None).await, 90);
    assert_eq!((after(Some("8000"), Some(5)).await, after(Some("4000"), Some(5)).await), (5, 4));
    assert_eq!(after(None, None).await, 30);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_deadline_header_is_refused_by_name() {
    for value in ["", "0", "-1", "soon", "1.5", "99999999999999999999999"] {
        let upstream = service_fn(|_: Request| async { Err(Error::new(Outcome::Unreachable)) });
        let service = DeadlinePolicy::new().build().unwrap().layer(upstream);
        let mut request = Request::default();
        request.headers_mut().insert("evenkeel-deadline-ms", value.parse().unwrap());
        let error = service.oneshot(request).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Rejected { why: Rejection::Request }, "{value}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.starts_with("evenkeel-deadline-ms is"), "{source}");
    }
}
