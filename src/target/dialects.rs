//! The dialects that targets declare, for parsing calls.

use std::sync::Arc;

use crate::{
    Request,
    context::CallContext,
    dialect::{Dialect, RequestInfo},
};

/// The dialects that the targets of a call declare. Nothing is translated: the caller has to speak the dialect of the first
/// target.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpokenDialects {
    /// The dialect of the first target: it applies whatever the path.
    pub(crate) first: Option<Dialect>,
    /// The dialect of any target: it applies if the path shows none.
    pub(crate) any: Option<Dialect>,
}

// === impl SpokenDialects ===

impl SpokenDialects {
    /// Parses a call in its dialect.
    pub(crate) fn read(self, request: &mut Request) -> Arc<RequestInfo> {
        let known = CallContext::info(request).dialect().is_some();
        let any = self.any.filter(|_| !known);
        CallContext::info_in(request, self.first.or(any))
    }
}
