//! What follows from a request for its repetition, and for who else may answer it.

use crate::{Dialect, Operation, Request, names, operation::Effect, outcome::Verdict};

/// What a request does, and what ties its answer to an account or a model. Read once for each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    operation: Operation,
    effect: Effect,
    /// The operation in the route; empty for the ordinary one of a provider.
    part: &'static str,
    ties: Ties,
}

/// What the body of a request names that exists at one account only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ties {
    /// A file, a stored response, a conversation, a container, a vector store, a cache.
    pub(super) account: bool,
    /// The same, and the request changes it: sent twice, it changes it twice.
    pub(super) changing: bool,
    /// A model that only this account has.
    pub(super) model: bool,
}

/// How another target differs from the one that a call was addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetDifference {
    /// It is another account, or may be.
    pub account: bool,
    /// It asks a model of its own.
    pub model: bool,
}

// === impl Effects ===

impl Effects {
    /// The effects of a request that was read.
    pub(super) fn of(request: &Request, dialect: Option<Dialect>, ties: Ties) -> Self {
        let (method, path) = (request.method(), request.uri().path());
        let operation = match dialect {
            Some(_) => Operation::Chat,
            None => Operation::of(method, path),
        };
        let effect = match operation.effect(method) {
            Effect::None if ties.changing => Effect::Changes,
            effect => effect,
        };
        let part = match (operation, dialect) {
            (Operation::Chat, Some(Dialect::OpenAiResponses)) => "responses",
            (Operation::Chat, None) if path.ends_with("/completions") => "completions",
            (Operation::Unknown, _) => names::of(method, path),
            (known, _) => known.name(),
        };
        Self { operation, effect, part, ties }
    }

    /// What the request does at its provider.
    pub(crate) fn operation(self) -> Operation {
        self.operation
    }

    /// The operation in the route.
    pub fn operation_name(self) -> &'static str {
        self.part
    }

    /// Whether to send it twice does no more than to send it once.
    pub fn repeats(self) -> bool {
        self.effect == Effect::None
    }

    /// Whether the same may be sent to the same account again after an attempt with that verdict.
    pub fn may_follow(self, verdict: &Verdict) -> bool {
        self.repeats() || !verdict.may_have_acted()
    }

    /// Whether to send it twice costs twice, and changes nothing.
    pub fn only_costs(self) -> bool {
        self.effect == Effect::Costs
    }

    /// Whether it stays where it was addressed, rather than go to such a target.
    pub fn is_bound_to(self, target: TargetDifference) -> bool {
        let account = self.operation.is_of_an_account() || self.ties.account;
        let vectors = self.operation == Operation::Embeddings;
        let model = self.ties.model && !target.model;
        let costs = self.effect == Effect::Costs;
        let away = target.account && (account || model || costs || vectors);
        away || (target.model && vectors)
    }

    /// Whether of equal targets only those of one account can answer it.
    pub fn is_of_an_account(self) -> bool {
        self.operation.is_of_an_account() || self.ties.account || self.ties.model
    }

    /// Whether the answer is a vector, which means something beside those of the same model only.
    pub fn is_a_vector(self) -> bool {
        self.operation == Operation::Embeddings
    }

    /// Whether its answer depends on what changes at the provider.
    pub fn is_changing(self) -> bool {
        self.ties.changing
    }
}

impl Default for Effects {
    /// Those of an unknown request.
    fn default() -> Self {
        let (operation, effect) = (Operation::Unknown, Effect::Changes);
        Self { operation, effect, part: "", ties: Ties::default() }
    }
}
