//! Several targets that are as good as each other: what is known of each, and which of them an attempt goes to.
//!
//! Pure but for its lock: no Tower and no clock of its own. The [fallback](crate::fallback) that has equal targets holds their
//! [`Pool`], a retry picks one for each attempt, the layer [`balance`](crate::balance) measures what comes of it.
//!
//! | what | file |
//! |---|---|
//! | what is set | `policy` |
//! | what all calls share | `pool`: the targets; `state`: what calls of one operation have found; `load`: of one target; `unknown`: of a target and a model |
//! | which is picked | `pick`; `index`: the target that was; `choice`: as a request carries it |

mod choice;
mod index;
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
