//! The four clients that go through the same day.

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
    stream::Commit,
    telemetry::Observer,
};
use evenkeel_testkit::{Hosts, scenario::Stage};
use tokio::time::{sleep, timeout};
use tower::{Service, ServiceExt, service_fn};

/// Their names, in the order of every table.
pub(crate) const NAMES: [&str; 4] = ["plain", "retries", "evenkeel", "steps"];

/// The rungs of the last of them, from the top.
pub(crate) const RUNGS: [&str; 6] =
    ["primary", "no web_search", "small model", "secondary", "stored", "canned"];

/// The tool that its second rung does without.
const TOOL: &str = "web_search";
/// How long the breakers of the last client are open: at first, and at most.
const OPEN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(75));
/// How old a stored answer may be.
const STORED: Duration = Duration::from_secs(24 * 3600);

/// The words of a client that never leaves its customer without any.
pub(crate) const CANNED: &str =
    "We are very busy at the moment. A colleague will write to you within the day.";

/// How a client is set: to full length, or to a part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The seed of its jitter.
    pub(crate) seed: u64,
    /// By what all its times are multiplied.
    pub(crate) scale: f64,
}

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

/// What the official SDKs do by default: two retries of 408, 409, 429, 5xx and of whatever failed before there was a
/// head, after 0.5 s doubled up to 8 s less up to a quarter of it, or after `retry-after`; 600 s for each attempt. What
/// happens to an answer after its head is the caller's to see: nothing is retried then.
pub(crate) fn retries(
    transport: impl Upstream,
    Setting { seed, scale }: Setting,
) -> impl Service<Request, Response = Response, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    let dice = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
    service_fn(move |request: Request| {
        let (transport, dice) = (transport.clone(), dice.clone());
        async move {
            let mut attempt = 0;
            loop {
                let limit = Duration::from_secs(600).mul_f64(scale);
                let sent = timeout(limit, transport.clone().oneshot(request.clone())).await;
                let again = match &sent {
                    Ok(Ok(response)) => is_transient(response, 120.0 * scale),
                    Ok(Err(_)) | Err(_) => true,
                };
                if !again || attempt == 2 {
                    return Ok(sent??);
                }
                let hint = sent.ok().and_then(Result::ok).and_then(|response| hint(&response));
                let hint = hint.filter(|seconds| *seconds > 0.0);
                let less = dice.lock().map_or(1.0, |mut dice| 1.0 - 0.25 * dice.f64());
                let wait = hint.unwrap_or((0.5 * f64::from(1 << attempt)).min(8.0) * less * scale);
                sleep(Duration::from_secs_f64(wait)).await;
                attempt += 1;
            }
        }
    })
}

/// Whether it is retried: by its status, unless the wait it asks for is too long.
fn is_transient(response: &Response, longest: f64) -> bool {
    let patient = hint(response).is_none_or(|seconds| seconds <= longest);
    patient && matches!(response.status().as_u16(), 408 | 409 | 429 | 500..)
}

/// The seconds in `retry-after`.
fn hint(response: &Response) -> Option<f64> {
    let value = response.headers().get("retry-after")?.to_str().ok()?;
    value.parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

/// What evenkeel goes through in process: kept connections that are dead are dealt with as on sockets, where it goes
/// through a reqwest client of the user's.
pub(crate) fn reconnecting(stage: &Stage) -> Reconnect<Hosts> {
    Reconnect::around(stage.hosts())
}

/// evenkeel: the interactive profile, the secondary as second rung, a canned reply as third. Answers are handed on when
/// they are complete, so that none breaks off before the customer's eyes.
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
        .over(transport)
}

/// evenkeel without a fallback; the rest is as that of [`evenkeel`].
pub(crate) fn alone(
    transport: impl Upstream,
    setting: Setting,
    listener: impl Observer,
) -> Result<Client, ConfigError> {
    let profile = profile(setting, BreakerPolicy::default());
    Client::builder().profile(profile).observe(listener).over(transport)
}

/// evenkeel with a step for every loss that the business can bear: the primary as it was asked, the same model without
/// the tool, its small model with a short answer and no tools, the secondary, the last good answer of the primary to the
/// same question, a canned reply.
///
/// Three of these ask the primary, each with a breaker of its own that has to find out for itself. So that the three ask a
/// primary that is down about as often as one does by default, each waits up to 75 s instead of 30 s before it asks again;
/// the first of them that finds it well brings it back. The rest is as that of [`evenkeel`].
pub(crate) fn steps(
    transport: impl Upstream,
    secondary: &str,
    setting: Setting,
    listener: impl Observer,
) -> Result<Client, ConfigError> {
    let line = "You cannot search the web at the moment. Say so where it matters.";
    let bare = Edit::new().without_tool(TOOL).tool_line(line);
    let short = Edit::new().without_tools().tool_line(line).max_tokens(512);
    let small = Target::here().model("small-1");
    Client::builder()
        .profile(profile(setting, BreakerPolicy::default().open_for(OPEN.0, OPEN.1)))
        .fallback(Fallback::addressed().edit(bare).named(RUNGS[1]))
        .fallback(Fallback::target(small).edit(short).named(RUNGS[2]))
        .fallback(Fallback::target(Target::new(secondary)).named(RUNGS[3]))
        .fallback(Fallback::stored(STORED.mul_f64(setting.scale)).named(RUNGS[4]))
        .fallback(Fallback::canned(CANNED).named(RUNGS[5]))
        .cache(CachePolicy::new())
        .observe(listener)
        .over(transport)
}

/// The interactive profile as it is but for its breakers, with every time scaled.
fn profile(Setting { seed, scale }: Setting, breaker: BreakerPolicy) -> Profile {
    Profile::interactive()
        .breaker(breaker)
        .classify(ClassifyPolicy::default().commit(Commit::Complete))
        .retry(RetryPolicy::default().seed(seed))
        .scaled(scale)
}
