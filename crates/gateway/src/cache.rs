//! The table `[cache]`: stored answers.

use evenkeel::cache::CachePolicy;
use serde::Deserialize;
use toml::Spanned;

use super::config_location::{ConfigSource, MONTH};

/// The table `[cache]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CacheTable {
    serve_fresh_for: Option<Spanned<f64>>,
    coalesce: Option<bool>,
    max_entry_bytes: Option<Spanned<u64>>,
}

// === impl CacheTable ===

impl CacheTable {
    /// The policy, each value validated by itself.
    pub(crate) fn policy(&self, source: ConfigSource<'_>) -> Result<CachePolicy, String> {
        let mut cache = CachePolicy::new().coalesce(self.coalesce.unwrap_or_default());
        if let Some(age) = &self.serve_fresh_for {
            cache = cache.serve_fresh_for(source.seconds("cache.serve_fresh_for", age, MONTH)?);
        }
        if let Some(bytes) = &self.max_entry_bytes {
            let bytes = source.at_least("cache.max_entry_bytes", bytes, 1)?;
            cache = cache.max_entry_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        Ok(cache)
    }
}
