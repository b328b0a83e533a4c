//! Tests of common client libraries through evenkeel, against a provider that fails on purpose.
//!
//! [`Caller`] is the common interface of all clients, so that each can be tested with the same failures (`tests/failures.rs`);
//! the tests for one client only are beside it (`tests/async_openai.rs` and others). The clock and the sockets are real; limits
//! are a tenth of those in production.

pub mod caller;
pub mod stage;

pub use caller::{AsyncOpenAi, Caller, How, Middleware, Rig, Said};
pub use stage::{Stage, brittle, builder, profile};
