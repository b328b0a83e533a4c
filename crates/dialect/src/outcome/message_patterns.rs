//! Classifies an error message that has no code.
//!
//! Only sentences that providers are known to send, in lower case; quoted parts, which repeat the request, are ignored.

use super::{
    CodeClass,
    codes::{KEY, SCOPE},
    quotes::unquoted,
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
    "spending limit",
    "spend limit",
    "weekly usage limit",
    "monthly usage limit",
    "billing hard limit",
];

/// One file, one scope, or one answer that is too expensive: the key may be valid for other requests.
const PERMISSION: &[&str] = &[
    "permission to access the file",
    "missing scopes",
    "or fewer max_tokens",
    "but can only afford",
    // The region of the sender: a gateway on the way may send another call from elsewhere.
    "location is not supported",
    "country, region, or territory not supported",
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
    "api key is invalid",
    "account has been deactivated",
    "organization has been disabled",
    "organization has been restricted",
];

/// A limit for a day, not for a minute.
const DAY: &[&str] = &["per day", "per-day", "(rpd)", "(tpd)", "daily limit", "daily quota"];

/// One request that is larger than the limit for a minute: no wait helps.
const LARGER_THAN_A_LIMIT: &str = "request too large for";

/// Provisioned capacity that is used up, sent with a 429: the next call of the same route fails too.
const PROVISIONED: &str = "exceeded the provisioned throughput";

/// The permanent meaning of a message, if it has one.
pub(super) fn meaning(message: &str) -> Option<CodeClass> {
    let message = unquoted(message);
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
    says(&LARGER_THAN_A_LIMIT).then_some(CodeClass::TooLarge)
}

/// The status that a gateway writes into the message of its error: `[HTTP 502]`.
pub(super) fn status_in(message: &str) -> Option<u16> {
    let number = message.split_once("[HTTP ")?.1.split_once(']')?.0;
    number.parse().ok().filter(|status| (400..600).contains(status))
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
    fn a_request_larger_than_the_limit_of_a_minute_never_fits() {
        let message =
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 60000.";
        assert_eq!(meaning(message), Some(CodeClass::TooLarge));
    }

    #[test]
    fn a_status_in_a_message_is_read_where_a_gateway_writes_it() {
        assert_eq!(status_in("[HTTP 502] <!DOCTYPE html>"), Some(502));
        for none in ["HTTP 502", "[HTTP 200]", "[HTTP x]", "[HTTP 502", ""] {
            assert_eq!(status_in(none), None, "{none}");
        }
    }

    #[test]
    fn the_region_the_organization_and_the_key_are_known_in_a_message() {
        for (message, class) in [
            ("User location is not supported for the API use.", SCOPE),
            ("This organization has been disabled.", KEY),
            ("API key not valid. Please pass a valid API key.", KEY),
            ("you (x) have reached your weekly usage limit", CodeClass::QuotaExhausted),
        ] {
            assert_eq!(meaning(message), Some(class), "{message}");
        }
        assert_eq!(meaning("Invalid value: 'invalid api key'"), None);
    }

    #[test]
    fn a_spend_cap_is_known_in_any_case_of_letters() {
        let message = "You have reached your specified API usage limits.";
        assert_eq!(meaning(message), Some(CodeClass::QuotaExhausted));
        assert_eq!(meaning(&message.to_uppercase()), Some(CodeClass::QuotaExhausted));
        assert_eq!(meaning("You exceeded your current quota, please check your plan"), None);
    }
}
