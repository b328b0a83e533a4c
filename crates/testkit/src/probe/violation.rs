//! The rules of the contract, and their violations.

use std::fmt;

/// A rule that a layer broke, and the case of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The case of the check.
    pub during: &'static str,
}

/// A rule of the contract, by its violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// It called a service that was not polled ready.
    CalledUnready,
    /// It did not return within a minute.
    Stuck,
    /// It failed although the upstream did not.
    Failed,
    /// It changed the answer of the upstream.
    Changed,
    /// An attempt stayed in progress at the upstream after its call was dropped.
    LeftBehind,
    /// It polled the upstream in a loop.
    Spins,
    /// It panicked.
    Panicked,
}

// === impl Violation ===

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.rule, self.during)
    }
}

// === impl Rule ===

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CalledUnready => "called the upstream without polling it ready",
            Self::Stuck => "did not return",
            Self::Failed => "failed although the upstream did not",
            Self::Changed => "changed the answer of the upstream",
            Self::LeftBehind => "left an attempt in progress at the upstream",
            Self::Spins => "polled the upstream in a loop",
            Self::Panicked => "panicked",
        })
    }
}
