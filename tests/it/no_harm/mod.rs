//! No caller has a worse result with evenkeel than with the plain client or with the retries of the official SDKs, and no
//! caller's requests change the results of another. All tests are in virtual time, over a provider whose answer depends only on
//! the number of the call and of the attempt: every client under comparison gets the same answers.

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

/// Runs a law: on the same cases every time, unless `PROPTEST_RNG_SEED` is set, and on `PROPTEST_CASES` cases where that is set.
/// A case is a whole day, so a failing one is shrunk in a few steps only.
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
