//! The retry hints of a provider: all sources, their precedence, and their limits.
//!
//! Hints are read in one order: `retry-after-ms`, `x-ms-retry-after-ms`, `x-amz-retry-after`, `retry-after`, the delay in the
//! body, the text of the message, and last the reset of an empty rate-limit bucket. The first usable one counts. Zero, negative,
//! infinite and NaN are not usable; a usable hint is clamped to [`FLOOR`] and [`MOST`].

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::{duration_parse, quota_reset::QuotaReset};

/// The shortest wait of a hint: 50 ms. A hint of a microsecond would cause a hot loop.
pub(crate) const FLOOR: Duration = Duration::from_millis(50);

/// The longest wait of a hint: 24 h. The layers wait far less; this limit keeps the reported hint close to the provider's value
/// and within the range of computation.
pub(crate) const MOST: Duration = Duration::from_secs(24 * 3600);

/// The hints of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RetryHints {
    /// The wait that the provider asks for.
    pub(crate) asked: Option<Duration>,
    /// The time until an empty rate-limit bucket is full again: later than needed, and for rate limits only.
    pub(crate) reset: Option<Duration>,
    /// The time until an exhausted quota is renewed by the calendar.
    pub(crate) renewed: Option<Duration>,
}

/// The hints in a body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InBody<'a> {
    /// A delay in seconds, from a field of its own.
    pub(crate) delay: Option<f64>,
    /// The message.
    pub(crate) message: &'a str,
    /// The calendar by which a quota is renewed.
    pub(crate) renewal: Option<QuotaReset>,
}

/// Rate-limit buckets: the headers with the remaining amount, and with the reset.
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

/// The largest difference between a provider's clock and ours that is accepted.
const CLOCK: Duration = Duration::from_secs(24 * 3600);

/// The provider's time when it answered, by its `Date` header: times in the answer are relative to it. Returns `ours` if the
/// header is missing, more than a day off, or within 2 s of ours.
pub fn provider_time(headers: &HeaderMap, ours: SystemTime) -> SystemTime {
    let date = text(headers, "date").and_then(|date| httpdate::parse_http_date(date).ok());
    let Some(date) = date else { return ours };
    let apart = date.duration_since(ours).unwrap_or_else(|behind| behind.duration());
    let same = apart <= Duration::from_secs(2);
    if same || apart > CLOCK { ours } else { date }
}

// === impl RetryHints ===

impl RetryHints {
    /// All hints of an answer that arrived at `now`.
    pub(crate) fn read(headers: &HeaderMap, body: InBody<'_>, now: SystemTime) -> Self {
        let asked = in_headers(headers, now)
            // Some servers send a time where a duration belongs. No hint is thirty years.
            .map(|seconds| duration_parse::from_now(seconds, now))
            .chain(body.delay)
            .chain(duration_parse::in_text(body.message, now))
            .find_map(usable);
        let reset = || BUCKETS.iter().filter_map(|bucket| reset(headers, bucket, now)).max();
        let renewed = body.renewal.and_then(|renewal| usable(renewal.seconds(now)?));
        Self { asked, reset: reset(), renewed }
    }
}

/// The seconds in the headers, best source first, as they were sent: zero, negative and NaN too. The first is what the official
/// clients read.
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

/// The wait for a hint in seconds, if it is usable.
pub(crate) fn usable(seconds: f64) -> Option<Duration> {
    let sane = seconds.is_finite() && seconds > 0.0;
    sane.then(|| Duration::from_secs_f64(seconds.min(MOST.as_secs_f64())).max(FLOOR))
}

/// The time until an empty bucket is full again. A bucket that is not empty, or reports `-1`, is no hint.
fn reset(headers: &HeaderMap, bucket: &(&str, &str), now: SystemTime) -> Option<Duration> {
    let left = text(headers, bucket.0).and_then(number)?;
    let reset = text(headers, bucket.1).filter(|_| left == 0.0)?;
    usable(duration_parse::moment(reset, now)?)
}

/// The time until a reset, which may be a duration, seconds, or a time; zero if it has passed.
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
