//! Classifies status and headers, and defines the precedence of all information in an answer.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode};

use super::{
    Code, CodeClass, ErrorCodeTable, Outcome, ProviderError, Rejection, Verdict,
    codes::{MODEL, PARAMETER, QUOTA, REQUEST, RuleInput},
    error_body::ErrorBody,
    message_patterns,
    retry_hint::{InBody, RetryHints},
    word_sets,
    wrong_field::WrongField,
};

/// The known codes of an answer, with their meanings.
struct Known<'a>(Vec<(&'a str, CodeClass)>);

/// Classifies a status and its headers, without a body.
pub fn classify_head(status: StatusCode, headers: &HeaderMap) -> Verdict {
    if answers(status) {
        return Outcome::Success.into();
    }
    decide(&ErrorCodeTable::TABLE, Some(status), headers, ErrorBody::absent())
}

/// Whether a status is a success. 304 is one: the caller has the content already.
pub(super) fn answers(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::NOT_MODIFIED
}

/// Precedence: a permanent code, a permanent sentence, 413, a transient code, `x-should-retry`, the status.
///
/// Without a `status`, it is an error inside an answer that started as a success.
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
    let all: Vec<&str> = said.codes().collect();
    let number = status.map(|status| status.as_u16()).or(said.status());
    let rule = codes.by_rule(RuleInput { status: number, codes: &all, message });
    let explicit = rule.map(|meaning| (None, meaning)).or_else(|| known.explicit(message, status));
    let named = said.status().or(message_patterns::status_in(message)).or(known.status());
    let by_status = || {
        let status = telling(status, named);
        if is_overflow(status, message) {
            return (None, CodeClass::TooLarge);
        }
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
        .with_provider_error(match status {
            Some(_) => None,
            None => ProviderError::new(named, message),
        })
}

/// The meaning of a status with its body: a firewall or proxy sends a page, an API sends JSON.
fn by_number(status: u16, word: Option<u16>, said: &ErrorBody) -> CodeClass {
    match status {
        // A quota that is used up and has to be paid for.
        402 if word == Some(429) => CodeClass::QuotaExhausted,
        403 if said.is_page() => CodeClass::Rejected(Rejection::Gateway),
        status => match CodeClass::of_status(status) {
            CodeClass::Declined if status >= 400 => blamed(status, said),
            meaning => meaning,
        },
    }
}

/// The meaning of a 4xx without a meaning of its own: it blames the request only if it says what is wrong with it.
fn blamed(status: u16, said: &ErrorBody) -> CodeClass {
    match (word_sets::blame(said.message()), said.field) {
        (Some(meaning), _) => meaning,
        (None, Some(WrongField::Model)) => MODEL,
        (None, Some(WrongField::Other)) => REQUEST,
        // Nothing more is known, and servers send these for what is wrong with a request.
        (None, None) if said.absent && matches!(status, 400 | 422) => REQUEST,
        (None, None) => CodeClass::Declined,
    }
}

/// Whether the words of an answer mean an overflow of the context: with a status that says nothing of its own, and with the 500
/// that some servers send for it.
fn is_overflow(status: u16, message: &str) -> bool {
    let general = status == 500 || CodeClass::of_status(status) == CodeClass::Declined;
    general && word_sets::is_too_large(message)
}

/// A rate limit of a day is an exhausted quota, unless its wait is less than a minute.
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

    /// An explicit meaning: a permanent code, a permanent sentence or 413, a transient code.
    fn explicit(
        &self,
        message: &str,
        status: Option<StatusCode>,
    ) -> Option<(Option<&'a str>, CodeClass)> {
        let large = status == Some(StatusCode::PAYLOAD_TOO_LARGE);
        let sentence =
            || message_patterns::meaning(message).or(large.then_some(CodeClass::TooLarge));
        let permanent = self.first(CodeClass::is_permanent);
        permanent
            .map(|(code, meaning)| (code, specific(meaning, message)))
            .or_else(|| sentence().map(|meaning| (None, meaning)))
            .or_else(|| self.first(CodeClass::is_transient))
    }

    fn first(&self, is: fn(CodeClass) -> bool) -> Option<(Option<&'a str>, CodeClass)> {
        self.0
            .iter()
            .find(|(_, meaning)| is(*meaning))
            .map(|(code, meaning)| (Some(*code), *meaning))
    }

    /// The first code that names a status.
    fn status(&self) -> Option<u16> {
        self.0.iter().find_map(|(_, meaning)| match meaning {
            CodeClass::Status(status) => Some(*status),
            _ => None,
        })
    }
}

/// A code such as `invalid_value` blames the request; the words may say that only this target does not take it.
fn specific(meaning: CodeClass, message: &str) -> CodeClass {
    match word_sets::blame(message) {
        Some(PARAMETER) if meaning == REQUEST => PARAMETER,
        _ => meaning,
    }
}

/// The value of `x-should-retry`: exact and lower case, as the official clients read it.
fn wish(headers: &HeaderMap) -> Option<bool> {
    match headers.get("x-should-retry")?.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// `true` makes a permanent status transient. `false` changes no outcome, because a 500 that is not to be retried is still a
/// failing provider; the verdict records it.
fn wished(meaning: CodeClass, wish: Option<bool>) -> CodeClass {
    match wish {
        Some(true) if meaning.is_permanent() => CodeClass::Unavailable,
        _ => meaning,
    }
}

/// The more specific status: that of the response, or that of the body if the response has none, or a bare 400 or 500, which
/// servers send for any error.
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
