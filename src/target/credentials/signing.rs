//! Signs the request of each attempt.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    failure::CredentialError,
    source::{RequestSigner, SigningRequest},
    user_call::UserCall,
    value::CredentialHeaders,
};
use crate::{Request, context::CallContext, sync::lock_std as lock, time::saturating_add};

/// The signer of a target.
pub(crate) struct Signing {
    signer: Box<dyn RequestSigner>,
    renewals: Mutex<Renewals>,
}

/// How often a rejected signature was made anew. Pure: the time is an argument.
#[derive(Debug, Default)]
struct Renewals {
    count: u64,
    next: Option<Instant>,
}

// === impl Signing ===

impl Signing {
    pub(super) fn new(signer: impl RequestSigner) -> Self {
        Self { signer: Box::new(signer), renewals: Mutex::default() }
    }

    /// The headers that authorize the request.
    pub(super) async fn sign(
        self: &Arc<Self>,
        request: SigningRequest,
    ) -> Result<CredentialHeaders, CredentialError> {
        Ok(UserCall::start(|| self.signer.sign(request)).await?.0)
    }

    /// The number of renewals so far.
    pub(super) fn renewals(&self) -> u64 {
        lock(&self.renewals).count
    }

    /// Whether a request that was signed after `seen` renewals, and rejected, is signed anew.
    pub(super) fn may_renew(&self, seen: u64, interval: Duration) -> bool {
        lock(&self.renewals).may_renew(seen, interval, Instant::now())
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signing")
    }
}

// === impl Renewals ===

impl Renewals {
    fn may_renew(&mut self, seen: u64, interval: Duration, now: Instant) -> bool {
        // Another attempt has found the keys rejected meanwhile.
        if seen < self.count {
            return true;
        }
        if self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.count += 1;
        self.next = Some(saturating_add(now, interval));
        true
    }
}

// === impl SigningRequest ===

impl SigningRequest {
    pub(super) fn of(request: &mut Request, after_rejection: bool) -> Self {
        let streamed = CallContext::of(request).non_replayable && request.body().is_empty();
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: (!streamed).then(|| request.body().clone()),
            after_rejection,
        }
    }
}
