//! Where an attempt goes, and what is asked there: base URL, credentials, model, what it can do, what is asked less of.
//!
//! A [`Target`] is what a [fallback](crate::fallback) asks, and what several [equal](crate::balance) ones are chosen from. An
//! [`Edit`] makes a request ask for less there, and [`Capabilities`] say what it can do.
//!
//! ```
//! use evenkeel::target::{Capabilities, Edit, Target};
//!
//! let target = Target::new("https://api.mistral.ai/v1").bearer("its key").model("mistral-small-latest");
//! let (offers, edit) = (Capabilities::default().context(32_000), Edit::new().max_tokens(512));
//! # let _ = (target, offers, edit);
//! ```
//!
//! # Defaults
//!
//! What a target does not set stays as the caller sent it. It can do everything, and nothing is edited.
//!
//! # Pitfalls
//!
//! A request is rewritten for where it goes and for the model that it names, and not for another language: a target must speak
//! the [dialect](crate::dialect) of the request.
//!
//! # The map
//!
//! | what | file |
//! |---|---|
//! | what is set | `settings`, `account`: the target; `capabilities`; `edit`; `check`: which of them are right |
//! | what becomes of a request | `apply`: rewritten for its target; `base`: under the target's URL; `edit` |
//! | several that are as good as each other | `group`: what is known of each, and which is picked |

mod account;
mod apply;
mod base;
mod capabilities;
mod check;
mod dialects;
mod edit;
pub(crate) mod group;
mod settings;

pub use capabilities::Capabilities;
pub use dialects::SpokenDialects;
pub use edit::Edit;
pub use settings::Target;

pub use crate::dialect::Prefill;
