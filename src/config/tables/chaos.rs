//! Faults on purpose.

use serde::Deserialize;

use crate::{
    config::values::{ErrorStatus, Filled, One, Parsed, Time, Whole},
    dialect::Operation,
    telemetry::FaultKind,
};

/// Faults that are injected on purpose, for a game day: only in a program that is built with the feature `chaos`, and only once they
/// are switched on (gateway: `--chaos`).
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(not(feature = "chaos"), allow(dead_code))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ChaosTable {
    /// The seed: with the same one, the same order of attempts has the same faults. Default: 0.
    pub(in crate::config) seed: Option<Whole<0, { u64::MAX }>>,
    /// The time after which the faults switch themselves off. Default: 1h.
    pub(in crate::config) for_at_most: Option<Time>,
    /// Which attempts have which fault.
    pub(in crate::config) rule: Vec<ChaosRuleTable>,
}

/// Which attempts have a fault, how many of them, and when.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(not(feature = "chaos"), allow(dead_code))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ChaosRuleTable {
    /// The fault.
    pub(in crate::config) fault: One<FaultKind>,
    /// The target: the name of a target or of its group, `primary`, or a host; a * stands for any characters. Default: any.
    pub(in crate::config) target: Option<Parsed<Filled>>,
    /// The model that the target is asked for; a * stands for any characters. Default: any.
    pub(in crate::config) model: Option<Parsed<Filled>>,
    /// The operation. Default: any.
    pub(in crate::config) operation: Option<One<Operation>>,
    /// The share of these attempts that have the fault. Default: 1.
    pub(in crate::config) share: Option<f64>,
    /// The time after which the rule begins. Default: 0s.
    pub(in crate::config) after: Option<Time>,
    /// How long the rule lasts. Default: to the end.
    pub(in crate::config) r#for: Option<Time>,
    /// The most attempts that have the fault at a time. Default: no limit.
    pub(in crate::config) at_most: Option<Whole<1, { u32::MAX as u64 }>>,
    /// Of `status`: the status. Default: 503.
    pub(in crate::config) status: Option<ErrorStatus>,
    /// Of `rate_limited`: the time in `retry-after`. Default: no such header.
    pub(in crate::config) wait: Option<Time>,
    /// Of `slow_head` and `slow_content`: by how much it is late. Default: 5s.
    pub(in crate::config) delay: Option<Time>,
    /// Of `cut`, `silence`, `stall`, `invalid_event`, `error_event` and `endless`: the events with content before it. Default: 5.
    pub(in crate::config) events: Option<Whole<0, { u32::MAX as u64 }>>,
    /// Of `reset_after`: the bytes before it; of `drip`: the bytes at a time. Default: 512; 64.
    pub(in crate::config) bytes: Option<Whole<0, { u32::MAX as u64 }>>,
    /// Of `slow_events`, `endless`, `drip` and `comments`: the time between two. Default: 500ms.
    pub(in crate::config) every: Option<Time>,
    /// Of `silence`: how long it lasts. Default: 10s.
    pub(in crate::config) lasts: Option<Time>,
    /// Of `comments`: their number. Default: 20.
    pub(in crate::config) count: Option<Whole<0, { u32::MAX as u64 }>>,
}
