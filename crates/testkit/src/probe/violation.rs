//! How a layer can break the contract.

use std::fmt;

/// A rule that was broken, and in which part of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The part of the check.
    pub during: &'static str,
}

/// What a layer must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// It called the upstream without having polled that very service ready.
    CalledUnready,
    /// It did not come to an end within a minute.
    Stuck,
    /// It failed although the upstream did not.
    Failed,
    /// It changed what the upstream said.
    Changed,
    /// An attempt went on at the upstream although its call was dropped.
    LeftBehind,
    /// It polled the upstream again and again without need.
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
            Self::CalledUnready => "called the upstream without having polled it ready",
            Self::Stuck => "did not come to an end",
            Self::Failed => "failed although the upstream did not",
            Self::Changed => "changed what the upstream said",
            Self::LeftBehind => "left an attempt behind at the upstream",
            Self::Spins => "polled the upstream without need",
            Self::Panicked => "panicked",
        })
    }
}
