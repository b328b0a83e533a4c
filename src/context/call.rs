//! The context of one call.

use std::{sync::Arc, time::Duration};

use http::HeaderName;

use super::{AttemptLog, AttemptsMade, CallBudget, Deadline, NonReplayable, ResendBudget};
use crate::{
    Request,
    dialect::{Dialect, RequestInfo},
};

/// The header by which a provider deduplicates requests.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The context of one call, in the extensions of its request. All attempts of the call share it.
///
/// | field | written by | read by |
/// |---|---|---|
/// | `deadline` | the deadline layer, an adapter; the fallback, for one step | every layer that waits |
/// | `info` | the first layer that reads it; an edit or a target, for its own request | every layer |
/// | `attempt_log` | the first layer of the stack | every layer that logs |
/// | `non_replayable` | an adapter | retry, fallback, hedge, the picking of a target, the transport |
/// | `nonce` | the first layer of the stack | a target that deduplicates by a key |
/// | `min_attempt_time` | the fallback | retry, timeout |
/// | `budget` | the fallback, the hedge | retry, hedge |
/// | `resend` | the fallback, retry | fallback, retry |
/// | `attempts_made` | the span of each attempt | the span of the call |
#[derive(Clone, Debug)]
pub(crate) struct CallContext {
    pub(crate) deadline: Option<Deadline>,
    pub(crate) attempt_log: AttemptLog,
    /// The body can be sent only once: no retry, no other target.
    pub(crate) non_replayable: bool,
    /// A random number that identifies this call in idempotency keys.
    pub(crate) nonce: u128,
    /// With less time left than this no attempt is started.
    pub(crate) min_attempt_time: Option<Duration>,
    /// The extra attempts of the call, if layers other than retry can make some.
    pub(crate) budget: Option<CallBudget>,
    /// The bytes that the call has sent again, if its body is large enough to be counted.
    pub(crate) resend: Option<ResendBudget>,
    /// The attempts made so far, for the spans.
    pub(crate) attempts_made: AttemptsMade,
    info: Option<Arc<RequestInfo>>,
}

// === impl CallContext ===

impl CallContext {
    /// The context of a request's call; created if there is none yet, so that each layer can be used alone.
    pub(crate) fn of(request: &mut Request) -> &mut Self {
        if request.extensions().get::<Self>().is_none() {
            let new = Self::new(request);
            request.extensions_mut().insert(new);
        }
        request.extensions_mut().get_mut().expect("it is there, or was put there just now")
    }

    fn new(request: &Request) -> Self {
        Self {
            deadline: request.extensions().get::<Deadline>().copied(),
            attempt_log: AttemptLog::default(),
            non_replayable: request.extensions().get::<NonReplayable>().is_some(),
            nonce: fastrand::u128(..),
            min_attempt_time: None,
            budget: None,
            resend: None,
            attempts_made: AttemptsMade::default(),
            info: None,
        }
    }

    /// The deadline of a request's call.
    pub(crate) fn deadline(request: &Request) -> Option<Deadline> {
        match request.extensions().get::<Self>() {
            Some(call) => call.deadline,
            None => request.extensions().get().copied(),
        }
    }

    /// The bytes that a request's call has sent again; `None` for a small body.
    pub(crate) fn resend(request: &mut Request) -> Option<ResendBudget> {
        let counts = ResendBudget::counts(request.body().len());
        counts.then(|| Self::of(request).resend.get_or_insert_default().clone())
    }

    /// The parsed request, parsed once for the whole call.
    pub(crate) fn info(request: &mut Request) -> Arc<RequestInfo> {
        let read = request.extensions().get::<Self>().and_then(|call| call.info.as_ref());
        if let Some(info) = read {
            return info.clone();
        }
        let info = Arc::new(RequestInfo::read(request));
        Self::of(request).info = Some(info.clone());
        info
    }

    /// Replaces the parsed request after a change.
    pub(crate) fn set_info(request: &mut Request, info: RequestInfo) -> Arc<RequestInfo> {
        let info = Arc::new(info);
        Self::of(request).info = Some(info.clone());
        info
    }

    /// The request parsed in the dialect that a target declares, whatever the path. A dialect that the caller set for this call
    /// overrides it, and the path of another known operation is left alone.
    pub(crate) fn info_in(request: &mut Request, dialect: Option<Dialect>) -> Arc<RequestInfo> {
        let info = Self::info(request);
        let Some(dialect) = dialect.filter(|dialect| Some(*dialect) != info.dialect()) else {
            return info;
        };
        let said = request.extensions().get::<Dialect>().is_some();
        if said || Dialect::is_elsewhere(request.uri().path()) {
            return info;
        }
        let info = RequestInfo::read_as(request, Some(dialect));
        Self::set_info(request, info)
    }
}
