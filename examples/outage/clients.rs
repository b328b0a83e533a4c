//! The four clients that are compared under the same incident.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::{
    BoxError, Client, ConfigError, Profile, Request, Response, Upstream,
    adapter::Reconnect,
    breaker::BreakerPolicy,
    cache::CachePolicy,
    classify::ClassifyPolicy,
    fallback::{Edit, Fallback, Target},
    retry::RetryPolicy,
    stream::CommitPolicy,
    telemetry::Observer,
};
use evenkeel_testkit::{Hosts, scenario::Harness};
use tokio::time::{sleep, timeout};
use tower::{Service, ServiceExt, service_fn};

/// The names of the clients, in the order of every table.
pub(crate) const NAMES: [&str; 4] = ["plain", "retries", "evenkeel", "steps"];

/// The primary and the fallbacks of `steps`, in the order in which they are tried.
pub(crate) const FALLBACKS: [&str; 6] =
    ["primary", "no web_search", "small model", "secondary", "stored", "canned"];

/// The tool that the first fallback of `steps` removes from the request.
const TOOL: &str = "web_search";
/// How long the breakers of `steps` stay open the first time.
const FIRST_OPEN: Duration = Duration::from_secs(5);
/// The longest time for which the breakers of `steps` stay open.
const MAX_OPEN: Duration = Duration::from_secs(75);
/// The maximum age of a stored answer.
const MAX_STORED_AGE: Duration = Duration::from_secs(24 * 3600);

/// The text of the canned reply, the last fallback.
pub(crate) const CANNED: &str =
    "We are very busy at the moment. A colleague will write to you within the day.";

/// The settings that all clients share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The seed of the jitter.
    pub(crate) seed: u64,
    /// The factor by which all durations are multiplied.
    pub(crate) scale: f64,
}

/// Sends each request to the primary once, without a timeout.
pub(crate) fn plain(
    transport: impl Upstream,
) -> impl Service<Request, Response = Response, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    service_fn(move |request| {
        let transport = transport.clone();
        async move { Ok(transport.oneshot(request).await?) }
    })
}

/// The defaults of the official SDKs: at most two retries, for the statuses 408, 409, 429 and 5xx and for each attempt that
/// fails before the head of the response; 600 s for each attempt.
///
/// The wait before a retry is `retry-after`, or else 0.5 s, doubled each time up to 8 s, less a random part of at most a
/// quarter. A failure after the head of the response is not retried.
pub(crate) fn retries(
    transport: impl Upstream,
    Setting { seed, scale }: Setting,
) -> impl Service<Request, Response = Response, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
    service_fn(move |request: Request| {
        let (transport, random) = (transport.clone(), random.clone());
        async move {
            let attempt_limit = Duration::from_secs(600).mul_f64(scale);
            let mut retries = 0;
            loop {
                let attempt = transport.clone().oneshot(request.clone());
                let result = timeout(attempt_limit, attempt).await;
                let may_retry = match &result {
                    Ok(Ok(response)) => is_transient(response, 120.0 * scale),
                    Ok(Err(_)) | Err(_) => true,
                };
                if !may_retry || retries == 2 {
                    return Ok(result??);
                }
                let hint = result.ok().and_then(Result::ok).and_then(|head| retry_after(&head));
                let hint = hint.filter(|seconds| *seconds > 0.0);
                let jitter = random.lock().map_or(1.0, |mut random| 1.0 - 0.25 * random.f64());
                let backoff = (0.5 * f64::from(1 << retries)).min(8.0) * jitter * scale;
                sleep(Duration::from_secs_f64(hint.unwrap_or(backoff))).await;
                retries += 1;
            }
        }
    })
}

/// Whether the status permits a retry and `retry-after` is at most `max_wait` seconds.
fn is_transient(response: &Response, max_wait: f64) -> bool {
    let wait_fits = retry_after(response).is_none_or(|seconds| seconds <= max_wait);
    wait_fits && matches!(response.status().as_u16(), 408 | 409 | 429 | 500..)
}

/// The value of `retry-after`, in seconds.
fn retry_after(response: &Response) -> Option<f64> {
    let value = response.headers().get("retry-after")?.to_str().ok()?;
    value.parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

/// The in-process transport of evenkeel. A kept connection that turns out to be dead is replaced, as the adapter for
/// reqwest does on sockets.
pub(crate) fn reconnecting(harness: &Harness) -> Reconnect<Hosts> {
    Reconnect::new(harness.hosts())
}

/// evenkeel with the interactive profile and two fallbacks: the secondary, then a canned reply.
///
/// An answer is returned only when it is complete, so that no answer breaks off while the customer reads it.
pub(crate) fn evenkeel(
    transport: impl Upstream,
    secondary: &str,
    setting: Setting,
    listener: impl Observer,
) -> Result<Client, ConfigError> {
    Client::builder()
        .profile(profile(setting, BreakerPolicy::default()))
        .fallback(Fallback::target(Target::new(secondary)).named("secondary"))
        .fallback(Fallback::canned(CANNED))
        .observe(listener)
        .build_with(transport)
}

/// Like [`evenkeel`], but without a fallback.
pub(crate) fn alone(
    transport: impl Upstream,
    setting: Setting,
    listener: impl Observer,
) -> Result<Client, ConfigError> {
    let profile = profile(setting, BreakerPolicy::default());
    Client::builder().profile(profile).observe(listener).build_with(transport)
}

/// Like [`evenkeel`], but with a fallback for each loss of quality that the business accepts.
///
/// The order is: the primary with the unchanged request; the same model without the tool; the small model of the primary,
/// without tools and with a short answer; the secondary; the last good answer of the primary to the same question; a canned
/// reply.
///
/// The first three send to the primary, and each has a breaker of its own. Each of these breakers stays open for up to 75 s
/// instead of 30 s: together the three then probe a primary that is down about as often as one breaker does by default. The
/// first probe that succeeds makes the primary usable again.
pub(crate) fn steps(
    transport: impl Upstream,
    secondary: &str,
    setting: Setting,
    listener: impl Observer,
) -> Result<Client, ConfigError> {
    let notice = "You cannot search the web at the moment. Say so where it matters.";
    let without_tool = Edit::new().without_tool(TOOL).tool_notice(notice);
    let without_tools = Edit::new().without_tools().tool_notice(notice).max_tokens(512);
    let small_model = Target::same_host().model("small-1");
    Client::builder()
        .profile(profile(setting, BreakerPolicy::default().open_backoff(FIRST_OPEN..=MAX_OPEN)))
        .fallback(Fallback::original_request().edit(without_tool).named(FALLBACKS[1]))
        .fallback(Fallback::target(small_model).edit(without_tools).named(FALLBACKS[2]))
        .fallback(Fallback::target(Target::new(secondary)).named(FALLBACKS[3]))
        .fallback(Fallback::stored(MAX_STORED_AGE.mul_f64(setting.scale)).named(FALLBACKS[4]))
        .fallback(Fallback::canned(CANNED).named(FALLBACKS[5]))
        .cache(CachePolicy::new())
        .observe(listener)
        .build_with(transport)
}

/// The interactive profile with `breaker` in place of its own and with all durations scaled.
fn profile(Setting { seed, scale }: Setting, breaker: BreakerPolicy) -> Profile {
    Profile::interactive()
        .breaker(breaker)
        .classify(ClassifyPolicy::default().commit(CommitPolicy::Complete))
        .retry(RetryPolicy::default().seed(seed))
        .scaled(scale)
}
