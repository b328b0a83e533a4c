//! The static values of labels.

use crate::{
    circuit_state::{CircuitState, TransitionReason},
    context::Priority,
    outcome::{Outcome, Phase, Rejection},
};

/// Every outcome, for the names of all.
pub(super) const OUTCOMES: [Outcome; 17] = [
    Outcome::Success,
    Outcome::Unavailable { wait: None },
    Outcome::RateLimited { wait: None },
    Outcome::QuotaExhausted { wait: None },
    Outcome::Unreachable,
    Outcome::ConnectionLost,
    Outcome::TimedOut { phase: Phase::Attempt },
    Outcome::Truncated,
    Outcome::Empty,
    Outcome::Malformed,
    Outcome::Unfinished,
    Outcome::TooLarge,
    Outcome::Blocked,
    Outcome::Rejected { why: Rejection::Request },
    Outcome::Declined,
    Outcome::NotSent { retry_in: None },
    Outcome::Cancelled,
];

/// The states of a breaker.
pub(super) const STATES: [CircuitState; 6] = [
    CircuitState::Closed,
    CircuitState::Recovering,
    CircuitState::HalfOpen,
    CircuitState::Open,
    CircuitState::ForcedOpen,
    CircuitState::ForcedClosed,
];

/// The reasons for which a breaker opens.
pub(super) const OPENINGS: [TransitionReason; 10] = [
    TransitionReason::Consecutive,
    TransitionReason::Ratio,
    TransitionReason::Slow,
    TransitionReason::Exhausted,
    TransitionReason::Unauthorized,
    TransitionReason::ProbeFailed,
    TransitionReason::ProbeSlow,
    TransitionReason::ProbeDropped,
    TransitionReason::ProbeHung,
    TransitionReason::Forced,
];

pub(super) const REJECTIONS: [Rejection; 7] = [
    Rejection::Credential,
    Rejection::Payment,
    Rejection::Permission,
    Rejection::Gateway,
    Rejection::Model,
    Rejection::Parameter,
    Rejection::Request,
];

pub(super) const PRIORITIES: [Priority; 2] = [Priority::Interactive, Priority::Batch];

pub(super) fn rejection(why: Rejection) -> &'static str {
    match why {
        Rejection::Credential => "credential",
        Rejection::Payment => "payment",
        Rejection::Permission => "permission",
        Rejection::Gateway => "gateway",
        Rejection::Model => "model",
        Rejection::Parameter => "parameter",
        Rejection::Request => "request",
        _ => "other",
    }
}

pub(super) fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Interactive => "interactive",
        Priority::Batch => "batch",
    }
}

pub(super) fn yes_or_no(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_own_name() {
        fn distinct(names: impl Iterator<Item = &'static str>) -> bool {
            let mut names: Vec<_> = names.collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            names.len() == count
        }
        assert!(distinct(OUTCOMES.iter().map(|outcome| outcome.name())));
        assert!(distinct(STATES.iter().map(|state| state.name())));
        assert!(distinct(OPENINGS.iter().map(|reason| reason.name())));
        assert!(distinct(REJECTIONS.iter().map(|why| rejection(*why))));
    }
}
