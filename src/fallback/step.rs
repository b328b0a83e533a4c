//! One fallback.

use std::{sync::Arc, time::Duration};

use super::{
    Canned, FallbackOn,
    kind::{Kind, TargetGroup},
};
use crate::{
    dialect::Operation,
    target::{Capabilities, Edit, Target, group::BalancePolicy},
    telemetry::AnswerSource,
};

/// One fallback: a target for the request, or a local answer.
#[derive(Clone, Debug)]
pub struct Fallback {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    pub(super) reserve: Option<Duration>,
    pub(super) offers: Capabilities,
    pub(super) edit: Edit,
    /// The failures it takes; empty for all that move down.
    pub(super) on: Vec<FallbackOn>,
    /// The operations it takes although they are bound to the account or model they were addressed to.
    pub(super) takes: Vec<Operation>,
}

// === impl Fallback ===

impl Fallback {
    /// Sends the request where the caller addressed it. Named `primary`.
    pub fn original_request() -> Self {
        Self::of("primary", Kind::Addressed)
    }

    /// Another model, key, region or provider. Named after its model, or else after its host.
    pub fn target(target: Target) -> Self {
        let name = target.name();
        Self::of(&name, Kind::Target(Box::new(target)))
    }

    /// Several equal targets: keys, regions, deployments. [`balance`](crate::balance) picks one of them for each attempt; at
    /// most [`BalancePolicy::MAX_TARGETS`]. Named after the first.
    ///
    /// ```
    /// use evenkeel::fallback::{Fallback, Target};
    ///
    /// let region = |host: &str| Target::new(format!("https://{host}.example.com/v1")).bearer("its key");
    /// let fallback = Fallback::targets(["west", "north", "south"].map(region));
    /// # evenkeel::fallback::FallbackPolicy::new().first(fallback).build().expect("as it is");
    /// ```
    pub fn targets(targets: impl IntoIterator<Item = Target>) -> Self {
        let mut targets: Vec<_> = targets.into_iter().collect();
        match targets.len() {
            1 => Self::target(targets.remove(0)),
            _ => {
                let name = targets.first().map_or_else(|| "targets".to_owned(), Target::name);
                let policy = BalancePolicy::default();
                Self::of(&name, Kind::TargetGroup(TargetGroup { targets, policy, pool: None }))
            }
        }
    }

    /// How attempts are spread over its [`targets`](Self::targets); no effect with one target.
    #[must_use]
    pub fn balance(mut self, policy: BalancePolicy) -> Self {
        if let Kind::TargetGroup(equals) = &mut self.kind {
            equals.policy = policy;
        }
        self
    }

    /// The stored answer to the same request, if it is at most `age` old; else the next fallback is tried. It needs a cache:
    /// [`ClientBuilder::cache`](crate::ClientBuilder::cache). Named `stored`.
    pub fn stored(age: Duration) -> Self {
        Self::of("stored", Kind::Stored(age))
    }

    /// A fixed text as the answer. Named `canned`.
    pub fn canned(text: impl Into<String>) -> Self {
        Self::reply(Canned::text(text))
    }

    /// A canned reply as the answer. Named `canned`.
    pub fn reply(canned: Canned) -> Self {
        Self::of("canned", Kind::Canned(canned))
    }

    /// Waits for recovery, until the deadline: tries the fallbacks above again when one of them may have recovered, one call at a
    /// time, the oldest first. For work without a waiting user. It must be the last fallback, except for a canned reply. Named
    /// `wait`.
    ///
    /// If no target is expected back before the deadline, the call fails at once. An exhausted quota is waited for too: it is
    /// restored by itself or by a payment.
    pub fn wait_for_recovery() -> Self {
        Self::of("wait", Kind::Wait)
    }

    /// Where an answer of this fallback is from, if that is not the first target.
    pub(super) fn source(&self, at: usize) -> Option<AnswerSource> {
        match self.kind {
            Kind::Canned(_) => Some(AnswerSource::Canned),
            Kind::Stored(_) => Some(AnswerSource::Stored),
            _ => (at > 0).then_some(AnswerSource::Fallback),
        }
    }

    fn of(name: &str, kind: Kind) -> Self {
        let (offers, edit) = (Capabilities::default(), Edit::default());
        let (on, takes) = (Vec::new(), Vec::new());
        Self { name: name.into(), kind, reserve: None, offers, edit, on, takes }
    }

    /// Sets the name, for attempt logs, events and the header `evenkeel-served-by`. Visible ASCII, at most 64 bytes.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The time that this fallback reserves, before the call's deadline, for the fallbacks below it; never more than two thirds
    /// of what is left, so that a call with a short deadline is sent to this fallback too. By default a third of what is left,
    /// for all targets below together.
    #[must_use]
    pub fn reserve(mut self, reserve: Duration) -> Self {
        self.reserve = Some(reserve);
        self
    }

    /// Declares the capabilities of this fallback.
    #[must_use]
    pub fn capabilities(mut self, offers: Capabilities) -> Self {
        self.offers = offers;
        self
    }

    /// Edits the request for this fallback, to request less than the caller did.
    ///
    /// A fallback without tools, without images or without a stream has a route of its own, with its own breaker: a provider may
    /// fail one kind of request and serve the other. The model of that route ends in `:no-…`.
    #[must_use]
    pub fn edit(mut self, edit: Edit) -> Self {
        self.edit = edit;
        self
    }

    /// Drops that tool: see [`Edit::without_tool`].
    #[must_use]
    pub fn without_tool(mut self, name: &str) -> Self {
        self.edit = self.edit.without_tool(name);
        self
    }

    /// Drops all tools: see [`Edit::without_tools`].
    #[must_use]
    pub fn without_tools(mut self) -> Self {
        self.edit = self.edit.without_tools();
        self
    }

    /// Limits this fallback to these failures: it is tried when the fallback tried before it ended in one of them. By default a
    /// fallback takes all failures that move down. If no fallback was tried yet, since those above offer less than the call
    /// needs, that counts as [`FallbackOn::TooLarge`].
    #[must_use]
    pub fn on(mut self, failures: impl IntoIterator<Item = FallbackOn>) -> Self {
        self.on.extend(failures);
        self
    }
}
