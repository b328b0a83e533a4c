//! The breaker as a layer, over services in this process.

use std::{
    collections::VecDeque,
    future::{Future, Ready, pending, ready},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use evenkeel::{
    Body, BoxError, Error, Request, Response, Upstream,
    breaker::{BreakerLayer, TransitionReason},
    context::{Deadline, Route},
    outcome::Phase,
    telemetry::{Event, EventKind, EventSink},
};
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::{advance, sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;

use crate::support::{EventLog, NeverReady, StrictReadiness};

/// The provider's reaction to a call.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answers,
    /// Answers after that time, in ms.
    AnswersAfter(u64),
    /// Answers with this status.
    Status(u16),
    /// Begins a stream and completes it.
    Streams,
    /// Begins a stream that breaks half-way.
    Breaks,
    /// Begins a stream that never ends.
    Drips,
    Hangs,
    FailsWith(Outcome),
}

/// A provider that reacts as configured, and counts the calls that reach it.
#[derive(Clone)]
struct Provider {
    script: Arc<Mutex<VecDeque<Does>>>,
    calls: Arc<AtomicU32>,
    does: Arc<Mutex<Does>>,
}

impl Provider {
    fn new(does: Does) -> Self {
        let does = Arc::new(Mutex::new(does));
        Self { script: Arc::default(), calls: Arc::default(), does }
    }

    fn now_does(&self, does: Does) {
        *self.does.lock().expect("nobody panicked") = does;
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    async fn answer(self) -> Result<Response, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let scripted = self.script.lock().expect("nobody panicked").pop_front();
        let does = scripted.unwrap_or(*self.does.lock().expect("nobody panicked"));
        let word = || Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"word ")));
        let body = match does {
            Does::Answers => Body::from("hello"),
            Does::AnswersAfter(millis) => {
                sleep(ms(millis)).await;
                Body::from("hello")
            }
            Does::Status(status) => {
                let mut response = Response::new(Body::from("no"));
                *response.status_mut() = status.try_into().expect("a status");
                return Ok(response);
            }
            Does::Streams => Body::wrap(StreamBody::new(stream::iter([word(), word()]))),
            Does::Breaks => {
                let broken = Err::<Frame<Bytes>, BoxError>("connection reset".into());
                Body::wrap(StreamBody::new(stream::iter([word(), broken])))
            }
            Does::Drips => {
                let words = stream::unfold((), move |()| async move {
                    sleep(ms(1000)).await;
                    Some((word(), ()))
                });
                Body::wrap(StreamBody::new(Box::pin(words)))
            }
            Does::Hangs => pending().await,
            Does::FailsWith(outcome) => return Err(Error::new(outcome)),
        };
        Ok(Response::new(body))
    }

    fn behind(&self, layer: &BreakerLayer) -> impl Upstream + use<> {
        let provider = self.clone();
        layer.layer(service_fn(move |_: Request| provider.clone().answer()))
    }
}

fn layer() -> BreakerLayer {
    policy().build().expect("valid")
}

fn request() -> Request {
    let uri = "https://api.test/v1/chat/completions";
    http::Request::post(uri).body(Bytes::new()).expect("a request")
}

/// Makes one call, and returns its whole body.
async fn call(service: &impl Upstream) -> Result<Bytes, Error> {
    let response = service.clone().oneshot(request()).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

async fn calls(service: &impl Upstream, times: u32) {
    for _ in 0..times {
        let _ = call(service).await;
    }
}

/// The snapshot of the layer's only breaker.
fn shown(layer: &BreakerLayer) -> BreakerSnapshot {
    let list = layer.handle().list();
    assert_eq!(list.len(), 1);
    list[0].1
}

fn state(layer: &BreakerLayer) -> CircuitState {
    shown(layer).state
}

/// A layer whose breaker is open, over a provider that is healthy again.
async fn opened() -> (BreakerLayer, Provider, impl Upstream) {
    let layer = layer();
    let provider = Provider::new(Does::Status(503));
    let service = provider.behind(&layer);
    calls(&service, 5).await;
    assert_eq!(state(&layer), CircuitState::Open);
    provider.now_does(Does::Answers);
    (layer, provider, service)
}

/// Polls once, without a waker.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn a_refusal_sends_nothing_and_states_the_wait() {
    let (layer, provider, service) = opened().await;
    advance(secs(2)).await;
    let error = call(&service).await.expect_err("refused");
    assert!(error.is_refused());
    assert_eq!(error.retry_in(), Some(secs(3)));
    assert_eq!(provider.calls(), 5);
    assert_eq!(shown(&layer).probe_in, Some(secs(3)));
}

#[tokio::test(start_paused = true)]
async fn the_breaker_recovers_step_by_step_once_the_provider_answers() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    assert_eq!(state(&layer), CircuitState::HalfOpen);
    assert!(call(&service).await.is_ok());
    assert!(call(&service).await.is_ok());
    assert_eq!(state(&layer), CircuitState::Recovering);
    calls(&service, 20).await;
    assert_eq!(provider.calls(), 5 + 2 + 2);
    advance(secs(20)).await;
    calls(&service, 20).await;
    assert_eq!(provider.calls(), 9 + 20);
    assert_eq!(state(&layer), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_any_time_is_not_sent_and_is_no_probe() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    for _ in 0..20 {
        let mut late = request();
        late.extensions_mut().insert(Deadline::at(Instant::now()));
        assert!(service.clone().oneshot(late).await.is_err_and(|error| error.is_timeout()));
    }
    assert_eq!((provider.calls(), state(&layer)), (5, CircuitState::HalfOpen));
    assert!(call(&service).await.is_ok(), "the probe is still to be had");
}

#[tokio::test(start_paused = true)]
async fn calls_with_short_deadlines_do_not_open_the_route_for_others() {
    let late = Outcome::TimedOut { phase: Phase::Deadline };
    for (given, opens) in [(200, false), (1500, false), (15_999, false), (16_000, true)] {
        let rig = Rig::new(policy().slow_ratio(None));
        let permits: Vec<_> = (0..20).map(|n| rig.permit(n * 100)).collect();
        for (n, permit) in (0..).zip(permits) {
            permit.record(late, rig.at(n * 100 + given));
        }
        assert_eq!(rig.state(2000 + given) != CircuitState::Closed, opens, "{given} ms");
    }
    // Any other limit is evenkeel's limit on the provider.
    let rig = Rig::new(policy());
    rig.records(0, Outcome::TimedOut { phase: Phase::Attempt }, 5);
    assert_eq!(rig.state(0), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn probes_return_their_permits() {
    let (layer, _, service) = opened().await;
    for _ in 0..3 {
        advance(secs(5)).await;
        calls(&service, 1).await;
    }
    assert_eq!(state(&layer), CircuitState::Recovering);
}

#[tokio::test(start_paused = true)]
async fn a_hung_probe_does_not_block_recovery() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    provider.now_does(Does::Hangs);
    let hung = tokio::spawn(service.clone().oneshot(request()));
    sleep(ms(1)).await;
    provider.now_does(Does::Answers);
    assert!(call(&service).await.is_err());
    advance(secs(20)).await;
    assert_eq!(shown(&layer).opened_by, Some(TransitionReason::ProbeHung));
    advance(secs(10)).await;
    assert!(call(&service).await.is_ok() && call(&service).await.is_ok());
    assert_eq!(state(&layer), CircuitState::Recovering);
    hung.abort();
    assert!(hung.await.is_err());
    assert_eq!(state(&layer), CircuitState::Recovering);
}

#[tokio::test(start_paused = true)]
async fn a_call_from_before_the_trip_is_no_probe() {
    let layer = layer();
    let provider = Provider::new(Does::AnswersAfter(6000));
    let service = provider.behind(&layer);
    let old: Vec<_> = (0..3).map(|_| tokio::spawn(service.clone().oneshot(request()))).collect();
    sleep(ms(1)).await;
    provider.now_does(Does::Status(500));
    calls(&service, 5).await;
    advance(secs(5)).await;
    assert_eq!(state(&layer), CircuitState::HalfOpen);
    for call in old {
        assert!(call.await.expect("not aborted").is_ok());
    }
    assert_eq!(state(&layer), CircuitState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn calls_cancelled_by_an_outer_timeout_count() {
    let layer = policy()
        .slow_after(AnswerTimes { first_event: secs(8), whole_answer: secs(8) })
        .build()
        .expect("valid");
    let provider = Provider::new(Does::Hangs);
    let service = provider.behind(&layer);
    let timeouts = (0..200).map(|_| tokio::time::timeout(secs(10), call(&service)));
    let ended = futures_util::future::join_all(timeouts).await;
    assert!(ended.iter().all(Result::is_err));
    assert_eq!(shown(&layer).opened_by, Some(TransitionReason::Slow));
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_keeps_the_breaker_open() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    provider.now_does(Does::AnswersAfter(16_001));
    assert!(call(&service).await.is_ok(), "the caller has the answer all the same");
    assert_eq!(shown(&layer).opened_by, Some(TransitionReason::ProbeSlow));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_ready_at_the_first_poll_although_the_inner_service_is_not() {
    let layer = layer();
    let mut service = layer.layer(NeverReady);
    assert!(poll_once(service.clone().oneshot(request())).is_pending());
    let (route, _) = layer.handle().list().pop().expect("one");
    layer.handle().force_open(&route);
    let ready = poll_once(service.ready());
    assert!(matches!(ready, Poll::Ready(Ok(_))));
    let refused = poll_once(service.call(request()));
    assert!(matches!(refused, Poll::Ready(Err(error)) if error.is_refused()));
}

#[tokio::test(start_paused = true)]
async fn each_state_change_starts_from_the_state_before() {
    let layer = layer();
    let mut changes = layer.handle().watch();
    let provider = Provider::new(Does::Status(503));
    let service = provider.behind(&layer);
    calls(&service, 5).await;
    advance(secs(5)).await;
    calls(&service, 1).await;
    provider.now_does(Does::Answers);
    advance(secs(10)).await;
    calls(&service, 3).await;
    advance(secs(20)).await;
    // The state of its only route.
    assert_eq!(state(&layer), CircuitState::Closed);

    let mut last = (0, CircuitState::Closed);
    let mut causes = Vec::new();
    while let Poll::Ready(change) = poll_once(changes.next()) {
        let change = change.expect("the layer is there");
        assert_eq!((change.number, change.from), (last.0 + 1, last.1));
        assert_ne!(change.from, change.to);
        last = (change.number, change.to);
        causes.push((change.to, change.reason, change.lasts));
    }
    let expected = [
        (CircuitState::Open, TransitionReason::Consecutive, Some(secs(5))),
        (CircuitState::HalfOpen, TransitionReason::Waited, None),
        (CircuitState::Open, TransitionReason::ProbeFailed, Some(secs(10))),
        (CircuitState::HalfOpen, TransitionReason::Waited, None),
        (CircuitState::Recovering, TransitionReason::ProbesPassed, None),
        (CircuitState::Closed, TransitionReason::Recovered, None),
    ];
    assert_eq!(causes, expected);
}

#[tokio::test(start_paused = true)]
async fn the_decision_is_made_at_the_call_not_when_ready() {
    let (layer, provider, service) = opened().await;
    let mut early = service.clone();
    assert!(early.ready().await.is_ok(), "nothing is promised by this");
    advance(secs(5)).await;
    assert!(early.call(request()).await.is_ok(), "what was ready while it was open passes now");

    let mut early = service.clone();
    assert!(early.ready().await.is_ok());
    let (route, _) = layer.handle().list().pop().expect("one");
    layer.handle().force_open(&route);
    let sent = provider.calls();
    assert!(early.call(request()).await.is_err_and(|error| error.is_refused()));
    assert_eq!(provider.calls(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_503_that_is_ok_is_a_failure() {
    let layer = layer();
    let service = Provider::new(Does::Status(503)).behind(&layer);
    for _ in 0..5 {
        assert!(call(&service).await.is_ok(), "handed on as it came");
    }
    assert_eq!(shown(&layer).opened_by, Some(TransitionReason::Consecutive));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_dies_half_way_is_a_failure() {
    let layer = layer();
    let service = Provider::new(Does::Breaks).behind(&layer);
    for _ in 0..5 {
        assert_eq!(state_or_closed(&layer), CircuitState::Closed);
        assert!(call(&service).await.is_err_and(|error| error.is_truncated()));
    }
    assert_eq!(shown(&layer).opened_by, Some(TransitionReason::Consecutive));
}

fn state_or_closed(layer: &BreakerLayer) -> CircuitState {
    layer.handle().list().first().map_or(CircuitState::Closed, |(_, shown)| shown.state)
}

#[tokio::test(start_paused = true)]
async fn whole_streams_and_dropped_ones_are_successes() {
    let layer = layer();
    let provider = Provider::new(Does::Streams);
    let service = provider.behind(&layer);
    calls(&service, 3).await;
    provider.now_does(Does::Drips);
    let dripping = service.clone().oneshot(request()).await.expect("begun");
    assert_eq!(shown(&layer).calls, 3, "not before it has ended");
    drop(dripping);
    assert_eq!((shown(&layer).calls, shown(&layer).failure_ratio), (4, Some(0.0)));
}

#[tokio::test(start_paused = true)]
async fn half_open_admits_one_of_a_thousand_calls() {
    let (_, provider, service) = opened().await;
    advance(secs(5)).await;
    provider.now_does(Does::AnswersAfter(500));
    let ended = futures_util::future::join_all((0..1000).map(|_| call(&service))).await;
    assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 1);
    assert_eq!(provider.calls(), 5 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_is_not_lost() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    provider.now_does(Does::Hangs);
    let cancelled = tokio::time::timeout(secs(1), call(&service)).await;
    assert!(cancelled.is_err());
    assert_eq!(
        (state(&layer), shown(&layer).probes),
        (CircuitState::HalfOpen, 0),
        "its place is free"
    );
    provider.now_does(Does::Answers);
    assert!(call(&service).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_never_polled_is_not_lost() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    (0..3).for_each(|_| drop(service.clone().call(request())));
    assert_eq!(provider.calls(), 5);
    assert_eq!(shown(&layer).opened_by, Some(TransitionReason::ProbeDropped));
}

#[tokio::test(start_paused = true)]
async fn a_listener_may_call_the_breaker_back() {
    let layer = policy().build().expect("valid");
    let breakers = layer.handle();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let listener = move |event: &Event| {
        if let EventKind::BreakerChanged { route, to, .. } = &event.kind {
            // Each of these takes the lock of the breaker, and one of them changes its state.
            let shown = breakers.of(route).snapshot(Instant::now());
            assert_eq!(breakers.list().len(), 1);
            if *to == CircuitState::Open {
                breakers.force_closed(route);
            }
            told.lock().expect("nobody panicked").push((*to, shown.state));
        }
    };
    let layer = layer.events(EventSink::new(listener));
    let service = Provider::new(Does::Status(503)).behind(&layer);
    calls(&service, 9).await;
    assert_eq!(state(&layer), CircuitState::ForcedClosed);
    let seen = seen.lock().expect("nobody panicked").clone();
    assert_eq!(
        seen,
        [
            (CircuitState::ForcedClosed, CircuitState::ForcedClosed),
            (CircuitState::Open, CircuitState::Open),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn another_model_of_the_same_key_is_healthy() {
    let breakers = layer().handle();
    let sick = Route::new("provider", "large", "team-a");
    let well = Route::new("provider", "small", "team-a");
    let now = Instant::now();
    for _ in 0..5 {
        breakers.of(&sick).try_acquire(now, 0.5).expect("closed").record(FAILED, now);
    }
    assert!(breakers.of(&sick).try_acquire(now, 0.5).is_err());
    let permit = breakers.of(&well).try_acquire(now, 0.5);
    assert!(permit.is_ok());
}

#[tokio::test(start_paused = true)]
async fn events_carry_the_cause_and_the_open_time() {
    let log = EventLog::default();
    let layer = layer().events(log.sink());
    let wait = Some(secs(45));
    let quota = Outcome::QuotaExhausted { wait };
    let service = Provider::new(Does::FailsWith(quota)).behind(&layer);
    calls(&service, 2).await;
    assert_eq!(log.names(), ["breaker_changed", "breaker_refused"]);
    let changed = log.events().into_iter().find_map(|event| match event {
        EventKind::BreakerChanged { from, to, reason, lasts, .. } => {
            Some(([from.to_string(), to.to_string(), reason.to_string()], lasts))
        }
        _ => None,
    });
    assert_eq!(changed, Some((["closed", "open", "exhausted"].map(String::from), wait)));
    let refused = log.events().into_iter().find_map(|event| match event {
        EventKind::BreakerRefused { retry_in, .. } => Some(retry_in),
        _ => None,
    });
    assert_eq!(refused, wait);
}

/// Callers may use credentials that evenkeel does not see. A wrong one must not open the breaker for all callers.
#[tokio::test(start_paused = true)]
async fn a_route_without_a_credential_is_not_closed_by_a_wrong_one() {
    for (key, state) in [(None, CircuitState::Closed), (Some("Bearer a"), CircuitState::Open)] {
        let provider = Provider::new(Does::Status(401));
        let layer = layer();
        let service = provider.behind(&layer);
        for _ in 0..6 {
            let mut request = request();
            let key = key.map(|key| key.parse().expect("a header"));
            key.map(|key| request.headers_mut().insert("authorization", key));
            let _ = service.clone().oneshot(request).await;
        }
        let shown = layer.handle().list();
        assert_eq!(shown.iter().map(|(_, shown)| shown.state).collect::<Vec<_>>(), [state]);
        // Calls without another target are let through.
        assert_eq!(provider.calls(), 6);
    }
}

#[tokio::test(start_paused = true)]
async fn recovery_does_not_wait_for_the_end_of_a_long_stream() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    provider.now_does(Does::Drips);
    let first = service.clone().oneshot(request()).await.expect("a probe");
    let second = service.clone().oneshot(request()).await.expect("the next probe");
    assert_eq!(state(&layer), CircuitState::Recovering);
    drop((first, second));
    assert_eq!((state(&layer), shown(&layer).calls), (CircuitState::Recovering, 2));
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_stream_breaks_opens_the_breaker_again() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    provider.now_does(Does::Breaks);
    assert!(call(&service).await.is_err());
    assert_eq!(shown(&layer).opened_by, Some(TransitionReason::ProbeFailed));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_from_below_is_not_the_providers_fault() {
    let (layer, provider, service) = opened().await;
    advance(secs(5)).await;
    provider.now_does(Does::FailsWith(Outcome::NotSent { retry_in: None }));
    calls(&service, 7).await;
    assert_eq!((state(&layer), shown(&layer).probes), (CircuitState::HalfOpen, 0));
    assert_eq!(provider.calls(), 5 + 7);
}

/// A service whose `poll_ready` fails.
#[derive(Clone)]
struct Unready;

impl Service<Request> for Unready {
    type Response = Response;
    type Error = Error;
    type Future = Ready<Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Err(Error::new(Outcome::Unreachable)))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_to_be_ready_fails_the_call() {
    let layer = layer();
    let service = layer.layer(Unready);
    calls(&service, 5).await;
    assert_eq!(shown(&layer).opened_by, Some(TransitionReason::Consecutive));
}

#[tokio::test(start_paused = true)]
async fn the_inner_service_is_ready_before_each_call() {
    let mut service = layer().layer(StrictReadiness::new(|| Ok(Response::default())));
    for _ in 0..3 {
        let response = service.ready().await.expect("ready").call(request()).await;
        assert!(response.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn services_of_one_layer_share_their_breakers_and_those_of_two_do_not() {
    let (layer, _, _) = opened().await;
    let provider = Provider::new(Does::Answers);
    assert!(call(&provider.behind(&layer)).await.is_err());
    assert!(call(&provider.behind(&self::layer())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_forced_breaker_is_not_evicted() {
    let breakers = layer().handle();
    let route = |n: u32| Route::new("provider", &n.to_string(), "-");
    breakers.force_open(&route(0));
    advance(secs(3 * 3600)).await;
    (1..2000).for_each(|n| drop(breakers.of(&route(n))));
    assert_eq!(breakers.of(&route(0)).snapshot(Instant::now()).state, CircuitState::ForcedOpen);
    assert!(breakers.list().iter().any(|(listed, _)| *listed == route(0)));

    breakers.reset(&route(0));
    assert_eq!(breakers.of(&route(0)).snapshot(Instant::now()).state, CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn routes_are_bounded_in_number() {
    let breakers = layer().handle();
    (0..5000).for_each(|n| drop(breakers.of(&Route::new("provider", &n.to_string(), "-"))));
    assert_eq!(breakers.list().len(), 4096);
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_continues_with_the_changes_that_are_kept() {
    let breakers = layer().handle();
    let mut changes = breakers.watch();
    let route = Route::new("provider", "model", "-");
    for _ in 0..500 {
        breakers.force_open(&route);
        breakers.reset(&route);
    }
    let change = changes.next().await.expect("kept");
    assert_eq!(change.number, 1000 - 256 + 1);
    drop(breakers);
    let mut rest = 0;
    while changes.next().await.is_some() {
        rest += 1;
    }
    assert_eq!(rest, 255);
}
