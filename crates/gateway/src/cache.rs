//! The table `[cache]`: stored answers.

use evenkeel::cache::CachePolicy;
use serde::Deserialize;
use toml::Spanned;

use super::config_location::{ConfigSource, MONTH};

/// The table `[cache]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CacheTable {
    fresh: Option<Spanned<f64>>,
    coalesce: Option<bool>,
    largest: Option<Spanned<u64>>,
}

// === impl CacheTable ===

impl CacheTable {
    /// The policy, each value validated by itself.
    pub(crate) fn policy(&self, source: ConfigSource<'_>) -> Result<CachePolicy, String> {
        let mut cache = CachePolicy::new().coalesce(self.coalesce.unwrap_or_default());
        if let Some(fresh) = &self.fresh {
            cache = cache.fresh(source.seconds("cache.fresh", fresh, MONTH)?);
        }
        if let Some(largest) = &self.largest {
            let bytes = source.at_least("cache.largest", largest, 1)?;
            cache = cache.largest(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        Ok(cache)
    }
}
