//! The limits of the gateway itself, and the profile of requests that are not chats.

use std::time::Duration;

use evenkeel::{
    Profile, breaker::BreakerPolicy, config::Settings, retry::RetryPolicy, timeout::TimeoutPolicy,
};

/// The limits of the gateway, and the profile of its other requests.
#[derive(Clone, Debug)]
pub(crate) struct GatewayLimits {
    /// For everything but calls in a known dialect: uploads, images, lists. One time limit fits them all.
    pub(crate) other: Profile,
    pub(crate) connect: Duration,
    /// How long requests in flight may take after the signal to shut down.
    pub(crate) drain: Duration,
    /// The largest request body that is buffered, in bytes.
    pub(crate) body: usize,
    /// The bytes of request bodies that are held at a time.
    pub(crate) body_budget: usize,
    /// The longest deadline that a caller can set, for a call in a known dialect and for another request.
    pub(crate) chat_deadline: Duration,
    pub(crate) other_deadline: Duration,
    pub(crate) connections: usize,
}

const MIB: usize = 1024 * 1024;
/// The time of a request that is not a chat.
const OTHER: Duration = Duration::from_secs(600);

// === impl GatewayLimits ===

impl GatewayLimits {
    pub(crate) fn new(settings: &Settings) -> Self {
        let set = &settings.server;
        Self {
            other: other_profile(settings),
            connect: set.connect,
            drain: set.drain.unwrap_or(Duration::from_secs(30)),
            body: set.body.unwrap_or(32 * MIB),
            body_budget: set.body_budget.unwrap_or(256 * MIB),
            chat_deadline: set.longest_deadline,
            other_deadline: set.other.unwrap_or(OTHER),
            connections: set.connections.unwrap_or(1024),
        }
    }
}

/// The profile of requests that are not chats: an upload or an image may use all of its time, and does not count as slow.
fn other_profile(settings: &Settings) -> Profile {
    let set = &settings.server;
    let other = set.other.unwrap_or(OTHER);
    let timeout = TimeoutPolicy::default().attempt(other).first_event(other).idle(other);
    let retry = RetryPolicy::default().min_attempt_time(Duration::from_secs(1).min(other / 4));
    let profile = Profile::interactive()
        .deadline(other)
        .connect(set.connect.min(other))
        .timeout(timeout)
        .retry(retry.retries(set.retries.unwrap_or(2)))
        .breaker(BreakerPolicy::default().slow_ratio(None).probe_timeout(other));
    settings.error_codes.iter().cloned().fold(profile, Profile::error_codes)
}
