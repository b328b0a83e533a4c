//! One call, as it was made and as it ended.

use std::time::Duration;

use crate::scenario::Kind;

/// One call: what became of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) call: usize,
    pub(super) kind: Kind,
    pub(super) why: Option<String>,
    /// The rung that answered, where the head names one.
    pub(super) rung: Option<Box<str>>,
    /// From the call to its first content; to its end where it has none.
    pub(super) took: Duration,
    pub(super) first: Option<Duration>,
}

/// The model that every call asks for.
pub(super) const MODEL: &str = "model-1";

/// Whether the call of that number brings the tools of an incident that has some: every second does.
pub(super) fn brings_tools(call: usize) -> bool {
    call % 2 == 1
}
