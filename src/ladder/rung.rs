//! One step of the ladder.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;

use super::{Canned, Target};
use crate::{ConfigError, Request, classify::Outcome, dialect::Ask, telemetry::Skip};

/// One step of the ladder: where the request goes, or what is answered here.
#[derive(Clone, Debug)]
pub struct Rung {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    pub(super) reserve: Option<Duration>,
    pub(super) offers: Offers,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Where the caller sent it.
    Addressed,
    Target(Box<Target>),
    Canned(Canned),
}

/// What a rung can do; a call that needs more passes it by.
///
/// # Defaults
///
/// * context: not declared, so any
/// * tools: yes
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offers {
    context: Option<u64>,
    tools: bool,
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

    /// A fixed text. Named `canned`.
    pub fn canned(text: impl Into<String>) -> Self {
        Self::reply(Canned::text(text))
    }

    /// A reply made here. Named `canned`.
    pub fn reply(canned: Canned) -> Self {
        Self::of("canned", Kind::Canned(canned))
    }

    fn of(name: &str, kind: Kind) -> Self {
        Self { name: name.into(), kind, reserve: None, offers: Offers::default() }
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
    pub(super) fn takes(&self, ask: &Ask, failed: Failed<'_>) -> Result<(), Skip> {
        if matches!(self.kind, Kind::Canned(_)) {
            let known = ask.dialect().is_some();
            return if known { Ok(()) } else { Err(Skip::Capability) };
        }
        if ask.tools() && !self.offers.tools {
            return Err(Skip::Capability);
        }
        if failed.outcome == Outcome::TooLarge && !self.offers.larger_than(failed.offers) {
            return Err(Skip::Outcome);
        }
        Ok(())
    }

    pub(super) fn is_instant(&self) -> bool {
        matches!(self.kind, Kind::Canned(_))
    }

    /// The name, for the header.
    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.name).unwrap_or(HeaderValue::from_static("rung"))
    }

    /// The request for this rung, with its route; `None` where the answer is made here.
    pub(super) fn request(&self, request: Request, ask: &Ask) -> Request {
        match &self.kind {
            Kind::Target(target) => target.apply(request, ask),
            Kind::Addressed | Kind::Canned(_) => request,
        }
    }

    pub(super) fn check(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        let visible = self.name.bytes().all(|b| (0x20..0x7f).contains(&b));
        if self.name.is_empty() || self.name.len() > 64 || !visible {
            let allowed = "1 to 64 bytes of visible ASCII";
            return Err(ConfigError::new(field("name"), &self.name, allowed));
        }
        match &self.kind {
            Kind::Target(target) => target.check(&field),
            Kind::Addressed | Kind::Canned(_) => Ok(()),
        }
    }
}

/// The failure that a rung is asked to make good.
#[derive(Clone, Copy)]
pub(super) struct Failed<'a> {
    pub(super) outcome: Outcome,
    pub(super) offers: &'a Offers,
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
        Self { context: None, tools: true }
    }
}
