//! One attempt with credentials of a source: authorized, sent, and sent once more if they were rejected.

use std::{future::poll_fn, time::Duration};

use tokio::time::{Instant, timeout};

use super::{rejection::is_rejected, wait::CredentialWait};
use crate::{
    Error, Request, Response, Upstream,
    context::{AttemptContext, CallContext},
    outcome::{LocalTrouble, Outcome, Verdict},
    target::credentials::{AttemptCredentials, CredentialError, Refusal, Used},
    telemetry::{CredentialFailure, EventKind, EventSink, UserCode},
};

/// An attempt whose target has a source of credentials.
pub(super) struct AuthorizedAttempt {
    pub(super) credentials: AttemptCredentials,
    pub(super) events: EventSink,
}

// === impl AuthorizedAttempt ===

impl AuthorizedAttempt {
    pub(super) async fn run<S: Upstream>(
        self,
        mut service: S,
        mut request: Request,
    ) -> Result<Response, Error> {
        let repeats = !CallContext::of(&mut request).non_replayable;
        let spare = repeats.then(|| request.clone());
        let used = self.authorize(&mut request).await?;
        let result = service.call(request).await;
        let Some(mut next) = spare.filter(|_| is_rejected(&result)) else { return result };
        let sent_again = self.renew(&mut next, &used).await;
        let route = AttemptContext::route(&mut next);
        self.events.emit(EventKind::CredentialsRejected { route, sent_again });
        if !sent_again {
            return result;
        }
        // Its connection is free for the second request.
        drop(result);
        poll_fn(|cx| service.poll_ready(cx)).await?;
        service.call(next).await
    }

    /// Sets the credentials in the request.
    async fn authorize(&self, request: &mut Request) -> Result<Used, Error> {
        let (wait, limit) = (CredentialWait::of(request), self.limit(request));
        let authorized =
            timeout(limit, wait.during(self.credentials.authorize(request, &self.events)));
        let refusal = match authorized.await {
            Ok(Ok(used)) => return wait.end().map(|()| used),
            Ok(Err(refusal)) => refusal,
            Err(_) => {
                let error = CredentialError::new(CredentialFailure::TimedOut);
                Refusal { error, retry_in: None }
            }
        };
        Err(self.refused(request, refusal))
    }

    /// Sets other credentials in a request whose first ones were rejected. `false` if there are none in time.
    async fn renew(&self, request: &mut Request, rejected: &Used) -> bool {
        let (wait, limit) = (CredentialWait::of(request), self.limit(request));
        let renewed = self.credentials.renew(request, rejected, &self.events);
        let renewed = timeout(limit, wait.during(renewed)).await.unwrap_or(false);
        wait.end().is_ok() && renewed
    }

    /// The longest wait: half of the time that the attempt has, since an answer takes time as well.
    fn limit(&self, request: &mut Request) -> Duration {
        let ends = AttemptContext::of(request).ends;
        let deadline = CallContext::deadline(request).map(|deadline| deadline.instant());
        let end = ends.into_iter().chain(deadline).min();
        let left = end.map(|end| end.saturating_duration_since(Instant::now()) / 2);
        left.map_or(self.credentials.timeout(), |left| left.min(self.credentials.timeout()))
    }

    /// The error of an attempt without credentials. It is retried only if no other target takes the call.
    fn refused(&self, request: &mut Request, refusal: Refusal) -> Error {
        let Refusal { error, retry_in } = refusal;
        if error.why() == CredentialFailure::OtherHost {
            return Error::new(Outcome::NotSent { retry_in: None }).with_source(error);
        }
        // A fetch reports its failure itself.
        if retry_in.is_none() && self.credentials.is_signed() {
            let (route, reason) = (AttemptContext::route(request), error.why());
            if reason == CredentialFailure::Panicked {
                self.events.panicked(UserCode::Credentials);
            }
            self.events.emit(EventKind::CredentialsFailed { route, reason, retry_in: None });
        }
        let again = AttemptContext::of(request).elsewhere.then_some(false);
        let verdict = Verdict::not_sent(LocalTrouble::Credentials).with_retry_in(retry_in);
        Error::new(verdict.should_retry(again)).with_source(error)
    }
}
