//! A rule: which attempts have which fault.

use std::time::Duration;

use super::{Fault, Pattern};
use crate::{ConfigError, context::Route, dialect::Operation};

/// Which attempts have a fault, how many of them, and when.
///
/// # Defaults
///
/// * every attempt, whatever its target, model and operation
/// * a share of 1: all of them
/// * as long as chaos is on
/// * any number at a time
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a rule does nothing until it is in a policy"]
pub struct ChaosRule {
    pub(super) fault: Fault,
    pub(super) target: Option<Pattern>,
    pub(super) model: Option<Pattern>,
    pub(super) operation: Option<Operation>,
    pub(super) share: f64,
    pub(super) after: Duration,
    pub(super) lasts: Option<Duration>,
    pub(super) at_most: Option<u32>,
}

/// What a rule asks about an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttemptFacts<'a> {
    /// The names of the fallback and of the provider; empty where there is none.
    pub(super) names: [&'a str; 2],
    pub(super) route: &'a Route,
    /// The model without the suffix of an edited request.
    pub(super) model: &'a str,
    pub(super) operation: Operation,
    pub(super) stream: bool,
}

// === impl ChaosRule ===

impl ChaosRule {
    /// Injects that fault.
    pub fn new(fault: impl Into<Fault>) -> Self {
        Self {
            fault: fault.into(),
            target: None,
            model: None,
            operation: None,
            share: 1.0,
            after: Duration::ZERO,
            lasts: None,
            at_most: None,
        }
    }

    /// Only attempts at that target: the name of a fallback (`primary` is the first, unless it has another name), the
    /// [name](crate::fallback::Target::provider) of a target's provider, the label of its key, or the provider of a
    /// [route](crate::context::Route), which is the host, with its port if that is given. A `*` stands for any characters.
    pub fn target(mut self, pattern: &str) -> Self {
        self.target = Some(Pattern::new(pattern));
        self
    }

    /// Only attempts with that model, as the target is asked for it. A `*` stands for any characters.
    pub fn model(mut self, pattern: &str) -> Self {
        self.model = Some(Pattern::new(pattern));
        self
    }

    /// Only attempts of that operation.
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// The share of these attempts that have the fault, from 0 to 1. The shares of rules for the same attempts add up; beyond 1,
    /// the later rules have what is left.
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Begins that long after chaos was switched on.
    pub fn after(mut self, wait: Duration) -> Self {
        self.after = wait;
        self
    }

    /// Lasts that long, counted from its begin.
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    /// At most that number of attempts have the fault at a time; others are left alone. A fault in a body is over when the body
    /// is.
    pub fn at_most(mut self, attempts: u32) -> Self {
        self.at_most = Some(attempts);
        self
    }

    /// Whether the rule is for that attempt.
    pub(super) fn is_for(&self, attempt: &AttemptFacts<'_>) -> bool {
        let named = |pattern: &Pattern| {
            let route = [attempt.route.provider(), attempt.route.credential()];
            attempt.names.iter().chain(&route).any(|name| pattern.matches(name))
        };
        self.target.as_ref().is_none_or(named)
            && self.model.as_ref().is_none_or(|pattern| pattern.matches(attempt.model))
            && self.operation.is_none_or(|operation| operation == attempt.operation)
            && (attempt.stream || !self.fault.needs_stream())
    }

    /// Whether its time is now: `on` is the time since chaos was switched on.
    pub(super) fn is_due(&self, on: Duration) -> bool {
        let Some(since) = on.checked_sub(self.after) else { return false };
        self.lasts.is_none_or(|lasts| since < lasts)
    }

    /// Checks the rule at that index.
    pub(super) fn check(&self, at: usize) -> Result<(), ConfigError> {
        let field = |name: &str| format!("chaos.rule[{at}].{name}");
        if !(0.0..=1.0).contains(&self.share) {
            return Err(ConfigError::new(field("share"), self.share, "a number from 0 to 1"));
        }
        if self.lasts == Some(Duration::ZERO) {
            return Err(ConfigError::new(field("for"), Duration::ZERO, "longer than zero"));
        }
        if self.at_most == Some(0) {
            return Err(ConfigError::new(field("at_most"), 0, "at least 1"));
        }
        for (name, pattern) in [("target", &self.target), ("model", &self.model)] {
            if let Some(blank) = pattern.as_ref().filter(|pattern| pattern.as_str().is_empty()) {
                return Err(ConfigError::new(
                    field(name),
                    blank,
                    "a name, in which * stands for any characters",
                ));
            }
        }
        self.fault.check(&field)
    }
}

// === impl Fault ===

impl Fault {
    fn check(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        match self {
            Self::Status { status } if !(400..600).contains(&status.as_u16()) => {
                Err(ConfigError::new(field("status"), status.as_u16(), "400 to 599"))
            }
            Self::Drip { bytes: 0, .. } => Err(ConfigError::new(field("bytes"), 0, "at least 1")),
            // Without a pause it would never give the thread back to others, nor to the timer that ends it.
            Self::Endless { every, .. }
            | Self::Drip { every, .. }
            | Self::Comments { every, .. }
                if *every < Duration::from_millis(1) =>
            {
                Err(ConfigError::new(field("every"), every, "1 ms and more"))
            }
            _ => Ok(()),
        }
    }
}
