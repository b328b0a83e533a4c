//! The limits of a route, and hedges.

use super::{locate::in_key_names, with};
use crate::{
    ConfigError,
    config::{
        tables::{AdaptiveTable, ModelTable, TrafficTable},
        values::{Toggle, Whole},
    },
    hedge::HedgePolicy,
    limit::{AdaptivePolicy, Concurrency, LimitPolicy},
};

type Count = Whole<1, { u32::MAX as u64 }>;

/// The limits of a route.
pub(super) fn limit(table: &TrafficTable) -> Result<LimitPolicy, ConfigError> {
    let policy = LimitPolicy::default()
        .concurrency(concurrency(table.concurrency, table.adaptive.as_ref()))
        .requests(table.requests.map(Count::u32))
        .tokens(table.tokens.map(Count::u32));
    let policy = with(policy, table.burst, |policy, burst| policy.burst(burst.0));
    let policy = with(policy, table.max_queue, |policy, calls| policy.max_queue(calls.usize()));
    let policy = with(policy, table.batch_share, LimitPolicy::batch_share);
    let policy =
        with(policy, table.min_attempt_time, |policy, time| policy.min_attempt_time(time.0));
    let mut policy = with(policy, table.cooldown_without_hint, |policy, time| {
        policy.cooldown_without_hint(time.0)
    });
    for (at, model) in table.model.iter().enumerate() {
        policy = policy.model(&model.name.0.0, of_model(model, at)?);
    }
    Ok(policy)
}

/// The limits of one model, checked here, where its place is known.
fn of_model(table: &ModelTable, at: usize) -> Result<LimitPolicy, ConfigError> {
    let policy = LimitPolicy::default()
        .concurrency(concurrency(table.concurrency, table.adaptive.as_ref()))
        .requests(table.requests.map(Count::u32))
        .tokens(table.tokens.map(Count::u32));
    policy.check().map_err(|error| {
        let error = in_key_names(&error);
        let key = error.field().strip_prefix("traffic.").unwrap_or(error.field());
        ConfigError::because(format!("traffic.model[{at}].{key}"), error.reason())
    })?;
    Ok(policy)
}

fn concurrency(most: Option<Count>, adaptive: Option<&Toggle<AdaptiveTable>>) -> Concurrency {
    let Some(adaptive) = adaptive.and_then(|toggle| toggle.0.as_ref()) else {
        return most.map_or(Concurrency::Unlimited, |most| Concurrency::Fixed(most.u32()));
    };
    let policy = with(AdaptivePolicy::default(), most, |policy, most| {
        policy.max(most.u32()).initial(most.u32().min(8))
    });
    let policy = with(policy, adaptive.initial, |policy, calls| policy.initial(calls.u32()));
    let policy = with(policy, adaptive.min, |policy, calls| policy.min(calls.u32()));
    let policy = with(policy, adaptive.tolerance, AdaptivePolicy::tolerance);
    let policy = with(policy, adaptive.backoff, AdaptivePolicy::backoff);
    let policy = with(policy, adaptive.patience, |policy, calls| policy.patience(calls.u32()));
    Concurrency::Adaptive(policy)
}

/// Second copies of late calls.
pub(super) fn hedge(table: &TrafficTable) -> Result<Option<HedgePolicy>, ConfigError> {
    let Some(share) = table.hedge else {
        let lost = [
            ("hedge_quantile", table.hedge_quantile.is_some()),
            ("hedge_samples", table.hedge_samples.is_some()),
        ];
        return match lost.into_iter().find(|(_, set)| *set) {
            Some((key, _)) => Err(ConfigError::because(
                format!("traffic.{key}"),
                "is set without traffic.hedge; allowed is it beside the share of second copies",
            )),
            None => Ok(None),
        };
    };
    let policy = HedgePolicy::default().budget_ratio(share);
    let policy = with(policy, table.hedge_quantile, HedgePolicy::quantile);
    Ok(Some(with(policy, table.hedge_samples, |policy, calls| policy.samples(calls.u32()))))
}
