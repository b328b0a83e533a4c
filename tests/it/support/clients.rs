//! A client over providers in this process.

use evenkeel::{
    Client, ClientBuilder, Error, Profile, Request,
    breaker::{BreakerPolicy, CircuitState},
    classify::ClassifyPolicy,
    fallback::{Fallback, Target},
    retry::RetryPolicy,
    stream::CommitPolicy,
};
use evenkeel_testkit::{Hosts, Provider};

use super::bodies::{Answer, read};

/// A client over providers, each at the host of its name.
pub(crate) fn over<const N: usize>(builder: ClientBuilder, providers: [&Provider; N]) -> Client {
    builder.build_with(Hosts::new(providers.map(Clone::clone))).unwrap()
}

/// A primary and a secondary at the hosts of their names.
pub(crate) fn pair() -> (Provider, Provider) {
    (Provider::new("primary"), Provider::new("secondary"))
}

/// The second target: another host with its own model and key.
pub(crate) fn secondary() -> Fallback {
    Fallback::target(Target::new("http://secondary/v1").bearer("the-second-key").model("spare"))
}

/// One call, and its whole answer.
pub(crate) async fn call(client: &Client, request: Request) -> Result<Answer, Error> {
    Ok(read(client.send(request).await?).await)
}

/// [`Profile::interactive`] with another commit point.
pub(crate) fn committing(commit: CommitPolicy) -> Profile {
    Profile::interactive().classify(ClassifyPolicy::default().commit(commit))
}

pub(crate) fn without_retries() -> Profile {
    Profile::interactive().retry(RetryPolicy::default().retries(0))
}

/// A breaker without rules, which never opens: for tests of other layers.
pub(crate) fn no_breaker() -> BreakerPolicy {
    BreakerPolicy::default().consecutive_failures(None).failure_ratio(None).slow_ratio(None)
}

/// The state of the first breaker of a provider.
pub(crate) fn state_of(client: &Client, provider: &str) -> CircuitState {
    let list = client.breakers().list();
    let found = list.iter().find(|(route, _)| route.provider() == provider);
    found.expect("the provider was asked").1.state
}

/// Whether all breakers of a client are closed.
pub(crate) fn all_closed(client: &Client) -> bool {
    client.breakers().list().iter().all(|(_, shown)| shown.state == CircuitState::Closed)
}

/// Asserts that no breaker of a client has opened or counted a failure.
#[track_caller]
pub(crate) fn assert_no_failure(client: &Client) {
    for (route, shown) in client.breakers().list() {
        let failed = shown.failure_ratio.unwrap_or_default();
        assert_eq!((shown.state, failed), (CircuitState::Closed, 0.0), "{route}");
    }
}
