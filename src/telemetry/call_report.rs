//! What is known of a call when it is over.

use std::{sync::Arc, time::Duration};

use crate::{attempt_log::Degradation, context::Route, dialect::Usage, outcome::Outcome};

/// What is known of a call when it is over, for listeners. Nothing of prompts and answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallReport {
    /// The route of the attempt that answered; `None` for a local answer.
    pub route: Option<Route>,
    /// The fallback that answered, if there is a fallback layer.
    pub served_by: Option<Arc<str>>,
    /// How the answer is less than what the caller asked for.
    pub degraded: Option<Degradation>,
    /// The outcome of the call, with that of its body: an answer that was cut while it was read is truncated.
    pub outcome: Outcome,
    /// The tokens of the answer, where it reports them.
    pub usage: Option<Usage>,
    /// The time from the call to its end: that of the body, if there is an answer.
    pub took: Duration,
}
