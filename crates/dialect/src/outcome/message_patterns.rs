//! Classifies an error message that has no code.
//!
//! Only sentences that providers are known to send, in lower case. The message itself is never stored.

use super::{
    CodeClass,
    codes::{KEY, SCOPE},
};

/// Credit, or a quota of a day or more, is used up.
const QUOTA: &[&str] = &[
    "specified api usage limits",
    "credit balance is too low",
    "insufficient balance",
    "insufficient credits",
    "used all available credits",
    "run out of credits",
    "out of call volume quota",
    "token quota is exceeded",
    "api calls / month",
    "free-models-per-day",
];

/// One file, one scope, or one answer that is too expensive: the key may be valid for other requests.
const PERMISSION: &[&str] = &[
    "permission to access the file",
    "missing scopes",
    "or fewer max_tokens",
    "but can only afford",
];

/// The key itself is invalid.
const CREDENTIAL: &[&str] = &[
    "incorrect api key",
    "invalid api key",
    "invalid x-api-key",
    "api key not valid",
    "api key expired",
    "api key has expired",
    "api key has been revoked",
    "account has been deactivated",
];

/// More than the model's context. The two parts occur in this order.
const OVERFLOW: &[(&str, &str)] = &[
    ("prompt is too long", ""),
    ("input is too long", ""),
    ("maximum context length", ""),
    ("maximum prompt length", ""),
    ("exceeds the context window", ""),
    ("exceed context limit", ""),
    ("available context size", ""),
    ("input token count", "exceeds the maximum"),
    ("reduce the length of the messages", ""),
    ("too many tokens", ""),
];

/// Parts of rate-limit messages, which may otherwise match an overflow.
const RATE: &[&str] = &[
    "rate limit",
    "rate-limit",
    "ratelimit",
    "rate_limit",
    "per minute",
    "per day",
    "throttl",
    "wait before",
];

/// A limit for a day, not for a minute.
const DAY: &[&str] = &["per day", "per-day", "(rpd)", "(tpd)", "daily limit", "daily quota"];

/// One request that is larger than the limit for a minute: no wait helps.
const LARGER_THAN_A_LIMIT: &str = "request too large for";

/// Provisioned capacity that is used up, sent with a 429: the next call of the same route fails too.
const PROVISIONED: &str = "exceeded the provisioned throughput";

/// The permanent meaning of a message, if it has one.
pub(super) fn meaning(message: &str) -> Option<CodeClass> {
    let message = message.to_ascii_lowercase();
    let says = |part: &&str| message.contains(*part);
    if PERMISSION.iter().any(says) {
        return Some(SCOPE);
    }
    if CREDENTIAL.iter().any(says) {
        return Some(KEY);
    }
    if QUOTA.iter().any(says) {
        return Some(CodeClass::QuotaExhausted);
    }
    let overflow = |(first, then): &(&str, &str)| {
        message.split_once(*first).is_some_and(|(_, rest)| rest.contains(*then))
    };
    let large = OVERFLOW.iter().any(overflow) && !RATE.iter().any(says);
    (large || says(&LARGER_THAN_A_LIMIT)).then_some(CodeClass::TooLarge)
}

/// Whether a rate-limit message names the limit of a day, and no shorter one.
pub(super) fn of_a_day(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    DAY.iter().any(|part| message.contains(part)) && !message.contains("per min")
}

/// Whether a message means that only another target can answer, although the status is that of a rate limit.
pub(super) fn only_elsewhere(message: &str) -> bool {
    message.to_ascii_lowercase().contains(PROVISIONED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overflow_is_known_by_what_providers_write() {
        for message in [
            "prompt is too long: 212345 tokens > 200000 maximum",
            "This model's maximum context length is 8192 tokens. However, you requested 9000.",
            "Your input exceeds the context window of this model.",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "Please reduce the length of the messages or completion.",
            "too many tokens: total number of tokens in the prompt cannot exceed 4081",
            "Input is too long for requested model.",
        ] {
            assert_eq!(meaning(message), Some(CodeClass::TooLarge), "{message}");
        }
    }

    #[test]
    fn an_overflow_that_speaks_of_a_rate_is_none() {
        for message in [
            "Too many tokens, please wait before trying again.",
            "Too many tokens per minute: lower the rate.",
            "Rate limit reached: reduce the length of the messages or wait.",
            "ThrottlingException: too many tokens",
        ] {
            assert_eq!(meaning(message), None, "{message}");
        }
    }

    #[test]
    fn a_request_larger_than_the_limit_of_a_minute_never_fits() {
        let message =
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 60000.";
        assert_eq!(meaning(message), Some(CodeClass::TooLarge));
    }

    #[test]
    fn the_parts_of_a_sentence_stand_in_their_order() {
        assert_eq!(meaning("this exceeds the maximum, see the input token count"), None);
    }

    #[test]
    fn a_spend_cap_is_known_in_any_case_of_letters() {
        let message = "You have reached your specified API usage limits.";
        assert_eq!(meaning(message), Some(CodeClass::QuotaExhausted));
        assert_eq!(meaning(&message.to_uppercase()), Some(CodeClass::QuotaExhausted));
        assert_eq!(meaning("You exceeded your current quota, please check your plan"), None);
    }
}
