//! Status and headers (stub).

use http::{HeaderMap, StatusCode};

use super::{Outcome, Verdict};

/// What a status and its headers say, where no code says more.
pub(crate) fn by_status(status: StatusCode, _headers: &HeaderMap) -> Verdict {
    if status.is_success() {
        Outcome::Success.into()
    } else {
        Outcome::Unavailable { wait: None }.into()
    }
}
