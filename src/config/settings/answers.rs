//! Stored answers, and whose they are.

use super::with;
use crate::{
    cache::CachePolicy,
    config::tables::{CacheTable, IdentityTable},
    identity::IdentityPolicy,
};

/// The cache of the table.
pub(super) fn cache(table: &CacheTable) -> CachePolicy {
    let cache = with(CachePolicy::new(), table.coalesce, CachePolicy::coalesce);
    let cache = with(cache, table.serve_fresh_for, |cache, age| cache.serve_fresh_for(age.0));
    let cache =
        with(cache, table.max_entry_bytes, |cache, bytes| cache.max_entry_bytes(bytes.usize()));
    let cache =
        with(cache, table.max_request_bytes, |cache, bytes| cache.max_request_bytes(bytes.usize()));
    let cache = with(cache, table.store_tool_calls, CachePolicy::store_tool_calls);
    let cache = with(cache, table.lookup_timeout, |cache, limit| cache.lookup_timeout(limit.0));
    table.vary.iter().fold(cache, |cache, header| cache.vary(header.0.clone()))
}

/// The identity of the table.
pub(super) fn identity(table: &IdentityTable) -> IdentityPolicy {
    let policy = IdentityPolicy::new();
    let policy = table.payer.iter().fold(policy, |policy, header| policy.payer(header.0.clone()));
    let policy = table.payer_query.iter().fold(policy, |policy, key| policy.payer_query(&key.0.0));
    let policy = table.user.iter().fold(policy, |policy, header| policy.user(header.0.clone()));
    let policy = table.ignore.iter().fold(policy, |policy, header| policy.ignore(header.0.clone()));
    let policy =
        with(policy, table.named_by.as_ref(), |policy, header| policy.named_by(header.0.clone()));
    let policy =
        table.forward.iter().fold(policy, |policy, header| policy.forward(header.0.clone()));
    table.forward_query.iter().fold(policy, |policy, key| policy.forward_query(&key.0.0))
}
