//! Failures in words for the visitor. The operator finds the reason in the attempt log and in the events.

use evenkeel::Error;

use crate::language::Texts;

/// The text for a call without an answer.
pub(crate) fn apology(error: &Error, texts: &Texts) -> &'static str {
    match error {
        it if it.is_blocked() => texts.blocked,
        it if it.is_too_large() => texts.too_long,
        // A request that the provider rejects is our mistake: to ask again does not help.
        it if it.is_rejected() => texts.our_mistake,
        _ => texts.unavailable,
    }
}
