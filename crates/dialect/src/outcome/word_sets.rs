//! The meaning of an error message that has no code: sets of words that occur together, in any order.
//!
//! Providers rephrase their sentences; the words stay. What a message quotes is not read, since that is the caller's. The message
//! is never stored.

use http::StatusCode;

use super::{
    CodeClass, ErrorCodeTable,
    codes::{KEY, PARAMETER, SCOPE},
};

/// A message in lower case, without what it quotes.
pub(super) struct Words(String);

/// The longest part of a message that is searched, in bytes.
const LONGEST: usize = 4096;

/// Credit, or a quota of a day or more, is used up.
const QUOTA: &[&[&str]] = &[
    &["specified api usage limits"],
    &["balance", "too low"],
    &["insufficient", "balance"],
    &["insufficient", "credit"],
    &["available credits"],
    &["run out of credits"],
    &["out of call volume quota"],
    &["token quota is exceeded"],
    &["api calls / month"],
    &["free-models-per-day"],
    &["spend", "limit"],
    &["spending", "cap"],
    &["budget", "exceeded"],
    &["exceeded", "monthly"],
];

/// One file, one scope, or one answer that is too expensive: the key may be valid for other requests.
const PERMISSION: &[&[&str]] = &[
    &["permission to access the file"],
    &["missing scopes"],
    &["or fewer max_tokens"],
    &["but can only afford"],
];

/// The key, or its account, is not valid.
const CREDENTIAL: &[&[&str]] = &[
    &["incorrect api key"],
    &["invalid api key"],
    &["invalid x-api-key"],
    &["api key", "not valid"],
    &["api key", "expired"],
    &["api key", "revoked"],
    &["account has been deactivated"],
    &["organization", "disabled"],
    &["organization", "restricted"],
];

/// The place from which the request comes, or the server that it reached, is not served.
const PLACE: &[&[&str]] = &[
    &["location", "not supported"],
    &["country", "not supported"],
    &["region", "not supported"],
    &["not available in your", "country"],
    &["not available in your", "region"],
];

/// A field, or a value of one, that the target does not take.
const FIELD: &[&[&str]] = &[
    &["unsupported parameter"],
    &["unsupported value"],
    &["unknown parameter"],
    &["unknown name"],
    &["unrecognized request argument"],
    &["unrecognized field"],
    &["extra inputs are not permitted"],
    &["does not support parameters"],
    &["is not supported with this model"],
    &["is deprecated for this model"],
];

/// What may be too large.
const AMOUNTS: &[&str] = &["context", "token", "tokens", "prompt", "input", "conversation"];

/// How it is said that something is too large.
const EXCESSES: &[&str] = &[
    "exceed",
    "too long",
    "too large",
    "too many",
    "longer than",
    "larger than",
    "greater than",
    "more than",
    "maximum",
    "limit",
    "reduce the length",
    "does not fit",
    "available context size",
];

/// The caller's limit on the answer: a value of it that is wrong does not make the request too large.
const ANSWER_LIMITS: &[&str] = &[
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_new_tokens",
    "maxoutputtokens",
    "max_tokens_to_sample",
    "budget_tokens",
    "num_predict",
    "n_predict",
];

/// Words of the input alone: with them a message is about the request, whatever else it names.
const INPUT: &[&str] = &["context", "prompt", "input", "messages"];

/// Parts of messages about a rate or an account, which may otherwise match an overflow.
const RATE: &[&str] = &[
    "rate limit",
    "rate-limit",
    "ratelimit",
    "rate_limit",
    "per min",
    "per day",
    "per hour",
    "per second",
    "daily",
    "monthly",
    "quota",
    "usage limit",
    "throttl",
    "wait before",
    "expired",
    "try again",
];

/// A limit for a day, not for a minute.
const DAY: &[&str] = &[
    "per day",
    "per-day",
    "(rpd)",
    "(tpd)",
    "daily limit",
    "daily quota",
    "weekly limit",
    "weekly usage",
];

/// One request that is larger than the limit for a minute: no wait helps.
const LARGER_THAN_A_LIMIT: &str = "request too large for";

/// Provisioned capacity that is used up, sent with a 429: the next call of the same route fails too.
const PROVISIONED: &str = "exceeded the provisioned throughput";

/// The permanent meaning of a message, if it has one. `status` is that of the response, if the error is not inside an answer.
pub(super) fn meaning(
    codes: &ErrorCodeTable,
    message: &str,
    status: Option<StatusCode>,
) -> Option<CodeClass> {
    if message.is_empty() {
        return None;
    }
    let words = Words::of(message);
    let says = |sets: &[&[&str]]| sets.iter().any(|set| set.iter().all(|part| words.has(part)));
    if let Some(added) = codes.of_words(&words) {
        return Some(added);
    }
    if says(PERMISSION) {
        return Some(SCOPE);
    }
    if says(CREDENTIAL) {
        return Some(KEY);
    }
    if says(QUOTA) {
        return Some(CodeClass::QuotaExhausted);
    }
    if words.has(LARGER_THAN_A_LIMIT) || words.is_overflow(status) {
        return Some(CodeClass::TooLarge);
    }
    let is_4xx = status.is_none_or(|status| matches!(status.as_u16(), 400 | 403 | 404 | 422));
    match () {
        () if is_4xx && says(PLACE) => Some(CodeClass::Declined),
        () if is_4xx && says(FIELD) => Some(PARAMETER),
        () => None,
    }
}

/// Whether a rate-limit message names the limit of a day or a week, and no shorter one.
pub(super) fn of_a_day(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    DAY.iter().any(|part| message.contains(part)) && !message.contains("per min")
}

/// Whether a message means that only another target can answer, although the status is that of a rate limit.
pub(super) fn only_elsewhere(message: &str) -> bool {
    message.to_ascii_lowercase().contains(PROVISIONED)
}

/// The status in the message of a gateway that wraps another's error: `[HTTP 502] …`.
pub(super) fn status_in(message: &str) -> Option<u16> {
    let at = message.find("[HTTP ")?;
    let digits = message[at + 6..].split(']').next()?.trim();
    digits.parse().ok().filter(|status| (400..600).contains(status))
}

// === impl Words ===

impl Words {
    fn of(message: &str) -> Self {
        let mut end = message.len().min(LONGEST);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        Self(unquoted(&message[..end]).to_lowercase())
    }

    /// Whether a part occurs.
    pub(super) fn has(&self, part: &str) -> bool {
        self.0.contains(part)
    }

    /// Whether one of these words occurs, and not only as a part of another word.
    fn has_word(&self, words: &[&str]) -> bool {
        let mut all = self.0.split(|c: char| !c.is_alphanumeric() && c != '_');
        all.any(|word| words.contains(&word))
    }

    /// Whether the request has more than the model's context, or than the server reads.
    fn is_overflow(&self, status: Option<StatusCode>) -> bool {
        let any = |parts: &[&str]| parts.iter().any(|part| self.has(part));
        let fits =
            status.is_none_or(|status| matches!(status.as_u16(), 400 | 413 | 422 | 500..=599));
        let of_the_answer = any(ANSWER_LIMITS) && !self.has_word(INPUT);
        fits && self.has_word(AMOUNTS) && any(EXCESSES) && !any(RATE) && !of_the_answer
    }
}

/// The text outside of quotes. An apostrophe inside a word is no quote.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut open, mut before) = (None, ' ');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let inside = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        match open {
            Some(close) if c == close && (c != '\'' || !inside(rest.peek())) => open = None,
            Some(_) => {}
            None => match c {
                '"' | '`' => open = Some(c),
                '\'' if !before.is_alphanumeric() => open = Some(c),
                '“' => open = Some('”'),
                '‘' => open = Some('’'),
                _ => out.push(c),
            },
        }
        before = c;
    }
    // A quote that is not closed is none.
    if open.is_some() { text.to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> Option<CodeClass> {
        meaning(&ErrorCodeTable::TABLE, message, Some(StatusCode::BAD_REQUEST))
    }

    #[test]
    fn an_overflow_is_known_by_words_that_occur_together() {
        for message in [
            "prompt is too long: 212345 tokens > 200000 maximum",
            "This model's maximum context length is 8192 tokens. However, you requested 9000.",
            "Your input exceeds the context window of this model.",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "Please reduce the length of the messages or completion: the context is full.",
            "too many tokens: total number of tokens in the prompt cannot exceed 4081",
            "Input is too long for requested model.",
            "context length exceeded from messages",
            "the request exceeds the available context size",
            "'max_tokens' is too large: 9000. This model's maximum context length is 8192 tokens.",
            "The conversation has more than 128k tokens.",
        ] {
            assert_eq!(of(message), Some(CodeClass::TooLarge), "{message}");
        }
    }

    #[test]
    fn a_message_about_a_rate_or_the_limit_of_the_answer_is_no_overflow() {
        for message in [
            "Too many tokens, please wait before trying again.",
            "Too many tokens per minute: lower the rate.",
            "Rate limit reached: reduce the length of the messages or wait.",
            "ThrottlingException: too many tokens",
            "max_tokens must be at least 1",
            "max_tokens: 9000 exceeds the maximum of 4096",
            "Your token limit for today: daily",
            "The value of temperature exceeds the maximum of 2",
        ] {
            assert_ne!(of(message), Some(CodeClass::TooLarge), "{message}");
        }
    }

    #[test]
    fn what_a_message_quotes_is_not_read() {
        for message in [
            "Invalid value: 'the context is too long'. Supported values are: 'auto' and 'none'.",
            "Cannot parse \"invalid api key\" as JSON",
            "Tool `insufficient credits` has no name",
        ] {
            assert_eq!(of(message), None, "{message}");
        }
        assert_eq!(
            unquoted("the model's limit isn't \"x y\" here"),
            "the model's limit isn't  here"
        );
        assert_eq!(unquoted("an open \"quote"), "an open \"quote");
    }

    #[test]
    fn an_overflow_is_one_of_a_status_that_may_mean_it() {
        let message = "prompt is too long for the context";
        let at = |status: u16| {
            meaning(&ErrorCodeTable::TABLE, message, StatusCode::from_u16(status).ok())
        };
        assert_eq!(at(404), None);
        assert_eq!(at(500), Some(CodeClass::TooLarge));
    }

    #[test]
    fn a_request_larger_than_the_limit_of_a_minute_never_fits() {
        let message =
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 60000.";
        assert_eq!(of(message), Some(CodeClass::TooLarge));
    }

    #[test]
    fn a_place_an_account_and_a_field_are_known_by_words() {
        for (message, expected) in [
            ("User location is not supported for the API use.", CodeClass::Declined),
            ("This organization has been disabled.", KEY),
            ("Unsupported parameter: 'max_tokens' is not supported with this model.", PARAMETER),
            (
                "Invalid JSON payload received. Unknown name \"store\": Cannot find field.",
                PARAMETER,
            ),
            ("You have reached your spending limit.", CodeClass::QuotaExhausted),
            ("You have reached your specified API usage limits.", CodeClass::QuotaExhausted),
        ] {
            assert_eq!(of(message), Some(expected), "{message}");
            assert_eq!(of(&message.to_uppercase()), Some(expected), "{message}");
        }
        assert_eq!(of("You exceeded your current quota, please check your plan"), None);
    }

    #[test]
    fn words_can_be_added() {
        let codes = ErrorCodeTable::default().with_words(["Moon", "full"], CodeClass::Unavailable);
        let of = |message| meaning(&codes, message, None);
        assert_eq!(of("The FULL moon shines"), Some(CodeClass::Unavailable));
        assert_eq!(of("The moon shines"), None);
        let none = ErrorCodeTable::default().with_words([], CodeClass::Unavailable);
        assert_eq!(meaning(&none, "anything", None), None);
    }

    #[test]
    fn a_status_in_a_message_is_read() {
        assert_eq!(status_in("upstream said [HTTP 502] Bad Gateway"), Some(502));
        assert_eq!(status_in("[HTTP 200]"), None);
        assert_eq!(status_in("HTTP 502"), None);
    }
}
