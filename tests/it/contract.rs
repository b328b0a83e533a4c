//! Tower's contract: every layer, and all of them together, over a service whose clones are not ready until they are polled.

use evenkeel::{
    Client, Profile,
    balance::{BalanceLayer, BalancePolicy},
    breaker::BreakerPolicy,
    cache::CachePolicy,
    classify::{ClassifyLayer, ClassifyPolicy},
    credentials::{CredentialLayer, Credentials},
    fallback::{Fallback, FallbackPolicy, Target},
    hedge::HedgePolicy,
    limit::{Concurrency, LimitPolicy},
    retry::RetryPolicy,
    stream::CommitPolicy,
    telemetry::{AttemptSpanLayer, TelemetryLayer},
    timeout::{DeadlinePolicy, TimeoutPolicy},
};
use evenkeel_testkit::{Probe, probe::check};
use tower::layer::{layer_fn, util::Stack};

use crate::support::secondary;

#[tokio::test(start_paused = true)]
async fn telemetry_keeps_the_contract() {
    assert_eq!(check(TelemetryLayer::new()).await, []);
}

#[tokio::test(start_paused = true)]
async fn attempts_keep_the_contract() {
    assert_eq!(check(AttemptSpanLayer::default()).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_keeps_the_contract() {
    assert_eq!(check(DeadlinePolicy::new().build().unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_cache_keeps_the_contract() {
    assert_eq!(check(CachePolicy::new().build().unwrap()).await, []);
    let all = CachePolicy::new().serve_fresh_for(std::time::Duration::from_secs(60)).coalesce(true);
    assert_eq!(check(all.build().unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_fallbacks_keeps_the_contract() {
    assert_eq!(check(FallbackPolicy::new().build().unwrap()).await, []);
    let long = FallbackPolicy::new().fallback(secondary()).fallback(Fallback::canned("busy"));
    assert_eq!(check(long.build().unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn hedging_keeps_the_contract() {
    assert_eq!(check(HedgePolicy::new().build().unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn retries_keep_the_contract() {
    assert_eq!(check(RetryPolicy::new().build().unwrap()).await, []);
    assert_eq!(check(RetryPolicy::new().retries(0).build().unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn balancing_keeps_the_contract() {
    assert_eq!(check(BalanceLayer::default()).await, []);
    let targets = ["http://one/v1", "http://two/v1"].map(Target::new);
    assert_eq!(check(BalancePolicy::new().build(targets).unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_keeps_the_contract() {
    assert_eq!(check(BreakerPolicy::default().build().unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_limits_keep_the_contract() {
    assert_eq!(check(LimitPolicy::new().build().unwrap()).await, []);
    let one = LimitPolicy::new().concurrency(Concurrency::Fixed(1));
    assert_eq!(check(one.build().unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_keeps_the_contract() {
    assert_eq!(check(TimeoutPolicy::new().build().unwrap()).await, []);
}

#[tokio::test(start_paused = true)]
async fn classification_keeps_the_contract() {
    assert_eq!(check(ClassifyLayer::default()).await, []);
}

#[tokio::test(start_paused = true)]
async fn credentials_keep_the_contract() {
    assert_eq!(check(CredentialLayer::default()).await, []);
    let token = || async { Ok::<_, evenkeel::BoxError>(Credentials::bearer("its token")) };
    let client = layer_fn(move |probe: Probe| {
        let target = Target::new("http://one/v1").credentials(token);
        Client::builder().primary(target).build_with(probe).unwrap()
    });
    assert_eq!(check(client).await, []);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_of_several_layers_keeps_the_contract() {
    let timeout = TimeoutPolicy::new().build().unwrap();
    let breaker = BreakerPolicy::default().build().unwrap();
    let inner = Stack::new(ClassifyLayer::default(), timeout);
    assert_eq!(check(Stack::new(inner, breaker)).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_client_keeps_the_contract() {
    let client = layer_fn(|probe: Probe| Client::builder().build_with(probe).unwrap());
    assert_eq!(check(client).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_client_with_fallbacks_that_commits_late_keeps_the_contract() {
    let client = layer_fn(|probe: Probe| {
        let whole = ClassifyPolicy::default().commit(CommitPolicy::Complete);
        let equals = ["http://one/v1", "http://two/v1"].map(Target::new);
        let profile = Profile::interactive().classify(whole);
        let builder = Client::builder().profile(profile).primaries(equals);
        builder.fallback(secondary()).fallback(Fallback::canned("busy")).build_with(probe).unwrap()
    });
    // A stream that is held back until it is complete cannot be dropped half-way.
    assert_eq!(check(client).await, []);
}
