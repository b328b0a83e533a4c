//! Reads the meaning of a message from sets of words that occur together.
//!
//! Providers change their sentences, but not the words in them. Quoted parts are ignored: they repeat the request.

use super::{
    CodeClass,
    codes::{PARAMETER, REQUEST},
    quotes::unquoted,
};

/// One word of each list occurs in the same sentence.
struct Pair {
    subject: &'static [&'static str],
    verb: &'static [&'static str],
}

/// More than the model's context.
const LARGE: &[Pair] = &[
    Pair {
        subject: &["context"],
        verb: &[
            "exceed",
            "too long",
            "too large",
            "longer than",
            "larger than",
            "greater than",
            "more than",
            "maximum",
            "limit",
            "overflow",
            "available",
            "not fit",
        ],
    },
    Pair {
        subject: &[
            "prompt",
            "input",
            "token",
            "sequence",
            "conversation",
            "chat history",
            "the messages",
        ],
        verb: &[
            "exceed",
            "too long",
            "too large",
            "longer than",
            "larger than",
            "greater than the maximum",
            "too many tokens",
            "maximum prompt length",
            "reduce the length",
            "over the limit",
            "token limit",
            "maximum number of tokens",
        ],
    },
];

/// Another limit of the request: an overflow of the context is not the cause, unless the sentence names the context.
const OTHER_LIMIT: &[&str] = &[
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_new_tokens",
    "maxoutputtokens",
    "max tokens",
    "budget",
    "output token",
    "completion token",
    "new tokens",
    "image",
    "audio",
    "file",
    "tool",
    "stop sequence",
    "temperature",
    "batch",
    "label",
    "character",
];

/// A rate, or a time limit.
const RATE: &[&str] = &[
    "rate limit",
    "rate-limit",
    "ratelimit",
    "rate_limit",
    "per minute",
    "per min",
    "per day",
    "per hour",
    "per second",
    "per month",
    "/min",
    "tpm",
    "rpm",
    "throttl",
    "wait before",
    "deadline",
    "quota",
    "too many requests",
    "try again",
    "timeout",
    "timed out",
];

/// A parameter, or its value, that this target does not take.
const NOT_TAKEN: &[&str] = &[
    "unsupported parameter",
    "unsupported value",
    "unsupported field",
    "unknown parameter",
    "unknown name",
    "unknown field",
    "unexpected keyword",
    "unrecognized request argument",
    "unrecognized field",
    "unrecognized parameter",
    "extra inputs are not permitted",
    "extra fields not permitted",
    "additional properties are not allowed",
    "does not support",
    "doesn't support",
    "do not support",
    "not supported",
    "this model supports",
    "is not available for this model",
    "not enabled for this model",
];

/// What a message says of a request that is wrong for every target.
const WRONG: &[&str] = &[
    "must be",
    "must not",
    "must have",
    "must contain",
    "must start",
    "must end",
    "must follow",
    "must match",
    "must alternate",
    "must provide",
    "you must",
    "should be a",
    "is required",
    "are required",
    "field required",
    "missing required",
    "missing field",
    "cannot be empty",
    "can't be empty",
    "cannot be null",
    "non-empty",
    "nonempty",
    "is not of type",
    "wrong type",
    "invalid type",
    "invalid value",
    "invalid format",
    "invalid json",
    "valid json",
    "could not parse",
    "failed to parse",
    "unable to parse",
    "cannot parse",
    "failed to deserialize",
    "json parse error",
    "validation error",
    "malformed",
    "too short",
    "minimum length",
    "maximum length",
    "out of range",
    "less than or equal",
    "greater than or equal",
    "at least one",
    "invalid base64",
    "invalid image",
    "could not process image",
    "unexpected role",
    "invalid schema",
    "does not match the schema",
    "duplicate",
];

/// The roots of the paths of fields.
const ROOTS: &[&str] = &[
    "messages",
    "message",
    "contents",
    "content",
    "input",
    "tools",
    "tool_choice",
    "system",
    "response_format",
    "generation_config",
    "generationconfig",
    "body",
];

/// Whether a message means that the request is larger than the model's context.
pub(super) fn is_too_large(message: &str) -> bool {
    let text = unquoted(message);
    if RATE.iter().any(|word| text.contains(word)) {
        return false;
    }
    text.split(['\n', ';']).flat_map(|part| part.split(". ")).any(|sentence| {
        let has = |word: &&str| sentence.contains(*word);
        let other = OTHER_LIMIT.iter().any(has) && !sentence.contains("context");
        let pair = |pair: &Pair| pair.subject.iter().any(has) && pair.verb.iter().any(has);
        !other && LARGE.iter().any(pair)
    })
}

/// The blame that a message puts on the request: on a parameter that this target does not take, or on the request itself.
pub(super) fn blame(message: &str) -> Option<CodeClass> {
    let text = unquoted(message);
    let has = |word: &&str| text.contains(*word);
    if NOT_TAKEN.iter().any(has) {
        return Some(PARAMETER);
    }
    (WRONG.iter().any(has) || names_a_field(message)).then_some(REQUEST)
}

/// Whether a message names a field of the request by its path: `messages[3].content`, `messages.0.content`.
fn names_a_field(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_.[]".contains(c)));
    words.into_iter().any(|word| {
        let end = word.find(['.', '[']).unwrap_or(word.len());
        let index = word[end..].trim_start_matches(['.', '[']);
        ROOTS.contains(&&word[..end]) && index.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
