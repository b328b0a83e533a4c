//! Limits on time.

mod body;

pub(crate) use body::Clock;
