//! Several equal targets: the state of each, and which of them an attempt goes to.
//!
//! Pure except for its lock: no Tower and no clock of its own. The [fallback](crate::fallback) with equal targets holds
//! their [`Pool`], a retry picks one for each attempt, and the layer [`balance`](crate::balance) records the outcomes.
//!
//! | concern | file |
//! |---|---|
//! | settings | `policy` |
//! | shared state | `pool`: the targets; `state`: of one operation; `load`: of one target; `unknown`: of a target and a model |
//! | state that is kept when the targets change | `keep` |
//! | picking | `pick`; `index`: the picked target; `choice`: how a request carries it |

mod choice;
mod index;
mod keep;
mod load;
mod pick;
mod policy;
mod pool;
mod state;
mod unknown;

pub(crate) use choice::EqualTargets;
pub(crate) use index::TargetIndex;
pub(crate) use load::InFlight;
pub(crate) use pick::{HedgedTargets, Tried};
pub use policy::BalancePolicy;
pub(crate) use policy::check;
pub(crate) use pool::Pool;
