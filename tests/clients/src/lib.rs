//! The clients people use, driven through evenkeel against a provider that fails on purpose.
//!
//! [`Caller`] is one client behind one small interface, so that the same failures can be played to all of them
//! (`tests/failures.rs`); what only one client has is tested beside (`tests/async_openai.rs` and its like). The clock and
//! the sockets are real; limits are a tenth of those in production.

pub mod caller;
pub mod stage;

pub use caller::{AsyncOpenAi, Caller, How, Middleware, Rig, Said};
pub use stage::{Stage, brittle, builder, profile};
