//! The three clients that go through the same day.

use std::{sync::Arc, time::Duration};

use evenkeel::{
    BoxError, Client, ConfigError, Profile, Request, Response, Upstream,
    breaker::BreakerPolicy,
    classify::ClassifyPolicy,
    ladder::{Rung, Target},
    retry::RetryPolicy,
    stream::Commit,
    telemetry::Observe,
    timeout::TimeoutPolicy,
};
use tokio::time::{sleep, timeout};
use tower::{Service, ServiceExt, service_fn};

/// The words of a client that never leaves its customer without any.
pub(crate) const CANNED: &str =
    "We are very busy at the moment. A colleague will write to you within the day.";

/// Asks the primary and hopes.
pub(crate) fn plain(
    transport: impl Upstream,
) -> impl Service<Request, Response = Response, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    service_fn(move |request| {
        let transport = transport.clone();
        async move { Ok(transport.oneshot(request).await?) }
    })
}

/// The official SDKs' defaults: two retries of 408, 409, 429, 5xx and failed connections, 0.5 s doubled up to 8 s less up to
/// a quarter of it, `retry-after` heeded, 600 s for each attempt.
pub(crate) fn retries(
    transport: impl Upstream,
    scale: f64,
    seed: u64,
) -> impl Service<Request, Response = Response, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    let dice = Arc::new(std::sync::Mutex::new(fastrand::Rng::with_seed(seed)));
    service_fn(move |request: Request| {
        let (transport, dice) = (transport.clone(), dice.clone());
        async move {
            let mut attempt = 0;
            loop {
                let limit = Duration::from_secs(600).mul_f64(scale);
                let sent = timeout(limit, transport.clone().oneshot(request.clone())).await;
                let failed = match &sent {
                    Ok(Ok(response)) => again(response.status().as_u16()),
                    Ok(Err(_)) | Err(_) => true,
                };
                if !failed || attempt == 2 {
                    return Ok(sent??);
                }
                let hint = sent.ok().and_then(Result::ok).and_then(|response| hint(&response));
                let less = dice.lock().map_or(1.0, |mut dice| 1.0 - 0.25 * dice.f64());
                let wait = hint.unwrap_or((0.5 * f64::from(1 << attempt)).min(8.0) * less * scale);
                sleep(Duration::from_secs_f64(wait)).await;
                attempt += 1;
            }
        }
    })
}

fn again(status: u16) -> bool {
    matches!(status, 408 | 409 | 429 | 500..)
}

/// Seconds in `retry-after`, up to two minutes.
fn hint(response: &Response) -> Option<f64> {
    let value = response.headers().get("retry-after")?.to_str().ok()?;
    value.parse().ok().filter(|seconds| (0.0..=120.0).contains(seconds))
}

/// evenkeel: the interactive profile, the secondary as second rung, a canned reply as third. Answers are handed on when
/// they are complete, so that none breaks off before the customer's eyes.
pub(crate) fn evenkeel(
    transport: impl Upstream,
    secondary: &str,
    scale: f64,
    listener: impl Observe,
) -> Result<Client, ConfigError> {
    Client::builder()
        .profile(scaled(scale))
        .fallback(Rung::target(Target::new(secondary)).named("secondary"))
        .fallback(Rung::canned(CANNED))
        .observe(listener)
        .over(transport)
}

/// The interactive profile with every time scaled: at 1 it is the profile as it is.
fn scaled(scale: f64) -> Profile {
    let profile =
        Profile::interactive().classify(ClassifyPolicy::default().commit(Commit::Complete));
    if scale == 1.0 {
        return profile;
    }
    let s = |seconds: f64| Duration::from_secs_f64(seconds * scale);
    let timeout = TimeoutPolicy::default().attempt(s(20.0)).first_event(s(10.0)).idle(s(15.0));
    let retry = RetryPolicy::default().base(s(0.25)).cap(s(4.0)).least(s(1.0));
    let breaker = BreakerPolicy::default()
        .slow_after(s(8.0), s(16.0))
        .window(s(30.0))
        .open_for(s(5.0), s(30.0))
        .probe_limit(s(20.0))
        .recover(s(20.0), 0.1);
    profile.deadline(s(30.0)).connect(s(5.0)).timeout(timeout).retry(retry).breaker(breaker)
}
