//! The settings of chaos.

use super::{ChaosRule, ChaosSwitch};
use crate::ConfigError;

/// Which faults are injected, and the switch that they obey.
///
/// # Defaults
///
/// * no rules
/// * seed 0
#[derive(Clone, Debug)]
#[must_use = "a policy does nothing until a client or a layer is built with it"]
pub struct ChaosPolicy {
    pub(super) switch: ChaosSwitch,
    pub(super) seed: u64,
    pub(super) rules: Vec<ChaosRule>,
}

// === impl ChaosPolicy ===

impl ChaosPolicy {
    /// The most rules.
    pub const MAX_RULES: usize = 1024;

    /// No faults, and none while that switch is off.
    pub fn new(switch: &ChaosSwitch) -> Self {
        Self { switch: switch.clone(), seed: 0, rules: Vec::new() }
    }

    /// Sets the seed. The same seed and the same order of attempts since chaos was switched on give the same faults.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a rule. Of several that are for an attempt, at most one takes it.
    pub fn rule(mut self, rule: ChaosRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Obeys another switch: one that is kept while a configuration is read again.
    pub fn switched_by(mut self, switch: &ChaosSwitch) -> Self {
        self.switch = switch.clone();
        self
    }

    /// The switch.
    pub fn switch(&self) -> &ChaosSwitch {
        &self.switch
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.switch.check()?;
        if self.rules.len() > Self::MAX_RULES {
            let allowed = format!("at most {} rules", Self::MAX_RULES);
            return Err(ConfigError::new("chaos.rule", self.rules.len(), allowed));
        }
        self.rules.iter().enumerate().try_for_each(|(at, rule)| rule.check(at))
    }
}
