//! Recognises refusals of reasoning, by the words of their messages.

use super::attempt::Repair;
use crate::{Error, Response};

/// The longest error that is read.
const LONGEST: usize = 64 * 1024;

/// The words of refusals: all words of one line.
const FOREIGN: [&[&str]; 10] = [
    // Anthropic, and hosts of its models.
    &["signature", "thinking"],
    &["expected `thinking`"],
    &["expected thinking"],
    // OpenAI responses.
    &["encrypted content", "could not be"],
    &["invalid_encrypted_content"],
    &["required 'reasoning' item"],
    &["rs_", "not found"],
    // Gemini.
    &["thought signature"],
    &["thought_signature"],
    // Compatible servers.
    &["reasoning_content"],
];
/// The same, where the reasoning is missing.
const MISSING: [&[&str]; 3] = [
    &["reasoning_content", "must be passed"],
    &["reasoning_content", "missing"],
    &["missing", "reasoning"],
];

/// How the request is to be changed after that result; `edited` if reasoning was removed from it.
pub(super) fn repair(result: &Result<Response, Error>, edited: bool) -> Option<Repair> {
    let response = result.as_ref().ok()?;
    if !matches!(response.status().as_u16(), 400 | 404 | 422) {
        return None;
    }
    let body = response.body().as_bytes().filter(|body| body.len() <= LONGEST)?;
    repair_of(&String::from_utf8_lossy(body).to_ascii_lowercase(), edited)
}

fn repair_of(error: &str, edited: bool) -> Option<Repair> {
    let is = |words: &&'static [&'static str]| words.iter().all(|word| error.contains(word));
    // Gemini's signatures have a stand-in, also where they are missing.
    if MISSING.iter().any(is) && !error.contains("thought_signature") {
        return edited.then_some(Repair::AsItCame);
    }
    FOREIGN.iter().any(is).then_some(Repair::WithoutReasoning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_reasoning_are_known_by_their_words() {
        for error in [
            "messages.1.content.0: invalid `signature` in `thinking` block",
            "messages.1.content.0.type: expected `thinking` or `redacted_thinking`, but found `tool_use`",
            "the encrypted content gaaa could not be verified. reason: encrypted content could not be decrypted or parsed.",
            "item 'msg_1' of type 'message' was provided without its required 'reasoning' item: 'rs_1'.",
            "item with id 'rs_1' not found.",
            "corrupted thought signature.",
            "function call is missing a thought_signature in functioncall parts.",
            "property 'reasoning_content' is unsupported",
        ] {
            assert_eq!(repair_of(error, false), Some(Repair::WithoutReasoning), "{error}");
        }
    }

    #[test]
    fn missing_reasoning_is_put_back_only_if_it_was_removed() {
        let error = "the `reasoning_content` in the thinking mode must be passed back to the api.";
        assert_eq!(repair_of(error, true), Some(Repair::AsItCame));
        assert_eq!(repair_of(error, false), None);
    }

    #[test]
    fn other_errors_are_no_refusals_of_reasoning() {
        for error in [
            "max_tokens: must be greater than thinking.budget_tokens",
            "the model does not exist",
            "request signature expired",
        ] {
            assert_eq!(repair_of(error, true), None, "{error}");
        }
    }
}
