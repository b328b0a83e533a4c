//! Status and headers, and the order in which all that an answer says is believed.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode};

use super::{
    Code, CodeClass, ErrorCodeTable, Outcome, Rejection, Verdict,
    codes::QUOTA,
    error_body::ErrorBody,
    message_patterns,
    retry_hint::{InBody, RetryHints},
};

/// The codes of an answer, each with what it means if that is known.
struct Known<'a>(Vec<(&'a str, CodeClass)>);

/// What a status and its headers say, where no body says more.
pub fn classify_head(status: StatusCode, headers: &HeaderMap) -> Verdict {
    if answers(status) {
        return Outcome::Success.into();
    }
    decide(&ErrorCodeTable::TABLE, Some(status), headers, ErrorBody::default())
}

/// Whether a status says that the request was answered. 304 answers a request that named what its caller has already.
pub(super) fn answers(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::NOT_MODIFIED
}

/// The order: a permanent code, a permanent sentence, 413, a transient code, `x-should-retry`, the status.
///
/// Without a `status` it is an error inside an answer that began as a success.
pub(super) fn decide(
    codes: &ErrorCodeTable,
    status: Option<StatusCode>,
    headers: &HeaderMap,
    mut said: ErrorBody,
) -> Verdict {
    if let Some(name) = headers.get("x-amzn-errortype").and_then(|name| name.to_str().ok()) {
        said.named(name);
    }
    let known = Known::of(codes, &said);
    let wish = wish(headers);
    let (delay, message, renewal) = (said.delay(), said.message(), said.renewal());
    let hints = RetryHints::read(
        headers,
        InBody { delay, message, renewal },
        super::provider_time(headers, SystemTime::now()),
    );
    let explicit = known.explicit(message, status);
    let by_status = || {
        let status = telling(status, said.status().or(known.status()));
        (None, wished(by_number(status, known.status(), &said), wish))
    };
    let (code, meaning) = explicit.unwrap_or_else(by_status);
    let elsewhere = message_patterns::only_elsewhere(message).then_some(false);
    let code = code.and_then(Code::new).or_else(|| said.code());
    let unknown = code.as_ref().is_some_and(|code| !is_known(codes, code));
    Verdict::new(day(meaning, message, hints).outcome(hints))
        .should_retry(elsewhere.or(wish))
        .with_code(code)
        .by_status_alone(unknown && explicit.is_none())
        .turned_away(status)
}

/// A status with the body it came with: what blocks the way sends a page, an API says why in JSON.
fn by_number(status: u16, word: Option<u16>, said: &ErrorBody) -> CodeClass {
    match status {
        // Something is used up, and is to be paid for.
        402 if word == Some(429) => CodeClass::QuotaExhausted,
        403 if said.is_page() => CodeClass::Rejected(Rejection::Gateway),
        status => CodeClass::of_status(status),
    }
}

/// A rate limit that is full for the day is an exhausted quota, unless it says that it is only a matter of seconds.
fn day(meaning: CodeClass, message: &str, hints: RetryHints) -> CodeClass {
    let soon = hints.asked.is_some_and(|wait| wait < QUOTA);
    match meaning.resolved() {
        CodeClass::RateLimited if !soon && message_patterns::of_a_day(message) => {
            CodeClass::QuotaExhausted
        }
        _ => meaning,
    }
}

/// Whether a code is in the table, or is a status.
fn is_known(codes: &ErrorCodeTable, code: &Code) -> bool {
    let status = || code.as_str().parse().is_ok_and(|status: u16| (400..600).contains(&status));
    codes.meaning(code.as_str()).is_some() || status()
}

// === impl Known ===

impl<'a> Known<'a> {
    fn of(codes: &ErrorCodeTable, said: &'a ErrorBody) -> Self {
        Self(said.codes().filter_map(|code| Some((code, codes.meaning(code)?))).collect())
    }

    /// What is said in so many words: a permanent code, a permanent sentence or 413, a transient code.
    fn explicit(
        &self,
        message: &str,
        status: Option<StatusCode>,
    ) -> Option<(Option<&'a str>, CodeClass)> {
        let large = status == Some(StatusCode::PAYLOAD_TOO_LARGE);
        let sentence =
            || message_patterns::meaning(message).or(large.then_some(CodeClass::TooLarge));
        self.first(CodeClass::is_permanent)
            .or_else(|| sentence().map(|meaning| (None, meaning)))
            .or_else(|| self.first(CodeClass::is_transient))
    }

    fn first(&self, is: fn(CodeClass) -> bool) -> Option<(Option<&'a str>, CodeClass)> {
        self.0
            .iter()
            .find(|(_, meaning)| is(*meaning))
            .map(|(code, meaning)| (Some(*code), *meaning))
    }

    /// The first status in words.
    fn status(&self) -> Option<u16> {
        self.0.iter().find_map(|(_, meaning)| match meaning {
            CodeClass::Status(status) => Some(*status),
            _ => None,
        })
    }
}

/// What the provider wishes: exact and lower case, as the official clients read it.
fn wish(headers: &HeaderMap) -> Option<bool> {
    match headers.get("x-should-retry")?.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// `true` turns a permanent status into a failure for the moment. `false` changes no outcome: a 500 that is not to be
/// asked again is still a failing provider. It is kept in the verdict instead.
fn wished(meaning: CodeClass, wish: Option<bool>) -> CodeClass {
    match wish {
        Some(true) if meaning.is_permanent() => CodeClass::Unavailable,
        _ => meaning,
    }
}

/// The status that tells more: that of the response, or the one that its body speaks of where the response has none, or
/// a bare 400 or 500, which servers send when they say nothing.
fn telling(status: Option<StatusCode>, said: Option<u16>) -> u16 {
    let bare = |status: u16| matches!(status, 400 | 500);
    match (status.map(|status| status.as_u16()), said) {
        (Some(status), Some(said)) if bare(status) && !bare(said) => said,
        (Some(status), _) => status,
        (None, Some(said)) => said,
        (None, None) => 500,
    }
}

#[cfg(test)]
mod tests;
