//! When a provider wants to be asked again: every retry hint, which one holds, and what is made of it.
//!
//! Hints are read in one order: `retry-after-ms`, `x-ms-retry-after-ms`, `x-amz-retry-after`, `retry-after`, the delay in
//! the body, the text of the message, and last the reset of a rate-limit bucket that is empty. The first that can be used
//! holds. Zero, negative, infinite and NaN cannot be used; what can is at least [`FLOOR`] and at most [`MOST`].

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::{duration_parse, quota_reset::QuotaReset};

/// The shortest wait that is made of a hint: a hint of a microsecond is a hot loop by another name.
pub(crate) const FLOOR: Duration = Duration::from_millis(50);

/// The longest. How long anybody is ready to wait is decided elsewhere, and is far less; this one only keeps the truth
/// for whoever tells it, within what can be computed with.
pub(crate) const MOST: Duration = Duration::from_secs(24 * 3600);

/// The hints of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RetryHints {
    /// What the provider asked for.
    pub(crate) asked: Option<Duration>,
    /// When an empty rate-limit bucket is full again: later than needed, and of a rate limit only.
    pub(crate) reset: Option<Duration>,
    /// When an exhausted quota is renewed by the calendar.
    pub(crate) renewed: Option<Duration>,
}

/// What a body says of waiting.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InBody<'a> {
    /// A delay in seconds, in a field of its own.
    pub(crate) delay: Option<f64>,
    /// The message for people.
    pub(crate) message: &'a str,
    /// By what calendar a quota is renewed.
    pub(crate) renewal: Option<QuotaReset>,
}

/// Rate-limit buckets: what is left in one, and when it is full again.
const BUCKETS: &[(&str, &str)] = &[
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
];

/// How far the clock of a provider may be from ours to be believed.
const CLOCK: Duration = Duration::from_secs(24 * 3600);

/// The time at the provider when it answered, by its `Date`: what it says of moments is read relative to it. Ours where
/// it sends none, one of another day, or one that differs by no more than its whole seconds and the way.
pub fn provider_time(headers: &HeaderMap, ours: SystemTime) -> SystemTime {
    let date = text(headers, "date").and_then(|date| httpdate::parse_http_date(date).ok());
    let Some(date) = date else { return ours };
    let apart = date.duration_since(ours).unwrap_or_else(|behind| behind.duration());
    let same = apart <= Duration::from_secs(2);
    if same || apart > CLOCK { ours } else { date }
}

// === impl RetryHints ===

impl RetryHints {
    /// All hints of an answer that came at `now`.
    pub(crate) fn read(headers: &HeaderMap, body: InBody<'_>, now: SystemTime) -> Self {
        let asked = in_headers(headers, now)
            // Some servers send the moment where a span belongs. Nobody asks for thirty years.
            .map(|seconds| duration_parse::from_now(seconds, now))
            .chain(body.delay)
            .chain(duration_parse::in_text(body.message, now))
            .find_map(usable);
        let reset = || BUCKETS.iter().filter_map(|bucket| reset(headers, bucket, now)).max();
        let renewed = body.renewal.and_then(|renewal| usable(renewal.seconds(now)?));
        Self { asked, reset: reset(), renewed }
    }
}

/// The seconds that the headers ask for, best source first, as they were spelled: zero, negative and NaN too. The first
/// is what the official clients read.
pub(crate) fn in_headers(headers: &HeaderMap, now: SystemTime) -> impl Iterator<Item = f64> {
    let number = |name| text(headers, name).and_then(number);
    let millis = |name| number(name).map(|millis| millis / 1000.0);
    let after = || text(headers, "retry-after");
    [
        millis("retry-after-ms"),
        millis("x-ms-retry-after-ms"),
        millis("x-amz-retry-after"),
        after().and_then(|value| number_or_date(value, now)),
    ]
    .into_iter()
    .flatten()
}

/// The wait that is made of a hint in seconds, if it is one.
pub(crate) fn usable(seconds: f64) -> Option<Duration> {
    let sane = seconds.is_finite() && seconds > 0.0;
    sane.then(|| Duration::from_secs_f64(seconds.min(MOST.as_secs_f64())).max(FLOOR))
}

/// When an empty bucket is full again. A bucket with something in it says nothing, and neither does one of `-1`.
fn reset(headers: &HeaderMap, bucket: &(&str, &str), now: SystemTime) -> Option<Duration> {
    let left = text(headers, bucket.0).and_then(number)?;
    let reset = text(headers, bucket.1).filter(|_| left == 0.0)?;
    usable(duration_parse::moment(reset, now)?)
}

/// How long it is until a reset as providers spell it: a span, seconds, or a moment; zero where it has passed.
pub fn time_until_reset(text: &str, now: SystemTime) -> Option<Duration> {
    let seconds = duration_parse::moment(text, now).filter(|seconds| seconds.is_finite())?;
    Some(Duration::from_secs_f64(seconds.clamp(0.0, 31.0 * MOST.as_secs_f64())))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn number_or_date(text: &str, now: SystemTime) -> Option<f64> {
    number(text).or_else(|| duration_parse::until_date(text, now))
}

#[cfg(test)]
mod tests;
