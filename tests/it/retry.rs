//! The retry layer over services in process, on a paused clock.
//!
//! Sequences from other test suites are included for rules with the same meaning here. These are left out:
//!
//! - gRPC and the AWS SDK for Rust, tokens: budgets that failures spend and successes refill; here a budget counts first
//!   attempts, because a budget of successes limits nothing at 50 % failures
//! - Envoy and failsafe-go: budgets by attempts in flight
//! - gRPC, pushback: an unreadable hint forbids a retry there and is ignored here; only the wait of one second is shared
//! - gRPC: two settings for one number
//! - the AWS SDK for Rust: hints up to the backoff or 5 s more; here they are followed up to 120 s
//! - the AWS SDK for Rust, polling: no wait here exists only to slow the caller down
//! - Finagle, all jitters but full jitter; Envoy, the modulo: a fraction of the range is the same jitter
//! - Polly, cancelled before the call: a future that is never polled does nothing
//! - failsafe-go, retries after a breaker's refusal: here such a refusal is never retried

use std::{
    collections::VecDeque,
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Body, Error, Request, Response, Upstream,
    breaker::BreakerPolicy,
    context::{AttemptLog, Deadline},
    outcome::{Outcome, Phase, Rejection, Verdict},
    retry::{Budget, Budgets, Retry, RetryLayer, RetryPolicy},
    stream::BodyEnd,
    telemetry::{EventKind, EventSink, StopReason},
    timeout::TimeoutPolicy,
};
use http::StatusCode;
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{EventLog, StrictReadiness, channel_body, ms, secs, with_deadline};

const DOWN: Outcome = Outcome::Unavailable { wait: None };

/// One answer of a service.
type Answer = Box<dyn FnOnce() -> Result<Response, Error> + Send>;

/// The replies of a service, and the times of its attempts.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Script {
    fn then(self, answer: impl FnOnce() -> Result<Response, Error> + Send + 'static) -> Self {
        self.answers.lock().unwrap().push_back(Box::new(answer));
        self
    }

    fn fails(self, outcome: Outcome) -> Self {
        self.then(move || Err(Error::new(outcome)))
    }

    fn says(self, status: u16, outcome: Outcome, body: &'static str) -> Self {
        self.then(move || Ok(judged(status, outcome, body)))
    }

    fn answers(self) -> Self {
        self.then(|| Ok(Response::new(Body::from("well"))))
    }

    /// A service that always fails.
    fn down() -> Self {
        (0..200).fold(Self::default(), |script, _| script.fails(DOWN))
    }

    fn service(&self) -> impl Upstream {
        let Self { answers, asked } = self.clone();
        service_fn(move |_: Request| {
            asked.lock().unwrap().push(Instant::now());
            let answer = answers.lock().unwrap().pop_front().expect("it is asked too often");
            ready(answer())
        })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The time from each attempt to the next.
    fn gaps(&self) -> Vec<Duration> {
        self.asked.lock().unwrap().windows(2).map(|two| two[1] - two[0]).collect()
    }
}

fn judged(status: u16, outcome: Outcome, body: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.extensions_mut().insert(Verdict::new(outcome));
    response
}

fn policy() -> RetryPolicy {
    RetryPolicy::new().seed(7)
}

async fn ask(policy: RetryPolicy, script: &Script) -> Result<Response, Error> {
    policy.build().unwrap().layer(script.service()).oneshot(Request::default()).await
}

async fn ask_within(
    limit: Duration,
    policy: RetryPolicy,
    script: &Script,
) -> Result<Response, Error> {
    let request = with_deadline(Request::default(), limit);
    policy.build().unwrap().layer(script.service()).oneshot(request).await
}

fn outcome(result: Result<Response, Error>) -> Outcome {
    result.expect_err("it fails").outcome()
}

/// One step of a call, as an event reports it.
#[derive(Debug, PartialEq)]
enum Step {
    Start(u32),
    End(u32, &'static str),
    Wait { hinted: bool },
    Stop(StopReason),
    TimedOut(Phase, Duration),
    Other(&'static str),
}

fn steps(log: &EventLog) -> Vec<Step> {
    let step = |event: &EventKind| match event {
        EventKind::AttemptStarted { attempt, .. } => Step::Start(*attempt),
        EventKind::AttemptEnded { attempt, verdict, .. } => {
            Step::End(*attempt, verdict.outcome().name())
        }
        EventKind::RetryWaiting { hinted, .. } => Step::Wait { hinted: *hinted },
        EventKind::RetryStopped { reason: why, .. } => Step::Stop(*why),
        EventKind::TimedOut { phase, after, .. } => Step::TimedOut(*phase, *after),
        other => Step::Other(other.name()),
    };
    log.events().iter().map(step).collect()
}

// === what is retried ===

#[tokio::test(start_paused = true)]
async fn an_answer_is_handed_on_at_once() {
    let script = Script::default().answers();
    let start = Instant::now();
    let response = ask(policy(), &script).await.unwrap();
    assert_eq!(response.body().as_bytes(), Some(&b"well"[..]));
    assert_eq!((script.asked(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_not_seen_by_the_caller() {
    let script = Script::default().fails(Outcome::Unreachable).says(503, DOWN, "no").answers();
    assert_eq!(ask(policy(), &script).await.unwrap().status(), 200);
    assert_eq!(script.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_stops_at_once_and_the_last_failure_is_returned() {
    let bad = Outcome::Rejected { why: Rejection::Request };
    let retries = |script: Script| async move {
        let result = ask(policy().retries(3), &script).await;
        (result.map_err(|error| error.outcome()).map(|_| ()), script.asked())
    };
    let new = Script::default;
    assert_eq!(retries(new().answers()).await, (Ok(()), 1));
    assert_eq!(retries(new().fails(DOWN).answers()).await, (Ok(()), 2));
    assert_eq!(retries(new().fails(DOWN).fails(DOWN).answers()).await, (Ok(()), 3));
    assert_eq!(retries(new().fails(bad)).await, (Err(bad), 1));
    assert_eq!(retries(new().fails(DOWN).fails(bad)).await, (Err(bad), 2));
    assert_eq!(retries(new().fails(DOWN).fails(DOWN).fails(bad)).await, (Err(bad), 3));
    let last = Outcome::Truncated;
    let script = new().fails(DOWN).fails(DOWN).fails(DOWN).fails(last);
    assert_eq!(retries(script).await, (Err(last), 4));
}

#[tokio::test(start_paused = true)]
async fn a_status_of_success_that_was_judged_a_failure_is_retried() {
    let script = Script::default().says(200, Outcome::Empty, "").answers();
    assert_eq!(ask(policy(), &script).await.unwrap().body().as_bytes(), Some(&b"well"[..]));
    assert_eq!(script.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_is_not_retried_whatever_wait_it_names() {
    let gone = Outcome::QuotaExhausted { wait: Some(secs(1)) };
    let script = Script::default().says(429, gone, r#"{"error":{"code":"insufficient_quota"}}"#);
    assert_eq!(ask(policy(), &script).await.unwrap().status(), 429);
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_provider_is_asked_once() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let silent = service_fn(move |_: Request| {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<Result<Response, Error>>()
    });
    let attempt = TimeoutPolicy::new().build().unwrap().layer(silent);
    let start = Instant::now();
    let result = policy().build().unwrap().layer(attempt).oneshot(Request::default()).await;
    assert_eq!(outcome(result), Outcome::TimedOut { phase: Phase::Attempt });
    assert_eq!((asked.load(Ordering::Relaxed), start.elapsed().as_secs()), (1, 20));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_breaker_is_known_at_once() {
    let refused = Outcome::NotSent { retry_in: Some(ms(100)) };
    let script = Script::default().fails(refused);
    let start = Instant::now();
    assert_eq!(outcome(ask(policy(), &script).await), refused);
    assert_eq!((script.asked(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_between_attempts_ends_the_retries() {
    let refused = Outcome::NotSent { retry_in: None };
    let script = Script::default().fails(DOWN).fails(refused);
    // The refusal does not hide the provider's failure.
    assert_eq!(outcome(ask(policy().retries(5), &script).await), DOWN);
    assert_eq!(script.asked(), 2);
    let script = Script::default().says(503, DOWN, "no").fails(refused);
    let response = ask(policy().retries(5), &script).await.unwrap();
    assert_eq!(response.body().as_bytes(), Some(&b"no"[..]));
    assert_eq!(response.extensions().get::<AttemptLog>().unwrap().attempts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_the_breaker_would_refuse_is_not_waited_for() {
    let around = async |wait: u64, script: &Script, log: &EventLog| {
        let breaker = BreakerPolicy::default().consecutive_failures(1).jitter(0.0).build().unwrap();
        let waits = policy().schedule(move || std::iter::once(secs(wait)));
        let retry = waits.build().unwrap().events(log.sink());
        retry.layer(breaker.layer(script.service())).oneshot(Request::default()).await
    };
    // The breaker is open for five seconds.
    let (script, log, start) = (Script::default().fails(DOWN), EventLog::default(), Instant::now());
    let result = around(4, &script, &log).await;
    assert_eq!((outcome(result), script.asked()), (DOWN, 1));
    assert_eq!((start.elapsed(), &steps(&log)[2]), (secs(0), &Step::Stop(StopReason::Breaker)));

    let (script, log) = (Script::default().fails(DOWN).answers(), EventLog::default());
    let result = around(5, &script, &log).await;
    assert_eq!((result.unwrap().status().as_u16(), script.asked()), (200, 2), "it is the probe");
}

#[tokio::test(start_paused = true)]
async fn a_failure_whose_body_is_still_to_come_is_not_held_open_for_a_refusal() {
    let refused = Outcome::NotSent { retry_in: None };
    let (body, open) = channel_body();
    let script = Script::default()
        .then(move || {
            let mut response = judged(503, DOWN, "");
            *response.body_mut() = body;
            Ok(response)
        })
        .then(move || {
            assert!(open.is_closed(), "its connection is given back before the wait");
            Err(Error::new(refused))
        });
    assert_eq!(outcome(ask(policy(), &script).await), refused);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_after_sending_is_retried_once() {
    let broken = (0..3).fold(Script::default(), |script, _| script.fails(Outcome::ConnectionLost));
    assert_eq!(outcome(ask(policy().retries(5), &broken).await), Outcome::ConnectionLost);
    assert_eq!(broken.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_the_provider_forbids_is_not_made() {
    let script = Script::default().then(|| {
        let mut response = judged(503, DOWN, "");
        let no = Verdict::new(DOWN).should_retry(Some(false));
        response.extensions_mut().insert(no);
        Ok(response)
    });
    assert_eq!(ask(policy(), &script).await.unwrap().status(), 503);
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_failures_and_a_success_are_three_attempts() {
    let script = Script::default().fails(DOWN).fails(DOWN).answers();
    assert!(ask(policy().retries(9), &script).await.is_ok());
    assert_eq!(script.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn zero_retries_make_one_attempt() {
    let script = Script::default().fails(DOWN);
    assert_eq!(outcome(ask(policy().retries(0), &script).await), DOWN);
    assert_eq!(script.asked(), 1);
}

// === what the caller gets ===

#[tokio::test(start_paused = true)]
async fn a_final_refusal_of_the_provider_comes_back_byte_for_byte() {
    let body = " {\"error\": {\"message\":\"overloaded\"}}\n";
    let script = Script::default().says(500, DOWN, "one").says(502, DOWN, "two").then(move || {
        let mut response = judged(529, DOWN, body);
        response.headers_mut().insert("x-request-id", "req_3".parse().unwrap());
        Ok(response)
    });
    let response = ask(policy(), &script).await.unwrap();
    assert_eq!(response.status(), 529);
    assert_eq!(response.headers()["x-request-id"], "req_3");
    assert_eq!(response.headers().len(), 1);
    assert_eq!(response.body().as_bytes(), Some(body.as_bytes()));
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_the_transports_own() {
    let script = Script::default().fails(DOWN).fails(DOWN).then(|| {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "port 1");
        Err(Error::new(Outcome::Unreachable).with_source(refused))
    });
    let error = ask(policy(), &script).await.unwrap_err();
    assert!(error.is_connect());
    let source = std::error::Error::source(&error).unwrap();
    let io = source.downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(io.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test(start_paused = true)]
async fn the_attempt_log_has_every_attempt_with_its_wait() {
    let script = Script::default().fails(Outcome::Unreachable).says(503, DOWN, "").answers();
    let response = ask(policy(), &script).await.unwrap();
    let attempt_log = response.extensions().get::<AttemptLog>().unwrap();
    let outcomes: Vec<_> = attempt_log.attempts().iter().map(|it| it.outcome.name()).collect();
    assert_eq!(outcomes, ["unreachable", "unavailable", "success"]);
    let waits: Vec<_> = attempt_log.attempts().iter().skip(1).map(|it| it.wait).collect();
    // The timer has whole milliseconds, rounded up.
    for (wait, gap) in waits.iter().zip(script.gaps()) {
        assert!(gap >= *wait && gap < *wait + ms(2), "{wait:?} {gap:?}");
    }
    assert_eq!((attempt_log.sent(), attempt_log.attempts()[0].wait), (3, Duration::ZERO));

    let error = ask(policy(), &Script::down()).await.unwrap_err();
    assert_eq!(error.attempt_log().unwrap().sent(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_bodies_of_failed_attempts_are_released_before_the_wait() {
    let dropped = Arc::new(Mutex::new(Vec::new()));
    let mut script = Script::default();
    for n in 0..6 {
        let dropped = dropped.clone();
        script = script.then(move || {
            let mut response = judged(503, DOWN, "");
            let (guard, _) = channel_body();
            *response.body_mut() = guard;
            response.body_mut().on_end(move |ending| {
                assert_eq!(*ending, BodyEnd::Cancelled);
                dropped.lock().unwrap().push((n, Instant::now()));
            });
            Ok(response)
        });
    }
    let response = ask(policy().retries(5), &script).await.unwrap();
    let released = dropped.lock().unwrap().clone();
    let asked = script.asked.lock().unwrap()[..5].to_vec();
    assert_eq!(released, asked.into_iter().enumerate().collect::<Vec<_>>());
    drop(response);
    assert_eq!(dropped.lock().unwrap().len(), 6);
}

// === waits ===

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_caller_went_away_in_a_wait() {
    let script = Script::down();
    let call = ask(policy().schedule(|| std::iter::repeat(secs(2))), &script);
    assert!(tokio::time::timeout(secs(1), call).await.is_err());
    sleep(secs(60)).await;
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_custom_schedule_is_kept() {
    let script = Script::down();
    let every = policy().schedule(|| std::iter::repeat_n(ms(120), 3));
    assert_eq!(outcome(ask(every, &script).await), DOWN);
    assert_eq!(script.gaps(), [ms(120); 3]);

    let script = Script::default().fails(DOWN).answers();
    let half = policy().schedule(|| std::iter::repeat(ms(500))).retries(2);
    assert!(ask(half.clone(), &script).await.is_ok());
    assert_eq!(script.gaps(), [ms(500)]);

    let script = Script::down();
    assert_eq!(outcome(ask(half, &script).await), DOWN);
    assert_eq!(script.gaps(), [ms(500); 2]);
}

#[tokio::test(start_paused = true)]
async fn a_builder_of_backon_is_a_schedule_as_it_is() {
    use backon::{BackoffBuilder, ExponentialBuilder};
    let builder = ExponentialBuilder::default().with_min_delay(ms(125)).with_max_times(3);
    let script = Script::down();
    assert_eq!(outcome(ask(policy().schedule(move || builder.build()), &script).await), DOWN);
    assert_eq!(script.gaps(), [ms(125), ms(250), ms(500)]);
}

#[tokio::test(start_paused = true)]
async fn the_waits_of_a_seed_are_the_same_in_every_run_and_those_of_another_are_not() {
    let gaps = |seed| async move {
        let script = Script::down();
        let policy = RetryPolicy::new().retries(6).seed(seed);
        ask(policy, &script).await.unwrap_err();
        script.gaps()
    };
    assert_eq!(gaps(1).await, gaps(1).await);
    assert_ne!(gaps(1).await, gaps(2).await);
}

#[tokio::test(start_paused = true)]
async fn callers_that_fail_together_do_not_come_back_together() {
    let layer = RetryPolicy::new().retries(1).base(secs(4)).build().unwrap();
    let scripts: Vec<_> = (0..9).map(|_| Script::default().fails(DOWN).answers()).collect();
    for script in &scripts {
        layer.layer(script.service()).oneshot(Request::default()).await.unwrap();
    }
    let waits: std::collections::HashSet<_> = scripts.iter().map(|it| it.gaps()[0]).collect();
    assert!(waits.len() > 5, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_zero_does_not_spin() {
    let now = Outcome::RateLimited { wait: Some(Duration::ZERO) };
    let script = (0..3).fold(Script::default(), |script, _| script.says(429, now, ""));
    let policy = policy().base(Duration::from_nanos(1)).max_backoff(Duration::from_nanos(1));
    assert_eq!(ask(policy, &script).await.unwrap().status(), 429);
    assert!(script.gaps().iter().all(|gap| *gap >= ms(50)), "{:?}", script.gaps());
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_waited_for() {
    let limited = |wait| Outcome::RateLimited { wait: Some(wait) };
    let script =
        Script::default().says(429, limited(secs(20)), "").says(429, limited(ms(1500)), "");
    assert_eq!(ask(policy(), &script.clone().answers()).await.unwrap().status(), 200);
    let gaps = script.gaps();
    assert!(gaps[0] >= secs(20) && gaps[0] <= secs(21), "{gaps:?}");
    assert!(gaps[1] >= ms(1500) && gaps[1] <= secs(2), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_a_day_is_capped_at_two_minutes() {
    let day = Outcome::Unavailable { wait: Some(secs(86_400)) };
    let script = Script::default().says(503, day, "").answers();
    assert_eq!(ask(policy(), &script).await.unwrap().status(), 200);
    assert_eq!(script.gaps(), [secs(120)]);
}

#[tokio::test(start_paused = true)]
async fn many_hints_do_not_raise_the_number_of_retries() {
    let soon = Outcome::RateLimited { wait: Some(secs(1)) };
    let script = (0..9).fold(Script::default(), |script, _| script.says(429, soon, ""));
    assert_eq!(ask(policy(), &script).await.unwrap().status(), 429);
    assert_eq!(script.asked(), 3);
}

// === the deadline ===

#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_fit_the_deadline_is_not_waited() {
    let limited = Outcome::RateLimited { wait: Some(secs(29)) };
    let script = Script::default().says(429, limited, "later");
    let start = Instant::now();
    let response = ask_within(ms(29_900), policy(), &script).await.unwrap();
    assert_eq!(response.body().as_bytes(), Some(&b"later"[..]));
    assert_eq!((script.asked(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_fits_the_deadline_is_waited() {
    let limited = Outcome::RateLimited { wait: Some(secs(20)) };
    let script = Script::default().says(429, limited, "later").answers();
    let response = ask_within(secs(30), policy(), &script).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_with_less_left_than_it_needs() {
    let script = Script::down();
    let policy = policy()
        .schedule(|| std::iter::repeat(ms(300)))
        .min_attempt_time(secs(2))
        .budget_reserve(99);
    assert_eq!(outcome(ask_within(secs(10), policy, &script).await), DOWN);
    let asked = script.asked.lock().unwrap().clone();
    // At 0.3 s each, the last attempt to start by 8 s is the one at 7.8 s.
    assert_eq!(asked.len(), 27);
    assert_eq!(asked[26] - asked[0], ms(7800));
}

// === rows of numbers ===

#[tokio::test(start_paused = true)]
async fn a_call_without_any_time_is_not_sent_and_is_no_attempt() {
    let (script, log) = (Script::default().answers(), EventLog::default());
    let layer = policy().build().unwrap().events(log.sink());
    let mut request = Request::default();
    request.extensions_mut().insert(Deadline::at(Instant::now()));
    let error = layer.layer(script.service()).oneshot(request).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Deadline });
    assert_eq!((script.asked(), error.attempt_log().unwrap().attempts().len()), (0, 0));
    assert_eq!(steps(&log), [Step::TimedOut(Phase::Deadline, Duration::ZERO)]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_uses_up_all_the_time_leaves_the_failure_before_it() {
    let script = Script::default().says(503, DOWN, "no").answers();
    let waits = policy().schedule(|| std::iter::repeat(secs(2))).min_attempt_time(Duration::ZERO);
    let response = ask_within(secs(2), waits, &script).await.unwrap();
    assert_eq!((response.body().as_bytes(), script.asked()), (Some(&b"no"[..]), 1));
}

#[tokio::test(start_paused = true)]
async fn two_retries_by_default_and_as_many_as_are_set() {
    for (policy, attempts) in [(policy(), 3), (policy().retries(3), 4)] {
        let script = Script::down();
        assert_eq!(outcome(ask(policy, &script).await), DOWN);
        assert_eq!(script.asked(), attempts);
    }
    let script = (0..5).fold(Script::default(), |script, _| script.fails(DOWN)).answers();
    assert!(ask(policy().retries(RetryPolicy::MAX_RETRIES), &script).await.is_ok());
    assert_eq!(script.asked(), 6);
}

// === the budget ===

/// A service that always fails, and the number of its attempts.
fn failing() -> (Arc<AtomicU32>, impl Upstream) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let service = service_fn(move |_: Request| {
        count.fetch_add(1, Ordering::Relaxed);
        ready(Err::<Response, _>(Error::new(DOWN)))
    });
    (asked, service)
}

async fn call<S: Upstream>(service: &mut Retry<S>) -> Result<Response, Error> {
    service.ready().await?.call(Request::default()).await
}

#[tokio::test(start_paused = true)]
async fn if_all_calls_fail_a_fifth_more_is_sent() {
    let (asked, service) = failing();
    let mut service = policy().build().unwrap().layer(service);
    for _ in 0..1000 {
        call(&mut service).await.unwrap_err();
    }
    let asked = asked.load(Ordering::Relaxed);
    assert!((1200..=1210).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_five_hours_at_a_call_a_second_costs_a_fifth_more() {
    let (asked, service) = failing();
    let mut service = policy().build().unwrap().layer(service);
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < secs(5 * 3600) {
        call(&mut service).await.unwrap_err();
        calls += 1;
        sleep(secs(1)).await;
    }
    let extra = asked.load(Ordering::Relaxed) - calls;
    assert!(extra <= calls / 5 + 10, "{extra} of {calls}");
}

#[tokio::test(start_paused = true)]
async fn without_budget_the_failure_comes_back_at_once() {
    let log = EventLog::default();
    let layer = policy().budget_reserve(1).build().unwrap().events(log.sink());
    let (asked, service) = failing();
    let mut service = layer.layer(service);
    call(&mut service).await.unwrap_err();
    let start = Instant::now();
    assert_eq!(outcome(call(&mut service).await), DOWN);
    assert_eq!((asked.load(Ordering::Relaxed), start.elapsed()), (3, Duration::ZERO));
    assert_eq!(steps(&log).last(), Some(&Step::Stop(StopReason::Budget)));
}

#[tokio::test(start_paused = true)]
async fn first_attempts_that_were_refused_earn_nothing() {
    let budget = Arc::new(Budget::new(1.0, 1).unwrap());
    let policy = policy().budgets(Budgets::shared(budget.clone()));
    let layer = policy.build().unwrap();
    assert!(budget.withdraw());
    let refused = Script::default().fails(Outcome::NotSent { retry_in: None });
    layer.layer(refused.service()).oneshot(Request::default()).await.unwrap_err();
    assert_eq!(budget.left(), 0);
    let sent = Script::default().answers();
    layer.layer(sent.service()).oneshot(Request::default()).await.unwrap();
    assert_eq!(budget.left(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_stops_for_another_reason_spends_a_token() {
    let budget = Arc::new(Budget::new(0.1, 5).unwrap());
    let policy = policy().budgets(Budgets::shared(budget.clone()));
    let late = Script::default().fails(Outcome::RateLimited { wait: Some(secs(60)) });
    ask_within(secs(30), policy.clone(), &late).await.unwrap_err();
    let bad = Script::default().fails(Outcome::Blocked);
    ask(policy.clone(), &bad).await.unwrap_err();
    ask(policy.clone().retries(0), &Script::down()).await.unwrap_err();
    assert_eq!(budget.left(), 5);
    ask(policy, &Script::down()).await.unwrap_err();
    assert_eq!(budget.left(), 3);
}

#[tokio::test(start_paused = true)]
async fn every_route_has_a_budget_of_its_own_which_all_clones_share() {
    let layer = policy().budget_reserve(1).retries(1).build().unwrap();
    let to = |host: &str| {
        let uri = format!("https://{host}/v1/models");
        http::Request::builder().uri(uri).body(Bytes::new()).unwrap()
    };
    let (asked, service) = failing();
    let service = layer.layer(service);
    service.clone().oneshot(to("a.example")).await.unwrap_err();
    service.clone().oneshot(to("a.example")).await.unwrap_err();
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    service.clone().oneshot(to("b.example")).await.unwrap_err();
    assert_eq!(asked.load(Ordering::Relaxed), 5);
}

// === what is reported ===

#[tokio::test(start_paused = true)]
async fn the_events_are_the_steps_in_order() {
    let log = EventLog::default();
    let layer: RetryLayer = policy().build().unwrap().events(log.sink());
    let script = Script::default()
        .fails(DOWN)
        .fails(Outcome::RateLimited { wait: Some(secs(5)) })
        .fails(Outcome::Unreachable);
    layer.layer(script.service()).oneshot(Request::default()).await.unwrap_err();
    assert_eq!(
        steps(&log),
        [
            Step::Start(1),
            Step::End(1, "unavailable"),
            Step::Wait { hinted: false },
            Step::Start(2),
            Step::End(2, "rate_limited"),
            Step::Wait { hinted: true },
            Step::Start(3),
            Step::End(3, "unreachable"),
            Step::Stop(StopReason::Exhausted),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_no_retry_helps_is_returned_before_any_limit_applies() {
    let log = EventLog::default();
    let layer = policy().retries(0).build().unwrap().events(log.sink());
    let script = Script::default().fails(Outcome::TooLarge);
    layer.layer(script.service()).oneshot(Request::default()).await.unwrap_err();
    assert_eq!(steps(&log), [Step::Start(1), Step::End(1, "too_large")]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_first_attempt_emits_its_end_and_earns() {
    let log = EventLog::default();
    let budget = Arc::new(Budget::new(1.0, 2).unwrap());
    budget.withdraw();
    let policy = policy().budgets(Budgets::shared(budget.clone()));
    let layer = policy.build().unwrap().events(log.sink());
    let silent = service_fn(|_: Request| std::future::pending::<Result<Response, Error>>());
    let call = layer.layer(silent).oneshot(Request::default());
    assert!(tokio::time::timeout(secs(10), call).await.is_err());
    assert_eq!(steps(&log), [Step::Start(1), Step::End(1, "cancelled")]);
    assert_eq!(budget.left(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_retry_emits_its_end_and_earns_nothing() {
    let log = EventLog::default();
    let budget = Arc::new(Budget::new(1.0, 2).unwrap());
    let policy = policy().budgets(Budgets::shared(budget.clone()));
    let layer = policy.build().unwrap().events(log.sink());
    let asked = Arc::new(AtomicU32::new(0));
    let service = service_fn(move |_: Request| {
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                return Err(Error::new(DOWN));
            }
            std::future::pending::<Result<Response, Error>>().await
        }
    });
    let call = layer.layer(service).oneshot(Request::default());
    assert!(tokio::time::timeout(secs(10), call).await.is_err());
    let told = [
        Step::Start(1),
        Step::End(1, "unavailable"),
        Step::Wait { hinted: false },
        Step::Start(2),
        Step::End(2, "cancelled"),
    ];
    assert_eq!(steps(&log), told);
    assert_eq!(budget.left(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_before_it_is_polled_emits_nothing() {
    let log = EventLog::default();
    let layer = policy().build().unwrap().events(log.sink());
    let script = Script::default();
    let mut service = layer.layer(script.service());
    drop(service.ready().await.unwrap().call(Request::default()));
    assert!(steps(&log).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_event_of_a_stop_carries_its_reason() {
    let stopped = |policy: RetryPolicy, limit: Option<Duration>| async move {
        let why = Arc::new(Mutex::new(None));
        let into = why.clone();
        let events = EventSink::new(move |event: &evenkeel::telemetry::Event| {
            if let EventKind::RetryStopped { reason, .. } = &event.kind {
                *into.lock().unwrap() = Some(*reason);
            }
        });
        let mut request = Request::default();
        if let Some(limit) = limit {
            request.extensions_mut().insert(Deadline::within(limit));
        }
        let layer = policy.build().unwrap().events(events);
        layer.layer(Script::down().service()).oneshot(request).await.unwrap_err();
        why.lock().unwrap().take()
    };
    assert_eq!(stopped(policy(), None).await, Some(StopReason::Exhausted));
    assert_eq!(stopped(policy(), Some(ms(50))).await, Some(StopReason::Deadline));
    assert_eq!(stopped(policy().budget_reserve(1), None).await, Some(StopReason::Budget));
    assert_eq!(
        stopped(policy().schedule(std::iter::empty), None).await,
        Some(StopReason::Exhausted)
    );
}

// === the service underneath ===

#[tokio::test(start_paused = true)]
async fn every_attempt_waits_until_the_service_is_ready() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let strict = StrictReadiness::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(DOWN))
    });
    let mut service = policy().build().unwrap().layer(strict);
    for _ in 0..2 {
        call(&mut service).await.unwrap_err();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 6);
}

/// A service with one permit, taken when it is polled ready and released by the call.
struct OnePlace {
    holds: bool,
    free: Arc<Mutex<bool>>,
}

impl Clone for OnePlace {
    fn clone(&self) -> Self {
        Self { holds: false, free: self.free.clone() }
    }
}

impl Service<Request> for OnePlace {
    type Response = Response;
    type Error = Error;
    type Future = std::future::Ready<Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Error>> {
        self.holds |= std::mem::take(&mut *self.free.lock().unwrap());
        if self.holds { std::task::Poll::Ready(Ok(())) } else { std::task::Poll::Pending }
    }

    fn call(&mut self, _: Request) -> Self::Future {
        assert!(std::mem::take(&mut self.holds), "called without being ready");
        *self.free.lock().unwrap() = true;
        ready(Ok(Response::new(Body::from("well"))))
    }
}

#[tokio::test(start_paused = true)]
async fn the_permit_that_was_reserved_is_used() {
    let place = OnePlace { holds: false, free: Arc::new(Mutex::new(true)) };
    let mut service = policy().build().unwrap().layer(place);
    for _ in 0..2 {
        let answer = tokio::time::timeout(secs(1), call(&mut service)).await;
        assert!(answer.expect("nobody else holds the place").is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_sends_the_same_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    let service = service_fn(move |request: Request| {
        let (parts, body) = request.into_parts();
        into.lock().unwrap().push((parts.method, parts.uri, parts.headers, body));
        ready(Err::<Response, _>(Error::new(DOWN)))
    });
    let request = http::Request::post("https://api.example/v1/chat/completions")
        .header("x-own", "1")
        .body(Bytes::from_static(b"{\"model\":\"m\"}"))
        .unwrap();
    policy().build().unwrap().layer(service).oneshot(request).await.unwrap_err();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|it| *it == seen[0]));
    // The body was never copied.
    assert!(seen.iter().all(|it| it.3.as_ptr() == seen[0].3.as_ptr()));
}
