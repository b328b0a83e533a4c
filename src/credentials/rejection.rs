//! Whether a provider has rejected credentials, by the head of its answer.

use http::{HeaderMap, StatusCode, header};

use crate::{Error, Response};

/// The codes of AWS for credentials that others can replace, in its header `x-amzn-errortype`.
const CODES: [&str; 4] =
    ["ExpiredToken", "InvalidSignature", "UnrecognizedClient", "InvalidClientTokenId"];

/// Whether other credentials may be accepted: a 401, or a 400 or 403 that names an expired or invalid token. A 403 without that
/// says that the account may not do this.
pub(super) fn is_rejected(result: &Result<Response, Error>) -> bool {
    let Ok(response) = result else { return false };
    match response.status() {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => names_token(response.headers()),
        _ => false,
    }
}

fn names_token(headers: &HeaderMap) -> bool {
    let text = |value: Option<&http::HeaderValue>| {
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let code = text(headers.get("x-amzn-errortype"));
    let challenge = text(headers.get(header::WWW_AUTHENTICATE));
    CODES.iter().any(|known| code.starts_with(known)) || challenge.contains("invalid_token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body;

    fn rejected(status: u16, header: Option<(&'static str, &'static str)>) -> bool {
        let response = http::Response::builder().status(status);
        let response =
            header.into_iter().fold(response, |it, (name, value)| it.header(name, value));
        is_rejected(&Ok(response.body(Body::from("")).unwrap()))
    }

    #[test]
    fn a_401_and_a_token_that_is_named_are_rejections_and_a_missing_permission_is_none() {
        assert!(rejected(401, None));
        let expired = ("x-amzn-errortype", "ExpiredTokenException:http://internal.amazon.com/");
        assert!(rejected(403, Some(expired)) && rejected(400, Some(expired)));
        assert!(rejected(403, Some(("www-authenticate", "Bearer error=\"invalid_token\""))));
        assert!(!rejected(403, None));
        assert!(!rejected(403, Some(("x-amzn-errortype", "AccessDeniedException"))));
        assert!(!rejected(403, Some(("www-authenticate", "Bearer error=\"insufficient_scope\""))));
        assert!(!rejected(200, Some(expired)) && !rejected(500, Some(expired)));
    }
}
