//! One step of the ladder.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;

use super::{Canned, FallbackOn};
use crate::{
    Request,
    context::{AttemptContext, Route},
    dialect::{Dialect, Operation, Prefill, RequestInfo},
    target::{
        Capabilities, Edit, Target,
        group::{BalancePolicy, EqualTargets, Pool},
    },
};

/// One step of the ladder: where the request goes, or what is answered here.
#[derive(Clone, Debug)]
pub struct Fallback {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    pub(super) reserve: Option<Duration>,
    pub(super) offers: Capabilities,
    pub(super) edit: Edit,
    /// The failures it is for; all that move down where none is named.
    pub(super) on: Vec<FallbackOn>,
    /// The operations that it takes although they belong where they were addressed.
    pub(super) takes: Vec<Operation>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Where the caller sent it.
    Addressed,
    Target(Box<Target>),
    /// Several that are as good as each other.
    TargetGroup(TargetGroup),
    /// What the cache has, up to that age.
    Stored(Duration),
    Canned(Canned),
    Wait,
}

/// The equal targets of a fallback.
#[derive(Clone, Debug)]
pub(super) struct TargetGroup {
    pub(super) targets: Vec<Target>,
    pub(super) policy: BalancePolicy,
    /// What is known of each; there when the ladder is built.
    pool: Option<Arc<Pool>>,
}

// === impl Fallback ===

impl Fallback {
    /// The request as the caller addressed it.
    pub fn original_request() -> Self {
        Self::of("primary", Kind::Addressed)
    }

    /// Another model, key, region or provider. Named after its model, else after its host.
    pub fn target(target: Target) -> Self {
        let name = target.name();
        Self::of(&name, Kind::Target(Box::new(target)))
    }

    /// Several that are as good as each other: keys, regions, deployments. Each attempt goes to one of them, as
    /// [`balance`](crate::balance) tells; at most [`BalancePolicy::MAX_TARGETS`]. Named after the first.
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

    /// How attempts are spread over its [`targets`](Self::targets); means nothing where there is one.
    #[must_use]
    pub fn balance(mut self, policy: BalancePolicy) -> Self {
        if let Kind::TargetGroup(equals) = &mut self.kind {
            equals.policy = policy;
        }
        self
    }

    /// The stored answer to the same request, if it is at most that old; else the next fallback is asked. It needs a cache:
    /// [`ClientBuilder::cache`](crate::ClientBuilder::cache). Named `stored`.
    pub fn stored(age: Duration) -> Self {
        Self::of("stored", Kind::Stored(age))
    }

    /// A fixed text. Named `canned`.
    pub fn canned(text: impl Into<String>) -> Self {
        Self::reply(Canned::text(text))
    }

    /// A reply made here. Named `canned`.
    pub fn reply(canned: Canned) -> Self {
        Self::of("canned", Kind::Canned(canned))
    }

    /// Waits for recovery, until the deadline: the fallbacks above are asked again when one of them may be well, by one call at a
    /// time, the oldest first. For work that nobody waits for; the last fallback, but for a canned reply. Named `wait`.
    ///
    /// Where it is known that nobody will be back in time, the call fails at once. An exhausted quota is waited for as well:
    /// it comes back by itself, or somebody pays.
    pub fn wait_for_recovery() -> Self {
        Self::of("wait", Kind::Wait)
    }

    fn of(name: &str, kind: Kind) -> Self {
        let (offers, edit) = (Capabilities::default(), Edit::default());
        let (on, takes) = (Vec::new(), Vec::new());
        Self { name: name.into(), kind, reserve: None, offers, edit, on, takes }
    }

    /// Another name: for attempt logs, events and the header `evenkeel-served-by`. Visible ASCII, at most 64 bytes.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The time this fallback keeps back, before the call's deadline, for the fallbacks below it; never more than two thirds of
    /// what is left, so that a call with a short deadline of its own asks this fallback as well. Without it a third of what is
    /// left, for all targets below together.
    #[must_use]
    pub fn reserve(mut self, reserve: Duration) -> Self {
        self.reserve = Some(reserve);
        self
    }

    /// What this fallback can do.
    #[must_use]
    pub fn capabilities(mut self, offers: Capabilities) -> Self {
        self.offers = offers;
        self
    }

    /// What is asked less of here than the caller asked.
    ///
    /// A fallback without tools, without images or without a stream has a route of its own, with its own breaker: a provider
    /// may fail the one and serve the other. Its model ends in `:no-…` there.
    #[must_use]
    pub fn edit(mut self, edit: Edit) -> Self {
        self.edit = edit;
        self
    }

    /// The same without that tool: see [`Edit::without_tool`].
    #[must_use]
    pub fn without_tool(mut self, name: &str) -> Self {
        self.edit = self.edit.without_tool(name);
        self
    }

    /// The same without any tool: see [`Edit::without_tools`].
    #[must_use]
    pub fn without_tools(mut self) -> Self {
        self.edit = self.edit.without_tools();
        self
    }

    /// A fallback for these failures alone: it is asked when the fallback asked before it came to one of them. Without it a fallback is
    /// for all that move down. Where nothing was asked yet, as the fallbacks above offer less than the call needs, that counts
    /// as [`FallbackOn::TooLarge`].
    #[must_use]
    pub fn on(mut self, failures: impl IntoIterator<Item = FallbackOn>) -> Self {
        self.on.extend(failures);
        self
    }

    /// The dialect that it says it speaks.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        match &self.kind {
            Kind::Target(target) => target.spoken(),
            Kind::TargetGroup(equals) => equals.targets.iter().find_map(Target::spoken),
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => None,
        }
    }

    /// How it takes the beginning of an answer, if it does.
    pub(super) fn prefill(&self) -> Option<Prefill> {
        self.offers.prefill.filter(|_| !self.is_instant())
    }

    /// Whether it asks somebody.
    pub(super) fn asks(&self) -> bool {
        matches!(self.kind, Kind::Addressed | Kind::Target(_) | Kind::TargetGroup(_))
    }

    pub(super) fn waits(&self) -> bool {
        matches!(self.kind, Kind::Wait)
    }

    /// Whether it stands for several equal targets.
    pub(super) fn has_equals(&self) -> bool {
        matches!(self.kind, Kind::TargetGroup(_))
    }

    /// Whether it needs no time: what it answers is here.
    pub(super) fn is_instant(&self) -> bool {
        matches!(self.kind, Kind::Canned(_) | Kind::Stored(_))
    }

    /// Whether it always answers.
    pub(super) fn is_last(&self) -> bool {
        matches!(self.kind, Kind::Canned(_))
    }

    pub(super) fn is_stored(&self) -> bool {
        matches!(self.kind, Kind::Stored(_))
    }

    /// The name, for the header.
    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.name).unwrap_or(HeaderValue::from_static("fallback"))
    }

    /// The request for this fallback, with its route; where it has equal targets, one of them is picked for each attempt.
    pub(super) fn request(&self, mut request: Request, info: &RequestInfo) -> Request {
        match &self.kind {
            Kind::Target(target) => target.apply(request, info),
            Kind::TargetGroup(equals) => {
                let route = Route::new(&self.name, info.model().unwrap_or("-"), "-")
                    .with_operation(info.effects().operation_name());
                AttemptContext::of(&mut request).set_route(route);
                if let Some(pool) = &equals.pool {
                    EqualTargets::offer(&mut request, pool.clone());
                }
                request
            }
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => request,
        }
    }

    /// Begins to keep what is known of its targets.
    pub(super) fn open(&mut self) {
        if let Kind::TargetGroup(TargetGroup { targets, policy, pool }) = &mut self.kind {
            *pool = Some(Arc::new(Pool::new(targets.clone(), policy.clone())));
        }
    }
}
