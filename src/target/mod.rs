//! Targets: base URL, credentials and model of an attempt, its capabilities, and edits of its request.
//!
//! A [`Target`] is where a [fallback](crate::fallback) sends a request; a fallback may have several [equal](crate::balance)
//! ones. An [`Edit`] makes a request ask for less there, and [`Capabilities`] declare what it supports.
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
//! What a target does not set stays as the caller sent it. It supports everything, and nothing is edited.
//!
//! # Pitfalls
//!
//! A request is rewritten for its address and its model, not translated to another dialect: a target must speak the
//! [dialect](crate::dialect) of the request.
//!
//! # Files
//!
//! | concern | file |
//! |---|---|
//! | settings | `settings`, `account`: the target; `capabilities`; `edit`; `check`, `credential_fault`: validation |
//! | credentials that expire | `credentials`: their source, and the state of the current ones |
//! | rewriting a request | `apply`: for its target; `base`: to the target's URL; `edit` |
//! | the routes that lead to it | `footprint` |
//! | several equal targets | `group`: the state of each, and which is picked |

mod account;
mod apply;
mod base;
mod capabilities;
mod check;
mod credential_fault;
pub(crate) mod credentials;
mod dialects;
mod edit;
mod footprint;
pub(crate) mod group;
mod settings;

pub use capabilities::{Capabilities, Shortfall};
pub use dialects::SpokenDialects;
pub use edit::Edit;
pub(crate) use edit::{edit_body, measured};
pub(crate) use footprint::Footprint;
pub use settings::Target;

pub use crate::compatibility::Compatibility;
pub use crate::dialect::Prefill;
pub use crate::provenance::ForeignReasoning;
