//! Retry budgets: limit extra attempts to a share of first attempts, so that a struggling provider never gets much more load.
//!
//! [`Budget`] is the budget of one route, [`Budgets`] has one for each route. Retries and hedges draw on the same.

mod answers;
mod budgets;
mod route_budget;
mod terms;
#[cfg(test)]
mod tests;

pub use budgets::Budgets;
pub use route_budget::Budget;
