//! The budget: extra attempts as a share of first attempts, so that a struggling provider is never hit much harder.
//!
//! [`Budget`] is the budget of one route, [`Budgets`] has one for each route. Retries and hedges draw on the same.

mod answers;
mod budgets;
mod route_budget;
#[cfg(test)]
mod tests;

pub use budgets::Budgets;
pub use route_budget::Budget;
