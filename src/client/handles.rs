//! A client for its handles alone.

use std::{future::ready, sync::Arc};

use super::Client;
use crate::{
    ConfigError, Error, Request,
    outcome::{Outcome, Rejection},
};

// === impl Client ===

impl Client {
    /// A client with the handles of this one that sends nothing. Its error names what does: `allowed`.
    pub(crate) fn handles_only(&self, allowed: &'static str) -> Self {
        let refuse = move |_: Request| {
            let why = ConfigError::new("transport", "none", allowed);
            let outcome = Outcome::Rejected { why: Rejection::Request };
            ready(Err(Error::new(outcome).with_source(why)))
        };
        Self { stack: Arc::new(tower::service_fn(refuse)), ..self.clone() }
    }
}
