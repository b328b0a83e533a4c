//! Classifies an answer.

use http::{HeaderMap, StatusCode};

use super::{
    ErrorCodeTable, Outcome, Verdict,
    error_body::{self, ErrorBody},
    head::decide,
};

/// Classifies an answer by its status, headers and body, with the built-in table of codes.
///
/// A pure function for code that has an answer already; HTTP dates are relative to the current time. The body of an error may be
/// truncated. A 2xx is a success unless its body is JSON with an error in it.
pub fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
    classify_with(&ErrorCodeTable::TABLE, status, headers, body)
}

/// Classifies an answer with your own table of codes.
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

/// Classifies an error object inside a stream, or inside a 200. `json` is the JSON that contains it. Never a success.
pub(crate) fn in_stream(codes: &ErrorCodeTable, json: &[u8]) -> Verdict {
    decide(codes, None, &HeaderMap::new(), ErrorBody::read(json))
}

#[cfg(test)]
mod tests;
