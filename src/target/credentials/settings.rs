//! The times of credentials.

use std::time::Duration;

use crate::ConfigError;

/// The times of credentials, validated by [`check`](Self::check).
#[derive(Clone, Copy, Debug)]
pub(crate) struct CredentialTimes {
    /// How long before their end credentials are refreshed, if that was set.
    pub(super) refresh_before: Option<Duration>,
    pub(super) min_refresh_interval: Duration,
    pub(super) timeout: Duration,
}

// === impl CredentialTimes ===

impl CredentialTimes {
    /// The usual margin: longer than any attempt waits for its first content.
    const MARGIN: Duration = Duration::from_secs(60);
    /// The least time between two fetches.
    pub(super) const LEAST_INTERVAL: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// How long before their end credentials with that lifetime are refreshed.
    pub(super) fn margin(&self, lifetime: Duration) -> Duration {
        match self.refresh_before {
            None => Self::MARGIN.min(lifetime / 10),
            Some(before) => before.min(lifetime / 2),
        }
    }

    /// The least time between a fetch and the next one. Credentials that expire sooner are fetched more often.
    pub(super) fn interval(&self, lifetime: Option<Duration>) -> Duration {
        let half = lifetime.filter(|lifetime| !lifetime.is_zero()).map(|lifetime| lifetime / 2);
        half.map_or(self.min_refresh_interval, |half| {
            half.max(Self::LEAST_INTERVAL).min(self.min_refresh_interval)
        })
    }

    pub(super) fn check(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        let from = |least: Duration, name: &str, value: Duration| match value {
            value if (least..=Self::LONGEST).contains(&value) => Ok(()),
            value => {
                let allowed = format!("{least:?} to a day");
                Err(ConfigError::new(field(name), value, allowed))
            }
        };
        let interval = self.min_refresh_interval;
        from(Self::LEAST_INTERVAL, "credentials.min_refresh_interval", interval)?;
        from(Duration::from_millis(1), "credentials.timeout", self.timeout)?;
        let before = self.refresh_before.unwrap_or_default();
        from(Duration::ZERO, "credentials.refresh_before", before)
    }
}

impl Default for CredentialTimes {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { refresh_before: None, min_refresh_interval: seconds(10), timeout: seconds(10) }
    }
}
