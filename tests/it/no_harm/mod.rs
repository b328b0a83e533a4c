//! No caller fares worse with evenkeel than with the plain client or with the retries of the official SDKs, and no caller's
//! requests change what another caller gets. All of it is in virtual time, over a provider whose answer depends on the number of
//! the call and of the attempt alone: every client under comparison meets the same fate.

mod breaker_closes;
mod many_keys;
mod neighbours;
mod never_worse;
mod partial_failure;
mod partial_failure_table;
mod short_deadlines;
mod simulation;

use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

/// Runs a law: on the same cases every time, unless `PROPTEST_RNG_SEED` names others, and on as many as `PROPTEST_CASES` says where
/// that is set. A case is a whole day, so that a failing one is made smaller in a few steps only.
fn law<S: Strategy>(
    cases: u32,
    strategy: S,
    check: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let set = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    config.cases = set.unwrap_or(cases);
    config.max_shrink_iters = 16;
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(7);
    }
    if let Err(error) = TestRunner::new(config).run(&strategy, check) {
        panic!("{error}");
    }
}
