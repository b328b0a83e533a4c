//! The tables of the file that name fallbacks, as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A `[[target]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetTable {
    pub(crate) name: Spanned<String>,
    /// Targets of the same group are equal: one fallback.
    pub(crate) group: Option<Spanned<String>>,
    pub(crate) base_url: Option<Spanned<String>>,
    pub(crate) model: Option<Spanned<String>>,
    pub(crate) key_env: Option<Spanned<String>>,
    /// A file with the key, read again when it may have changed.
    pub(crate) key_file: Option<Spanned<String>>,
    pub(crate) key_header: Option<Spanned<String>>,
    pub(crate) dialect: Option<Spanned<String>>,
    pub(crate) keep_foreign_reasoning: Option<Spanned<bool>>,
    pub(crate) compatibility: Option<Spanned<String>>,
    // Of the group: see `capabilities`.
    pub(crate) context: Option<Spanned<u64>>,
    pub(crate) tools: Option<Spanned<bool>>,
    pub(crate) vision: Option<Spanned<bool>>,
    pub(crate) json: Option<Spanned<bool>>,
    pub(crate) prefill: Option<Spanned<String>>,
    pub(crate) max_tokens: Option<Spanned<u64>>,
    pub(crate) without_tools: Option<Spanned<bool>>,
    pub(crate) without_images: Option<Spanned<bool>>,
    pub(crate) unstreamed: Option<Spanned<bool>>,
    pub(crate) fit_context: Option<Spanned<u64>>,
    pub(crate) rename: Option<Spanned<BTreeMap<String, String>>>,
    pub(crate) drop: Option<Spanned<Vec<String>>>,
    pub(crate) set: Option<Spanned<BTreeMap<String, toml::Value>>>,
    pub(crate) reserve: Option<Spanned<f64>>,
    pub(crate) operations: Option<Spanned<Vec<Spanned<String>>>>,
}

/// A `[[stored]]`: the stored answer to the same request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredTable {
    pub(crate) name: Spanned<String>,
    pub(crate) age: Spanned<f64>,
}

/// A `[[canned]]`: a reply that cannot fail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CannedTable {
    pub(crate) name: Spanned<String>,
    pub(crate) text: Spanned<String>,
}

/// The tables that name fallbacks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables<'a> {
    pub(crate) targets: &'a [Spanned<TargetTable>],
    pub(crate) stored: &'a [Spanned<StoredTable>],
    pub(crate) canned: &'a [Spanned<CannedTable>],
}
