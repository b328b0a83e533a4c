//! The tables that name fallbacks.

use std::collections::BTreeMap;

use http::HeaderName;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    config::values::{BaseUrl, Filled, Name, One, Parsed, Time, Variable, Whole},
    dialect::{Dialect, Operation, Prefill},
    fallback::{Compatibility, FallbackOn},
};

/// A target: another model, key, region or provider.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct TargetTable {
    /// Its name, in `fallbacks`, logs and the header `evenkeel-served-by`.
    pub(in crate::config) name: Parsed<Name>,
    /// Targets of the same group are equal: one fallback, with the name of the group. The keys from `context` on are set at its
    /// first target only.
    pub(in crate::config) group: Option<Parsed<Name>>,
    /// The base URL, with the path of the API. Default: where the request is addressed.
    pub(in crate::config) base_url: Option<Parsed<BaseUrl>>,
    /// The model, whatever the caller asked for. Default: the caller's.
    pub(in crate::config) model: Option<Parsed<Filled>>,
    /// The variable of the environment that holds the API key. Default: the caller's key, at the caller's own host only.
    pub(in crate::config) key_env: Option<Parsed<Variable>>,
    /// A file that holds the API key, in place of `key_env`, such as a mounted secret. It is read again every minute, and when the
    /// provider has rejected the key.
    pub(in crate::config) key_file: Option<Parsed<Filled>>,
    /// The header for the key. Default: `authorization`, as `Bearer KEY`.
    pub(in crate::config) key_header: Option<Parsed<HeaderName>>,
    /// The name of the key in routes and events. Default: the name of the target.
    pub(in crate::config) label: Option<Parsed<Name>>,
    /// The dialect, where the path does not determine it.
    pub(in crate::config) dialect: Option<One<Dialect>>,
    /// The path of a call, where it is not the usual one of the dialect: `/custom/complete`.
    pub(in crate::config) endpoint: Option<Parsed<Filled>>,
    /// The account of the target: targets with the same one share what is stored there.
    pub(in crate::config) account: Option<Parsed<Name>>,
    /// Whether the target deduplicates requests by the header `idempotency-key`. Default: false.
    pub(in crate::config) idempotent: Option<bool>,
    /// Whether the target takes reasoning that another provider has made. Default: false, which removes it.
    pub(in crate::config) keep_foreign_reasoning: Option<bool>,
    /// What the target accepts of the fields of its dialect. Default: guessed by host and model.
    pub(in crate::config) compatibility: Option<One<Compatibility>>,
    /// Its context, in tokens; a call that needs more skips it. Default: not declared.
    pub(in crate::config) context: Option<Whole<1, { u64::MAX }>>,
    /// Whether it takes tools. Default: true.
    pub(in crate::config) tools: Option<bool>,
    /// Whether it takes images. Default: true.
    pub(in crate::config) vision: Option<bool>,
    /// Whether it answers in JSON on request. Default: true.
    pub(in crate::config) json: Option<bool>,
    /// How it takes the beginning of an answer to continue. Default: not at all.
    pub(in crate::config) prefill: Option<One<Prefill>>,
    /// The most tokens of an answer. Default: the caller's.
    pub(in crate::config) max_tokens: Option<Whole<16, { u64::MAX }>>,
    /// Whether all tools are dropped. Default: false.
    pub(in crate::config) without_tools: Option<bool>,
    /// The tools that are dropped, by name.
    pub(in crate::config) without_tool: Option<Vec<Parsed<Filled>>>,
    /// A notice to the model that tools are missing, if one was dropped. Default: none.
    pub(in crate::config) tool_notice: Option<Parsed<Filled>>,
    /// Whether images are replaced by a placeholder. Default: false.
    pub(in crate::config) without_images: Option<bool>,
    /// The placeholder of an image. Default: `[image]`.
    pub(in crate::config) image_placeholder: Option<Parsed<Filled>>,
    /// Whether the reasoning of earlier turns is removed. Default: false.
    pub(in crate::config) without_reasoning: Option<bool>,
    /// Whether the answer is requested in one piece. Default: false.
    pub(in crate::config) unstreamed: Option<bool>,
    /// The oldest turns are dropped until the request fits a context of this many tokens. Default: none is.
    pub(in crate::config) fit_context: Option<Whole<256, { u64::MAX }>>,
    /// Fields of the request with another name: `max_tokens = "max_completion_tokens"`.
    pub(in crate::config) rename: Option<BTreeMap<String, String>>,
    /// Fields of the request that are dropped.
    pub(in crate::config) drop: Option<Vec<String>>,
    /// Fields of the request that are set.
    pub(in crate::config) set: Option<BTreeMap<String, Value>>,
    /// The time kept back for the fallbacks below. Default: a third of what is left.
    pub(in crate::config) reserve: Option<Time>,
    /// The operations it takes that otherwise stay at the first target. Default: none.
    pub(in crate::config) operations: Option<Vec<One<Operation>>>,
    /// The failures it takes. Default: all that move down.
    pub(in crate::config) on: Option<Vec<Parsed<FallbackOn>>>,
    /// How attempts are spread over the targets of the group.
    pub(in crate::config) balance: Option<BalanceTable>,
}

/// The keys that are set at the first target of a group only.
pub(in crate::config) const GROUP_KEYS: [&str; 21] = [
    "context",
    "tools",
    "vision",
    "json",
    "prefill",
    "max_tokens",
    "without_tools",
    "without_tool",
    "tool_notice",
    "without_images",
    "image_placeholder",
    "without_reasoning",
    "unstreamed",
    "fit_context",
    "rename",
    "drop",
    "set",
    "reserve",
    "operations",
    "on",
    "balance",
];

/// How attempts are spread over the targets of a group.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct BalanceTable {
    /// The least latency that a failure counts as. Default: 10s.
    pub(in crate::config) penalty: Option<Time>,
    /// The half-life of a latency estimate without new answers. Default: 10s.
    pub(in crate::config) half_life: Option<Time>,
    /// The failures in a row after which a target is ejected. Default: 3.
    pub(in crate::config) consecutive_failures: Option<Whole<1, { u32::MAX as u64 }>>,
    /// How long a failing target is ejected: at first, and at most. Default: ["10s", "30s"].
    pub(in crate::config) ejection: Option<[Time; 2]>,
    /// The ejection after a failure that does not pass by itself. Default: 5min.
    pub(in crate::config) permanent_failure_ejection: Option<Time>,
    /// How many times its fair share a target may have and still get calls that stick to it. Default: 2.
    pub(in crate::config) bounded_load_factor: Option<f64>,
}

/// The stored answer to the same question by the same caller.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct StoredTable {
    /// Its name.
    pub(in crate::config) name: Parsed<Name>,
    /// The longest age of an answer.
    pub(in crate::config) age: Time,
    /// The failures it takes. Default: all that move down.
    pub(in crate::config) on: Option<Vec<Parsed<FallbackOn>>>,
}

/// A reply that cannot fail; the last fallback.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct CannedTable {
    /// Its name.
    pub(in crate::config) name: Parsed<Name>,
    /// The text of the answer.
    pub(in crate::config) text: Parsed<Filled>,
    /// The failures it takes. Default: all that move down.
    pub(in crate::config) on: Option<Vec<Parsed<FallbackOn>>>,
}
