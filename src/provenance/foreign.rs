//! The setting for reasoning that another provider has made.

/// What a target gets of the reasoning in a conversation that another provider has made: signed thinking, encrypted reasoning,
/// thought signatures, reasoning texts.
///
/// Providers refuse what they have not signed themselves, for as long as it is part of the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignReasoning {
    /// Removed. The default. Reasoning that the target itself has made stays.
    #[default]
    Remove,
    /// Sent as it is: for a target that takes it, such as the same model at another host.
    Keep,
}
