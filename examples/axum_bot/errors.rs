//! Failures in words for the visitor. The operator finds the reason in the attempt log and in the events.

use evenkeel::{
    Response,
    outcome::{Outcome, Verdict},
};

use crate::language::Texts;

/// The text for a call without an answer.
pub(crate) fn apology(outcome: Outcome, texts: &Texts) -> &'static str {
    match outcome {
        Outcome::Blocked => texts.blocked,
        Outcome::TooLarge => texts.too_long,
        // A request that the provider rejects is our mistake: to ask again does not help.
        Outcome::Rejected { .. } | Outcome::Declined => texts.our_mistake,
        _ => texts.unavailable,
    }
}

/// The outcome of an answer that is not a success.
pub(crate) fn outcome_of(response: &Response) -> Outcome {
    let verdict = response.extensions().get::<Verdict>();
    // Every answer of a client has a verdict.
    verdict.map_or(Outcome::Declined, Verdict::outcome)
}
