//! How the layer reads and writes the state of a call, which is not visible from outside.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;
use crate::{
    Error, Request, Response, Upstream,
    breaker::decision_input::CallerInfo,
    context::{AttemptContext, CallContext, ProbeSignal, Route},
    dialect::RequestInfo,
    outcome::Outcome,
};

fn request(model: &str, stream: bool) -> Request {
    let mut request = Request::new(format!(r#"{{"stream":{stream}}}"#).into());
    let info = RequestInfo::read(&request);
    AttemptContext::of(&mut request).set_route(Route::new("provider", model, "team-a"));
    CallContext::set_info(&mut request, info);
    request
}

fn layer() -> BreakerLayer {
    let policy = BreakerPolicy::default().jitter(0.0).consecutive_failures(5);
    policy
        .slow_after(AnswerTimes {
            first_event: Duration::from_secs(8),
            whole_answer: Duration::from_secs(16),
        })
        .build()
        .expect("valid")
}

/// Fails for the model `sick`, and answers after nine seconds for all others.
async fn provider(mut request: Request) -> Result<Response, Error> {
    if AttemptContext::route(&mut request).model() == "sick" {
        return Ok(http::Response::builder().status(500).body("no".into()).expect("a response"));
    }
    sleep(Duration::from_secs(9)).await;
    Ok(Response::default())
}

async fn open(service: &impl Upstream) {
    for _ in 0..5 {
        let _ = service.clone().oneshot(request("sick", true)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_other_model_of_the_key_answers_while_one_is_closed_to_calls() {
    let layer = layer();
    let service = layer.layer(service_fn(provider));
    open(&service).await;
    assert!(service.clone().oneshot(request("sick", true)).await.is_err());
    assert!(service.clone().oneshot(request("well", true)).await.is_ok());
    assert_eq!(layer.handle().list().len(), 2);
}

/// A request with a signal, and that signal.
fn signalled(model: &str) -> (Request, ProbeSignal) {
    let (mut request, signal) = (request(model, true), ProbeSignal::default());
    AttemptContext::of(&mut request).probe_signal = Some(signal.clone());
    (request, signal)
}

#[tokio::test(start_paused = true)]
async fn the_signal_is_raised_while_a_probe_is_under_way() {
    let mut service = layer().layer(service_fn(provider));
    open(&service).await;
    tokio::time::advance(Duration::from_secs(5)).await;

    for dropped in [true, false] {
        let (request, signal) = signalled("sick");
        assert!(signal.probe().is_none());
        let mut call = Box::pin(service.call(request));
        assert_eq!(signal.probe().expect("it is the probe").route.model(), "sick");
        if dropped {
            drop(call);
            tokio::time::advance(Duration::from_secs(5)).await;
        } else {
            assert!(call.as_mut().await.is_ok());
        }
        assert!(signal.probe().is_none(), "not later, when the future is dropped");
    }

    let (other, signal) = signalled("well");
    let call = service.call(other);
    assert!(signal.probe().is_none(), "a call like any other");
    drop(call);
}

#[tokio::test(start_paused = true)]
async fn only_the_attempt_that_is_the_probe_is_marked_as_one() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let marks = seen.clone();
    let inner = service_fn(move |mut request: Request| {
        marks.lock().expect("no test panics with it").push(AttemptContext::of(&mut request).probe);
        provider(request)
    });
    let service = layer().layer(inner);
    open(&service).await;
    tokio::time::advance(Duration::from_secs(5)).await;
    let own = request("sick", true);
    let mut kept = own.clone();
    let _ = service.oneshot(own).await;
    let marks = seen.lock().expect("no test panics with it").clone();
    assert_eq!(marks, [false, false, false, false, false, true]);
    assert!(
        !AttemptContext::of(&mut kept).probe,
        "the request that is kept for other attempts is none"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_slow_depends_on_whether_the_answer_is_streamed() {
    for (stream, state) in [(true, CircuitState::Open), (false, CircuitState::Closed)] {
        let layer = layer();
        let service = layer.layer(service_fn(provider));
        let calls = (0..10).map(|_| service.clone().oneshot(request("late", stream)));
        futures_util::future::join_all(calls).await;
        assert_eq!(layer.handle().list()[0].1.state, state);
    }
}

/// The number of calls, of 30 with another target, that are sent there while one attempt a second is made and each `nth` fails.
/// `saved`: a retry saves its call.
fn spared(breaker: &CircuitBreaker, now: &mut Instant, (nth, saved): (u32, bool)) -> usize {
    let outcome = Outcome::Unavailable { wait: None };
    let call = |n: u32| {
        *now += Duration::from_secs(1);
        let caller = CallerInfo { elsewhere: true, ..CallerInfo::default() };
        let spared = breaker.ask(*now, 0.5, caller).map_or(true, |permit| {
            permit.record(Outcome::NotSent { retry_in: None }, *now);
            false
        });
        let permit = breaker.ask(*now, 0.5, CallerInfo::default()).expect("it has no other target");
        match n % nth {
            0 if saved => permit.fail(outcome, *now).forgive(),
            0 => permit.record(outcome, *now),
            _ => permit.record(Outcome::Success, *now),
        }
        spared
    };
    (0..30).map(call).filter(|spared| *spared).count()
}

#[tokio::test(start_paused = true)]
async fn a_route_at_which_a_third_of_the_calls_fail_is_asked_after_the_others() {
    let breaker = CircuitBreaker::new(BreakerPolicy::default()).expect("valid");
    let mut now = Instant::now();
    let mut spared = |nth, saved| spared(&breaker, &mut now, (nth, saved));
    assert_eq!((0..8).map(|_| spared(2, true)).sum::<usize>(), 0, "retries save every call");
    assert_eq!((0..8).map(|_| spared(8, false)).sum::<usize>(), 0, "one call in eight");
    let third: usize = (0..8).map(|_| spared(3, false)).sum();
    assert!(third > 8 * 8, "{third} of 240");
    spared(8, false);
    assert_eq!(spared(8, false), 0, "until it fails few");
    assert_eq!(breaker.snapshot(now).state, CircuitState::Closed);
}
