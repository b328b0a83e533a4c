//! The tests of the crate from outside, one file per part.
// The lint's own exception covers test functions alone, not what they share.
#![allow(clippy::unwrap_used)]

mod retry;
mod timeout;
