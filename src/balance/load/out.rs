//! Whether a target can be chosen, and how long it is out.

/// It is not chosen while another can be: until that time, and until so many choices have been made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    pub(super) since: f64,
    pub(super) until: f64,
    pub(super) picks: u64,
    /// A call has gone there to find out, and should have its answer by then.
    pub(super) trial: f64,
}

/// Whether a target can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    In,
    /// It was out long enough: the next call is to try it.
    Due,
    Out,
}

// === impl Out ===

impl Out {
    pub(super) fn ends(&self) -> f64 {
        self.until.max(self.trial)
    }
}
