//! Decides whether a fallback takes a failure and can serve the call, and prepares the request for it.

use super::{Fallback, failure::stops, kind::Kind};
use crate::{
    Request,
    context::AttemptContext,
    dialect::RequestInfo,
    outcome::{Outcome, Rejection},
    target::Capabilities,
    telemetry::{EditSummary, SkipReason},
};

/// The failure that a fallback is considered for.
#[derive(Clone, Copy)]
pub(super) struct FailureContext<'a> {
    pub(super) outcome: Outcome,
    pub(super) offers: &'a Capabilities,
    /// The index of the fallback that failed.
    pub(super) at: usize,
}

/// The request for a fallback, and what was edited in it.
pub(super) struct PreparedRequest {
    pub(super) request: Request,
    pub(super) edits: EditSummary,
}

// === impl PreparedRequest ===

impl PreparedRequest {
    pub(super) fn unedited(request: Request) -> Self {
        Self { request, edits: EditSummary::default() }
    }
}

// === impl Fallback ===

impl Fallback {
    /// Whether the fallback takes this failure, and can serve the call.
    pub(super) fn accepts(
        &self,
        info: &RequestInfo,
        body: &[u8],
        failed: FailureContext<'_>,
    ) -> Result<(), SkipReason> {
        let led = match self.on.is_empty() {
            true => !stops(failed.outcome, failed.at),
            false => self.names_failure(failed.outcome, info, body),
        };
        if !led {
            return Err(SkipReason::Outcome);
        }
        if self.is_instant() {
            let known = info.dialect().is_some();
            return if known { Ok(()) } else { Err(SkipReason::Capability) };
        }
        if matches!(self.kind, Kind::Wait) {
            // A quota is restored by itself or by a payment. The breaker decides how long the route stays open.
            let quota = matches!(
                failed.outcome,
                Outcome::QuotaExhausted { .. } | Outcome::Rejected { why: Rejection::Payment }
            );
            let passes = quota || !failed.outcome.is_permanent();
            return if passes { Ok(()) } else { Err(SkipReason::Outcome) };
        }
        let larger = self.edit.fits_any() || self.offers.larger_than(failed.offers);
        if failed.outcome == Outcome::TooLarge && !larger {
            return Err(SkipReason::Outcome);
        }
        Ok(())
    }

    /// Whether [`on`](Self::on) names that failure.
    pub(super) fn names_failure(&self, outcome: Outcome, info: &RequestInfo, body: &[u8]) -> bool {
        self.on.iter().any(|when| when.is(outcome, info, body))
    }

    /// The edited request for this fallback; or why the fallback is skipped: it does not offer what the edited request still
    /// needs, or it would send the same request to the same place where it has just failed.
    pub(super) fn prepare(
        &self,
        request: Request,
        info: &RequestInfo,
        failed_plain: Option<Outcome>,
    ) -> Result<PreparedRequest, SkipReason> {
        let mut request = self.request(request, info);
        if self.is_instant() {
            return Ok(PreparedRequest::unedited(request));
        }
        let edits = self.edit.apply(&mut request, info).ok_or(SkipReason::Capability)?;
        if !self.offers.shortfalls(&mut request).is_empty() {
            return Err(SkipReason::Capability);
        }
        let again = matches!(self.kind, Kind::Addressed) && !self.edit.is_none() && !edits.changed;
        // After `NotSent` nothing was sent yet, and this fallback has a route of its own.
        if again && failed_plain.is_some_and(|outcome| !matches!(outcome, Outcome::NotSent { .. }))
        {
            return Err(SkipReason::Unchanged);
        }
        if let Some(facet) = self.edit.variant() {
            let route = AttemptContext::route(&mut request).with_variant(&facet);
            let attempt = AttemptContext::of(&mut request);
            attempt.set_route(route);
            attempt.variant = Some(facet.as_str().into());
        }
        Ok(PreparedRequest { request, edits })
    }

    /// Whether it sends the caller's request unchanged, to where the caller addressed it.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.kind, Kind::Addressed) && self.edit.is_none()
    }

    /// Whether a call may need more than the fallback offers.
    pub(super) fn may_pass(&self) -> bool {
        self.offers != Capabilities::default() || self.edit.fits_any()
    }
}
