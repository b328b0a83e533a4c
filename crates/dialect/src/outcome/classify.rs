//! What an answer came to, of one that is there.

use http::{HeaderMap, StatusCode};

use super::{
    ErrorCodeTable, Outcome, Verdict,
    error_body::{self, ErrorBody},
    head::decide,
};

/// What an answer came to: status, headers and body, with the built-in table of codes.
///
/// A pure function for those who have an answer already; the time of an HTTP date counts from now. The body of an error
/// may be cut short. A 2xx is a success unless its body is JSON with an error in it.
pub fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
    classify_with(&ErrorCodeTable::TABLE, status, headers, body)
}

/// The same with codes of your own.
pub fn classify_with(
    codes: &ErrorCodeTable,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Verdict {
    if status == StatusCode::NOT_MODIFIED {
        return Outcome::Success.into();
    }
    if !status.is_success() {
        return decide(codes, Some(status), headers, ErrorBody::read(body));
    }
    match error_body::in_success(body) {
        Some(said) => decide(codes, None, headers, said),
        None => Outcome::Success.into(),
    }
}

/// What an error object inside a stream, or inside a 200, says: the JSON that holds it. Never a success.
pub(crate) fn in_stream(codes: &ErrorCodeTable, json: &[u8]) -> Verdict {
    decide(codes, None, &HeaderMap::new(), ErrorBody::read(json))
}

#[cfg(test)]
mod tests;
