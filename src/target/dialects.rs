//! In which dialect a call is read, where targets say which they speak.

use std::sync::Arc;

use crate::{
    Request,
    context::CallContext,
    dialect::{Dialect, RequestInfo},
};

/// The dialects that the targets of a call declare. Nothing is translated: what the first target speaks is what the caller speaks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpokenDialects {
    /// That of the first target: it holds whatever the path.
    pub(crate) first: Option<Dialect>,
    /// That of any target: it holds where the path tells nothing.
    pub(crate) any: Option<Dialect>,
}

// === impl SpokenDialects ===

impl SpokenDialects {
    /// What a call asks for, read in its dialect.
    pub(crate) fn read(self, request: &mut Request) -> Arc<RequestInfo> {
        let known = CallContext::info(request).dialect().is_some();
        let any = self.any.filter(|_| !known);
        CallContext::info_in(request, self.first.or(any))
    }
}
