//! Faults on purpose: the table `[chaos]` and `--chaos` are both needed, and SIGUSR2 ends them.

use evenkeel::{ClientBuilder, chaos::ChaosPolicy, config::Settings};

/// The faults that are injected on purpose, if both keys are turned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chaos(Option<ChaosPolicy>);

// === impl Chaos ===

impl Chaos {
    /// The settings with their faults if these are asked for on the command line, and without them if not. The error is one line.
    pub(crate) fn settings(asked: bool, settings: Settings) -> Result<Settings, String> {
        match (settings.chaos().is_some(), asked) {
            (true, true) | (false, false) => Ok(settings),
            (false, true) => {
                Err("--chaos is without faults; allowed is it beside a file with a table [chaos]"
                    .into())
            }
            (true, false) => {
                tracing::info!(
                    "the file has a table [chaos], and --chaos is missing: no fault is injected"
                );
                Ok(settings.without_chaos())
            }
        }
    }

    /// The faults of the settings. The switch is that of the faults `before`, if there were some.
    pub(crate) fn of(settings: &Settings, before: Option<&Self>) -> Self {
        let before = before.and_then(|before| before.0.as_ref()).map(ChaosPolicy::switch);
        Self(settings.chaos().cloned().map(|policy| match before {
            Some(switch) => policy.switched_by(switch),
            None => policy,
        }))
    }

    /// Puts the faults into a client. All clients obey the same switch.
    pub(crate) fn within(&self, client: ClientBuilder) -> ClientBuilder {
        self.0.iter().cloned().fold(client, ClientBuilder::chaos)
    }

    /// Switches the faults on.
    pub(crate) fn start(&self) {
        let Some(policy) = &self.0 else { return };
        policy.switch().on();
        let lasts = policy.switch().ends_in().unwrap_or_default();
        tracing::warn!(
            "chaos is on for at most {lasts:.0?}: calls fail on purpose; SIGUSR2 switches it off"
        );
    }

    /// Switches the faults off, at once.
    pub(crate) fn stop(&self) {
        let Some(policy) = &self.0 else {
            return tracing::warn!("SIGUSR2: chaos is not configured, and nothing changes");
        };
        policy.switch().off();
        let injected = policy.switch().injected();
        tracing::warn!("SIGUSR2: chaos is off; {injected} faults were injected");
    }

    /// The state for `/healthz`; `None` without faults.
    pub(crate) fn state(&self) -> Option<&'static str> {
        self.0.as_ref().map(|policy| if policy.switch().is_on() { "on" } else { "off" })
    }
}
