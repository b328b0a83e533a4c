//! What the stack knows of a call.

use std::{sync::Arc, time::Duration};

use http::HeaderName;

use super::{AttemptLog, CallBudget, Deadline, Once, ProbeSignal, Route};
use crate::{
    Request,
    breaker::Turn,
    cache::Shelf,
    dialect::{Dialect, RequestInfo},
    hedge::QueueTime,
    stream::{ProgressSignal, StreamDeadline},
    target::group::{HedgedTargets, Pool, TargetIndex},
};

/// The header by which a provider knows a repetition.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What the stack knows of a call, in the extensions of its request.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub(crate) deadline: Option<Deadline>,
    pub(crate) route: Option<Route>,
    pub(crate) ask: Option<Arc<RequestInfo>>,
    pub(crate) attempt_log: AttemptLog,
    pub(crate) rung: u16,
    /// The name of the rung, where a ladder is.
    pub(crate) name: Option<Arc<str>>,
    /// The body can be sent only once: no retry, no other target.
    pub(crate) once: bool,
    /// Where what reads a stream ahead, inside a streamed attempt, tells that content has come.
    pub(crate) pulse: Option<ProgressSignal>,
    /// By when the whole stream has ended, where this attempt goes on with one.
    pub(crate) bound: Option<StreamDeadline>,
    /// It has no time left to ask anybody: only what is answered here is of use.
    pub(crate) late: bool,
    /// Where a stored answer may be, for a rung that gives one.
    pub(crate) shelf: Option<Shelf>,
    /// The equal targets of the rung, where it has several: one of them is picked for each attempt.
    pub(crate) pool: Option<Arc<Pool>>,
    /// This is a second copy of it, sent beside the first.
    pub(crate) copy: bool,
    /// What a second copy of the call has asked of them, where there may be one.
    pub(crate) copies: Option<HedgedTargets>,
    /// The one that was picked for this attempt; the request is rewritten for it.
    pub(crate) seat: Option<TargetIndex>,
    /// What the rung's edits change of the route of whichever target is picked.
    pub(crate) facet: Option<Arc<str>>,
    /// A retry may follow the attempt: whether the call has failed is told when it has.
    pub(crate) deferred: bool,
    /// The attempt is a retry, or a second copy of the call.
    pub(crate) extra: bool,
    /// Tells this call from all others, where a provider is to know a repetition of it.
    pub(crate) nonce: u128,
    /// Where a queue tells the breaker above it that the attempt waits.
    pub(crate) turn: Option<Turn>,
    /// Where a queue counts how long the call waits in it, for the hedge above.
    pub(crate) queue_time: Option<QueueTime>,
    /// This attempt is a breaker's probe. Set by the breaker in the attempt's own request, for the layers below it.
    pub(crate) probe: bool,
    /// Where the breaker shows the layers above it that an attempt at this target is its probe.
    pub(crate) probe_signal: Option<ProbeSignal>,
    /// Another target can be asked where this one refuses: one stands below it that takes the call. Replies that are made
    /// or stored here do not count.
    pub(crate) elsewhere: bool,
    /// All targets were passed over or have failed: one whose route is under suspicion only is asked.
    pub(crate) insists: bool,
    /// No target is asked after this one, whatever it comes to: it has all the time that is left.
    pub(crate) last_target: bool,
    /// With less time left than this no attempt is started.
    pub(crate) least: Option<Duration>,
    /// The extra attempts of the call, where more than its retries can make some.
    pub(crate) budget: Option<CallBudget>,
}

// === impl Call ===

impl Call {
    /// The call of a request; a new one for a request that has none yet, so that each layer can be used alone.
    pub(crate) fn of(request: &mut Request) -> &mut Self {
        if request.extensions().get::<Self>().is_none() {
            let deadline = request.extensions().get::<Deadline>().copied();
            let once = request.extensions().get::<Once>().is_some();
            request.extensions_mut().insert(Self {
                deadline,
                once,
                nonce: fastrand::u128(..),
                ..Self::default()
            });
        }
        request.extensions_mut().get_mut().expect("it is there, or was put there just now")
    }

    /// What the request asks for, read once for the whole call.
    pub(crate) fn ask(request: &mut Request) -> Arc<RequestInfo> {
        if let Some(ask) = &Self::of(request).ask {
            return ask.clone();
        }
        let ask = Arc::new(RequestInfo::read(request));
        Self::of(request).ask = Some(ask.clone());
        ask
    }

    /// The same where a target says which dialect it speaks, whatever the path. What the caller said of this call holds
    /// before it, and a path that is known to ask something else stays what it is.
    pub(crate) fn ask_in(request: &mut Request, dialect: Option<Dialect>) -> Arc<RequestInfo> {
        let ask = Self::ask(request);
        let Some(dialect) = dialect.filter(|dialect| Some(*dialect) != ask.dialect()) else {
            return ask;
        };
        let said = request.extensions().get::<Dialect>().is_some();
        if said || Dialect::is_elsewhere(request.uri().path()) {
            return ask;
        }
        let ask = Arc::new(RequestInfo::read_as(request, Some(dialect)));
        Self::of(request).ask = Some(ask.clone());
        ask
    }

    /// The route of the request: its target's, or one made from what it says.
    pub(crate) fn route(request: &mut Request) -> Route {
        if let Some(route) = &Self::of(request).route {
            return route.clone();
        }
        let ask = Self::ask(request);
        let route = Route::of(request, &ask);
        Self::of(request).route = Some(route.clone());
        route
    }
}
