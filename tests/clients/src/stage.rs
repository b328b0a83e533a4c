//! Two providers on loopback sockets, and evenkeel with limits a tenth of those in production.

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, Profile,
    breaker::BreakerPolicy,
    classify::ClassifyPolicy,
    fallback::{Fallback, FallbackPolicy, Target},
    retry::RetryPolicy,
    stream::CommitPolicy,
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{Provider, Reply, Server};

/// The key that the client sends, and that the primary requires.
pub const KEY: &str = "key-of-the-caller";
/// The key of the fallback, which requires it.
pub const OTHER_KEY: &str = "key-of-the-fallback";
/// The model of the fallback.
pub const OTHER_MODEL: &str = "other-model";

/// A primary that fails as configured, and a healthy fallback.
#[derive(Debug)]
pub struct Stage {
    pub primary: Provider,
    pub fallback: Provider,
    servers: [Server; 2],
}

// === impl Stage ===

impl Stage {
    /// A primary with these replies in order, and whole answers after them.
    pub async fn of(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with(Provider::new("primary").replies(replies)).await
    }

    /// A primary that always sends this reply.
    pub async fn always(reply: Reply) -> Self {
        Self::with(Provider::new("primary").always(reply)).await
    }

    pub async fn with(primary: Provider) -> Self {
        let primary = primary.requires(KEY);
        let fallback = Provider::new("fallback").requires(OTHER_KEY);
        let start = async |provider: &Provider| {
            let server = Server::start(provider.clone()).await.expect("a loopback port is free");
            server.settle().await;
            server
        };
        let servers = [start(&primary).await, start(&fallback).await];
        Self { primary, fallback, servers }
    }

    /// The base URL of the primary's API.
    pub fn url(&self) -> String {
        format!("{}/v1", self.servers[0].url())
    }

    /// The fallback target.
    pub fn fallback(&self) -> Fallback {
        let base = format!("{}/v1", self.servers[1].url());
        Fallback::target(Target::new(base).bearer(OTHER_KEY).model(OTHER_MODEL))
    }

    /// evenkeel with that profile and the fallback.
    pub fn evenkeel(&self, profile: Profile) -> ClientBuilder {
        builder(profile).fallback_policy(FallbackPolicy::new().fallback(self.fallback()))
    }

    /// The number of attempts that each of the two has received.
    pub fn attempts(&self) -> [u64; 2] {
        [self.primary.count(), self.fallback.count()]
    }
}

/// evenkeel with that profile and no fallback.
pub fn builder(profile: Profile) -> ClientBuilder {
    Client::builder().profile(profile)
}

/// A profile whose breakers open for `wait`, without jitter, after the first failed call; without retries.
pub fn brittle(wait: Duration) -> Profile {
    let breaker =
        BreakerPolicy::default().consecutive_failures(1).open_backoff(wait..=wait).jitter(0.0);
    profile(CommitPolicy::FirstContent).retry(RetryPolicy::default().retries(0)).breaker(breaker)
}

/// [`Profile::interactive`] with a tenth of its times.
pub fn profile(commit: CommitPolicy) -> Profile {
    let tenths = |n: u64| Duration::from_millis(100 * n);
    Profile::interactive()
        .deadline(tenths(60))
        .connect(tenths(10))
        .timeout(
            TimeoutPolicy::default().attempt(tenths(20)).first_event(tenths(10)).idle(tenths(15)),
        )
        .retry(
            RetryPolicy::default()
                .base(Duration::from_millis(25))
                .max_backoff(tenths(4))
                .min_attempt_time(tenths(1)),
        )
        .breaker(
            BreakerPolicy::default()
                .slow_ratio(None)
                .open_backoff(tenths(5)..=tenths(10))
                .ramp(tenths(20), 0.1),
        )
        .classify(ClassifyPolicy::default().commit(commit))
}
