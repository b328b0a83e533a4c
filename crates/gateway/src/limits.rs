//! The table `[limits]`: of calls, and of the gateway itself.

use std::{ops::Range, time::Duration};

use evenkeel::{
    ConfigError, Profile, breaker::BreakerPolicy, retry::RetryPolicy, timeout::TimeoutPolicy,
};
use serde::Deserialize;
use toml::Spanned;

use super::{
    call_times::{CallTimes, ExplicitLimits, seconds},
    config_location::ConfigSource,
    options::ProfileName,
};

/// The table `[limits]`; a limit that is not set is the profile's. Times are in seconds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    deadline: Option<Spanned<f64>>,
    connect: Option<Spanned<f64>>,
    attempt: Option<Spanned<f64>>,
    first_event: Option<Spanned<f64>>,
    idle: Option<Spanned<f64>>,
    retries: Option<Spanned<u32>>,
    other: Option<Spanned<f64>>,
    drain: Option<Spanned<f64>>,
    body: Option<Spanned<u64>>,
    connections: Option<Spanned<u32>>,
}

/// The limits of the gateway, and the profiles of its two clients.
#[derive(Clone, Debug)]
pub(crate) struct GatewayLimits {
    /// For calls in a known dialect.
    pub(crate) chat: Profile,
    /// For everything else: uploads, images, lists. One time limit fits them all.
    pub(crate) other: Profile,
    pub(crate) connect: Duration,
    /// How long requests in flight may take after the signal to shut down.
    pub(crate) drain: Duration,
    /// The largest request body that is buffered, in bytes.
    pub(crate) body: usize,
    pub(crate) connections: usize,
}

/// A value that is not allowed: its position, its key, and what is wrong with it.
struct KeyError {
    at: Range<usize>,
    key: &'static str,
    what: String,
}

/// A week in seconds: longer is a mistake.
const MAX_SECONDS: f64 = 7.0 * 24.0 * 3600.0;
const MIB: u64 = 1024 * 1024;

// === impl GatewayLimits ===

impl GatewayLimits {
    /// The limits, each valid by itself. `source` is the file that an error names.
    pub(crate) fn new(
        name: ProfileName,
        table: &LimitsTable,
        source: Option<ConfigSource<'_>>,
    ) -> Result<Self, String> {
        let errors = table.time_error().or_else(|| table.count_error());
        match (errors, source) {
            (None, _) => Ok(table.limits(name)),
            (Some(KeyError { at, key, what }), Some(source)) => {
                Err(source.error_at(&at, &format!("limits.{key}"), &what))
            }
            (Some(KeyError { key, what, .. }), None) => Err(format!("limits.{key} {what}")),
        }
    }
}

// === impl LimitsTable ===

impl LimitsTable {
    /// The position and the name of the key that an error of evenkeel is about.
    pub(crate) fn location_of(&self, error: &ConfigError) -> (Range<usize>, String) {
        let name = error.field().rsplit('.').next().unwrap_or_default();
        let found = self.times().into_iter().find(|(field, _)| *field == name);
        let at = found.and_then(|(_, value)| value).map_or(0..0, Spanned::span);
        (at, format!("limits.{name}"))
    }

    /// The first time limit with a value that is not allowed.
    fn time_error(&self) -> Option<KeyError> {
        let times = self.times().into_iter();
        let mut times = times.filter_map(|(key, time)| time.map(|time| (key, time)));
        let (key, time) =
            times.find(|(_, time)| !(0.001..=MAX_SECONDS).contains(time.get_ref()))?;
        let seconds = time.get_ref();
        let what =
            format!("is {seconds}; allowed is a number of seconds from 0.001 to {MAX_SECONDS}");
        Some(KeyError { at: time.span(), key, what })
    }

    /// The first count with a value that is not allowed.
    fn count_error(&self) -> Option<KeyError> {
        let whole = |value: &Spanned<u32>| (value.span(), u64::from(*value.get_ref()));
        let body = self.body.as_ref().map(|value| (value.span(), *value.get_ref()));
        let counts = [
            ("retries", self.retries.as_ref().map(whole), 0..=10),
            ("body", body, 1..=1024 * MIB),
            ("connections", self.connections.as_ref().map(whole), 1..=100_000),
        ];
        counts.into_iter().find_map(|(key, count, allowed)| {
            let (at, count) = count.filter(|(_, count)| !allowed.contains(count))?;
            let (min, max) = allowed.into_inner();
            let what = format!("is {count}; allowed is a whole number from {min} to {max}");
            Some(KeyError { at, key, what })
        })
    }

    fn times(&self) -> [(&'static str, Option<&Spanned<f64>>); 7] {
        [
            ("deadline", self.deadline.as_ref()),
            ("connect", self.connect.as_ref()),
            ("attempt", self.attempt.as_ref()),
            ("first_event", self.first_event.as_ref()),
            ("idle", self.idle.as_ref()),
            ("other", self.other.as_ref()),
            ("drain", self.drain.as_ref()),
        ]
    }

    fn limits(&self, name: ProfileName) -> GatewayLimits {
        let usual = CallTimes::of(name);
        let or = |value: &Option<Spanned<f64>>, default| {
            value.as_ref().map_or(default, |set| *set.get_ref())
        };
        let deadline = or(&self.deadline, usual.deadline);
        // Limits that are not set are clamped to those that are.
        let times = CallTimes {
            deadline,
            connect: or(&self.connect, usual.connect.min(deadline)),
            attempt: or(&self.attempt, usual.attempt.min(deadline)),
            first_event: or(&self.first_event, usual.first_event.min(deadline)),
            idle: or(&self.idle, usual.idle),
            set: ExplicitLimits {
                deadline: self.deadline.is_some(),
                attempt: self.attempt.is_some(),
                first_event: self.first_event.is_some(),
            },
        };
        let other = or(&self.other, 600.0);
        let connect = seconds(times.connect);
        let retries = self.retries.as_ref().map(|set| *set.get_ref());
        GatewayLimits {
            chat: times.profile(name, retries),
            other: Self::other_profile(other, connect, retries),
            connect,
            drain: seconds(or(&self.drain, 30.0)),
            body: self.body.as_ref().map_or(32 * MIB, |set| *set.get_ref()) as usize,
            connections: self.connections.as_ref().map_or(1024, |set| *set.get_ref()) as usize,
        }
    }

    /// The profile of requests that are not chats: an upload or an image may use all of its time, and does not count as slow.
    fn other_profile(other: f64, connect: Duration, retries: Option<u32>) -> Profile {
        let other = seconds(other);
        let timeout = TimeoutPolicy::default().attempt(other).first_event(other).idle(other);
        let retry = RetryPolicy::default().min_attempt_time(Duration::from_secs(1).min(other / 4));
        Profile::interactive()
            .deadline(other)
            .connect(connect.min(other))
            .timeout(timeout)
            .retry(retry.retries(retries.unwrap_or(2)))
            .breaker(BreakerPolicy::default().slow_ratio(None).probe_timeout(other))
    }
}
