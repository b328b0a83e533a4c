//! The tables of a configuration as they are written. The comment of a key is its description in the schema.

mod access;
mod admin;
mod answers;
mod breaker;
mod chaos;
mod edges;
mod file;
mod limits;
mod outcome;
mod target;
mod traffic;

pub(super) use access::{CallerTable, TlsTable};
pub(super) use admin::AdminTable;
pub(super) use answers::{BufferTable, CacheTable, IdentityTable};
pub(super) use breaker::BreakerTable;
#[cfg(feature = "chaos")]
pub(super) use chaos::ChaosRuleTable;
pub(super) use chaos::ChaosTable;
pub(super) use edges::EdgesTable;
pub(super) use file::File;
pub(super) use limits::{LimitsTable, RetryTable};
pub(super) use outcome::OutcomeTable;
pub(super) use target::{BalanceTable, CannedTable, GROUP_KEYS, StoredTable, TargetTable};
pub(super) use traffic::{AdaptiveTable, ModelTable, TrafficTable};
