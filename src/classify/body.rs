//! The error body (stub).

use crate::{
    Response,
    classify::{Outcome, Verdict},
};

/// Reads the body of a response that is not a 2xx, within bounds, puts it back, and leaves the verdict in the extensions.
pub(crate) async fn classify_response(response: Response) -> Response {
    response
}

/// What an error object inside a stream, or inside a 200, says: the JSON that holds it.
pub(crate) fn in_stream(_json: &[u8]) -> Verdict {
    Outcome::Unavailable { wait: None }.into()
}
