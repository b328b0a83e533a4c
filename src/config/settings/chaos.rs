//! Faults on purpose.

use super::{chaos_fault::fault, with};
use crate::{
    ConfigError,
    chaos::{ChaosPolicy, ChaosRule, ChaosSlot, ChaosSwitch},
    config::tables::{ChaosRuleTable, ChaosTable},
};

/// The policy of the table, if there is one. Its switch is off.
pub(super) fn chaos(table: Option<&ChaosTable>) -> Result<ChaosSlot, ConfigError> {
    let Some(table) = table else { return Ok(ChaosSlot::default()) };
    let limit = table.for_at_most.map(|limit| limit.0);
    let switch = limit.map_or_else(ChaosSwitch::new, ChaosSwitch::for_at_most);
    let mut policy = ChaosPolicy::new(&switch).seed(table.seed.map_or(0, |seed| seed.u64()));
    for (at, table) in table.rule.iter().enumerate() {
        policy = policy.rule(rule(table, at)?);
    }
    policy.check()?;
    Ok(ChaosSlot::new(policy))
}

fn rule(table: &ChaosRuleTable, at: usize) -> Result<ChaosRule, ConfigError> {
    let rule = ChaosRule::new(fault(table, at)?);
    let rule = with(rule, table.target.as_ref(), |rule, target| rule.target(&target.0.0));
    let rule = with(rule, table.model.as_ref(), |rule, model| rule.model(&model.0.0));
    let rule = with(rule, table.operation, |rule, operation| rule.operation(operation.0));
    let rule = with(rule, table.share, ChaosRule::share);
    let rule = with(rule, table.after, |rule, after| rule.after(after.0));
    let rule = with(rule, table.r#for, |rule, lasts| rule.lasts(lasts.0));
    Ok(with(rule, table.at_most, |rule, most| rule.at_most(most.u32())))
}
