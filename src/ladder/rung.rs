//! One step of the ladder.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;

use super::{Canned, Edit, Target, When, descent::stops};
use crate::{
    ConfigError, Request,
    balance::{BalancePolicy, Pool, check as check_equals},
    classify::Outcome,
    context::{Call, Route},
    dialect::{Ask, Dialect, Prefill},
    telemetry::Skip,
};

/// One step of the ladder: where the request goes, or what is answered here.
#[derive(Clone, Debug)]
pub struct Rung {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    pub(super) reserve: Option<Duration>,
    pub(super) offers: Offers,
    pub(super) edit: Edit,
    /// The failures it is for; all that move down where none is named.
    pub(super) on: Vec<When>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Where the caller sent it.
    Addressed,
    Target(Box<Target>),
    /// Several that are as good as each other.
    Equals(Equals),
    /// What the cache has, up to that age.
    Stored(Duration),
    Canned(Canned),
    Wait,
}

/// The equal targets of a rung.
#[derive(Clone, Debug)]
pub(super) struct Equals {
    targets: Vec<Target>,
    policy: BalancePolicy,
    /// What is known of each; there when the ladder is built.
    pool: Option<Arc<Pool>>,
}

/// What a rung can do; a call that needs more passes it by.
///
/// # Defaults
///
/// * context: not declared, so any
/// * tools, images, answers in JSON: yes
/// * prefill: not declared, so never tried
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offers {
    pub(super) context: Option<u64>,
    pub(super) tools: bool,
    pub(super) vision: bool,
    pub(super) json: bool,
    pub(super) prefill: Option<Prefill>,
}

// === impl Rung ===

impl Rung {
    /// The request as the caller addressed it.
    pub fn addressed() -> Self {
        Self::of("primary", Kind::Addressed)
    }

    /// Another model, key, region or provider. Named after its model, else after its host.
    pub fn target(target: Target) -> Self {
        let name = target.name();
        Self::of(&name, Kind::Target(Box::new(target)))
    }

    /// Several that are as good as each other: keys, regions, deployments. Each attempt goes to one of them, as
    /// [`balance`](crate::balance) tells; at most [`BalancePolicy::MOST`]. Named after the first.
    ///
    /// ```
    /// use evenkeel::ladder::{Rung, Target};
    ///
    /// let region = |host: &str| Target::new(format!("https://{host}.example.com/v1")).bearer("its key");
    /// let rung = Rung::targets(["west", "north", "south"].map(region));
    /// # evenkeel::ladder::LadderPolicy::new().first(rung).build().expect("as it is");
    /// ```
    pub fn targets(targets: impl IntoIterator<Item = Target>) -> Self {
        let mut targets: Vec<_> = targets.into_iter().collect();
        match targets.len() {
            1 => Self::target(targets.remove(0)),
            _ => {
                let name = targets.first().map_or_else(|| "targets".to_owned(), Target::name);
                let policy = BalancePolicy::default();
                Self::of(&name, Kind::Equals(Equals { targets, policy, pool: None }))
            }
        }
    }

    /// How attempts are spread over its [`targets`](Self::targets); means nothing where there is one.
    #[must_use]
    pub fn balance(mut self, policy: BalancePolicy) -> Self {
        if let Kind::Equals(equals) = &mut self.kind {
            equals.policy = policy;
        }
        self
    }

    /// The stored answer to the same request, if it is at most that old; else the next rung is asked. It needs a cache:
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

    /// Waits for recovery, until the deadline: the rungs above are asked again when one of them may be well, by one call at a
    /// time, the oldest first. For work that nobody waits for; the last rung, but for a canned reply. Named `wait`.
    ///
    /// Where it is known that nobody will be back in time, the call fails at once. An exhausted quota is waited for as well:
    /// it comes back by itself, or somebody pays.
    pub fn wait() -> Self {
        Self::of("wait", Kind::Wait)
    }

    fn of(name: &str, kind: Kind) -> Self {
        let (offers, edit) = (Offers::default(), Edit::default());
        Self { name: name.into(), kind, reserve: None, offers, edit, on: Vec::new() }
    }

    /// Another name: for journeys, events and the header `evenkeel-rung`. Visible ASCII, at most 64 bytes.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The time this rung keeps back, before the call's deadline, for the rungs below it; never more than two thirds of
    /// what is left, so that a call with a short deadline of its own asks this rung as well.
    #[must_use]
    pub fn reserve(mut self, reserve: Duration) -> Self {
        self.reserve = Some(reserve);
        self
    }

    /// What this rung can do.
    #[must_use]
    pub fn offers(mut self, offers: Offers) -> Self {
        self.offers = offers;
        self
    }

    /// Whether a failure above leads here, and whether the call gets here what it needs.
    pub(super) fn takes(&self, call: (&Ask, &[u8]), failed: Failed<'_>) -> Result<(), Skip> {
        let (ask, _) = call;
        let led = match self.on.is_empty() {
            true => !stops(failed.outcome, failed.at),
            false => self.wants(failed.outcome, call),
        };
        if !led {
            return Err(Skip::Outcome);
        }
        if self.is_instant() {
            let known = ask.dialect().is_some();
            return if known { Ok(()) } else { Err(Skip::Capability) };
        }
        if matches!(self.kind, Kind::Wait) {
            // A quota comes back by itself, or somebody pays. The breaker says for how long nobody is to ask.
            let quota = matches!(failed.outcome, Outcome::QuotaExhausted { .. });
            let passes = quota || !failed.outcome.is_permanent();
            return if passes { Ok(()) } else { Err(Skip::Outcome) };
        }
        let larger = self.edit.fits_any() || self.offers.larger_than(failed.offers);
        if failed.outcome == Outcome::TooLarge && !larger {
            return Err(Skip::Outcome);
        }
        Ok(())
    }

    /// The dialect that it says it speaks.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        match &self.kind {
            Kind::Target(target) => target.spoken(),
            Kind::Equals(equals) => equals.targets.iter().find_map(Target::spoken),
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => None,
        }
    }

    /// How it takes the beginning of an answer, if it does.
    pub(super) fn prefill(&self) -> Option<Prefill> {
        self.offers.prefill.filter(|_| !self.is_instant())
    }

    /// Whether it asks somebody.
    pub(super) fn asks(&self) -> bool {
        matches!(self.kind, Kind::Addressed | Kind::Target(_) | Kind::Equals(_))
    }

    pub(super) fn waits(&self) -> bool {
        matches!(self.kind, Kind::Wait)
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
        HeaderValue::from_str(&self.name).unwrap_or(HeaderValue::from_static("rung"))
    }

    /// The request for this rung, with its route; where it has equal targets, one of them is picked for each attempt.
    pub(super) fn request(&self, mut request: Request, ask: &Ask) -> Request {
        match &self.kind {
            Kind::Target(target) => target.apply(request, ask),
            Kind::Equals(equals) => {
                let route = Route::new(&self.name, ask.model().unwrap_or("-"), "-");
                let call = Call::of(&mut request);
                (call.pool, call.route) = (equals.pool.clone(), Some(route));
                request
            }
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => request,
        }
    }

    /// Begins to keep what is known of its targets.
    pub(super) fn open(&mut self) {
        if let Kind::Equals(Equals { targets, policy, pool }) = &mut self.kind {
            *pool = Some(Arc::new(Pool::new(targets.clone(), policy.clone())));
        }
    }

    pub(super) fn check(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        let visible = self.name.bytes().all(|b| (0x20..0x7f).contains(&b));
        if self.name.is_empty() || self.name.len() > 64 || !visible {
            let allowed = "1 to 64 bytes of visible ASCII";
            return Err(ConfigError::new(field("name"), &self.name, allowed));
        }
        self.edit.check(&field)?;
        match &self.kind {
            Kind::Canned(_) if !self.edit.is_none() => {
                let allowed = "no edit: a canned reply is not asked of anybody";
                Err(ConfigError::new(field("edit"), "set", allowed))
            }
            Kind::Target(target) => target.check(&field),
            Kind::Equals(Equals { targets, policy, .. }) => {
                policy.check(&field("balance"))?;
                check_equals(targets, at)
            }
            Kind::Stored(age) if age.is_zero() => {
                Err(ConfigError::new(field("age"), age, "longer than zero"))
            }
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => Ok(()),
        }
    }
}

/// The failure that a rung is asked to make good.
#[derive(Clone, Copy)]
pub(super) struct Failed<'a> {
    pub(super) outcome: Outcome,
    pub(super) offers: &'a Offers,
    /// The rung that failed.
    pub(super) at: usize,
}

// === impl Offers ===

impl Offers {
    /// The model's context, in tokens.
    #[must_use]
    pub fn context(mut self, tokens: u64) -> Self {
        self.context = Some(tokens);
        self
    }

    /// Whether it takes tools.
    #[must_use]
    pub fn tools(mut self, tools: bool) -> Self {
        self.tools = tools;
        self
    }

    /// That it goes on with an answer whose beginning is in the request, and in which form it wants that. Declare it only
    /// of models that do: many reject such a request, and some begin anew. See
    /// [`Resume::Continue`](crate::stream::Resume::Continue).
    #[must_use]
    pub fn prefill(mut self, form: impl Into<Option<Prefill>>) -> Self {
        self.prefill = form.into();
        self
    }

    /// Whether a request too large for `other` may fit here: a larger context, or none declared.
    fn larger_than(&self, other: &Self) -> bool {
        match (self.context, other.context) {
            (Some(here), Some(there)) => here > there,
            _ => true,
        }
    }
}

impl Default for Offers {
    fn default() -> Self {
        Self { context: None, tools: true, vision: true, json: true, prefill: None }
    }
}
