//! What a request may do: whether it can be repeated, and who else may answer it.

use crate::{Dialect, Operation, Request, names, operation::Effect, outcome::Verdict};

/// The effects of a request, and what ties its answer to an account or a model. Parsed once for each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    operation: Operation,
    effect: Effect,
    /// The operation in the route; empty for chats.
    part: &'static str,
    ties: Ties,
}

/// References in the body of a request to things that exist at one account only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ties {
    /// A file, a stored response, a conversation, a container, a vector store, a cache.
    pub(super) account: bool,
    /// The same, where the request changes it: sent twice, it changes it twice.
    pub(super) changing: bool,
    /// A model that only this account has.
    pub(super) model: bool,
}

/// The differences of another target from the target that a call was addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetDifference {
    /// Whether it is, or may be, another account.
    pub account: bool,
    /// Whether it has another model.
    pub model: bool,
}

// === impl Effects ===

impl Effects {
    /// The effects of a parsed request.
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

    /// Whether sending the request twice has the same effect as sending it once.
    pub fn repeats(self) -> bool {
        self.effect == Effect::None
    }

    /// Whether the request may be sent to the same account again after an attempt with that verdict.
    pub fn may_follow(self, verdict: &Verdict) -> bool {
        self.repeats() || !verdict.may_have_acted()
    }

    /// Whether sending the request twice costs twice, and changes nothing.
    pub fn only_costs(self) -> bool {
        self.effect == Effect::Costs
    }

    /// Whether the request must stay at its own target, and not go to a target with these differences.
    pub fn is_bound_to(self, target: TargetDifference) -> bool {
        let account = self.operation.is_of_an_account() || self.ties.account;
        let vectors = self.operation == Operation::Embeddings;
        let model = self.ties.model && !target.model;
        let costs = self.effect == Effect::Costs;
        let away = target.account && (account || model || costs || vectors);
        away || (target.model && vectors)
    }

    /// Whether, of equal targets, only those of one account can answer the request.
    pub fn is_of_an_account(self) -> bool {
        self.operation.is_of_an_account() || self.ties.account || self.ties.model
    }

    /// Whether the answer is a vector, which is comparable only with vectors of the same model.
    pub fn is_a_vector(self) -> bool {
        self.operation == Operation::Embeddings
    }

    /// Whether the answer depends on state at the provider that changes.
    pub fn is_changing(self) -> bool {
        self.ties.changing
    }
}

impl Default for Effects {
    /// The effects of an unknown request.
    fn default() -> Self {
        let (operation, effect) = (Operation::Unknown, Effect::Changes);
        Self { operation, effect, part: "", ties: Ties::default() }
    }
}
