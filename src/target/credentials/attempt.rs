//! The credentials of one attempt.

use std::time::Duration;

use http::uri::{Authority, Scheme};

use super::{
    CredentialPolicy,
    cache::FetchContext,
    failure::CredentialError,
    policy::Kind,
    source::SigningRequest,
    state::{Refusal, Token},
    value::CredentialHeaders,
};
use crate::{
    Request,
    context::AttemptContext,
    telemetry::{CredentialFailure, EventSink},
};

/// The source of the credentials of an attempt, and the host that they are for. In the extensions of its request.
#[derive(Clone, Debug)]
pub(crate) struct AttemptCredentials {
    policy: CredentialPolicy,
    host: (Option<Scheme>, Option<Authority>),
}

/// The credentials that an attempt was sent with.
#[derive(Debug)]
pub(crate) enum Used {
    Token(Token),
    /// The number of renewals before it was signed.
    Signed(u64),
}

// === impl AttemptCredentials ===

impl AttemptCredentials {
    /// The credentials of that source, for the host of the request.
    pub(crate) fn new(policy: &CredentialPolicy, request: &Request) -> Self {
        Self { policy: policy.clone(), host: host(request) }
    }

    /// Takes them out of the request.
    pub(crate) fn take(request: &mut Request) -> Option<Self> {
        request.extensions_mut().remove()
    }

    /// The longest wait for them.
    pub(crate) fn timeout(&self) -> Duration {
        self.policy.times.timeout
    }

    /// Whether each attempt is signed.
    pub(crate) fn is_signed(&self) -> bool {
        matches!(self.policy.kind, Kind::Signed(_))
    }

    /// Sets the credentials in the request; waits for them if necessary.
    pub(crate) async fn authorize(
        &self,
        request: &mut Request,
        events: &EventSink,
    ) -> Result<Used, Refusal> {
        if host(request) != self.host {
            let error = CredentialError::new(CredentialFailure::OtherHost);
            return Err(Refusal { error, retry_in: None });
        }
        match &self.policy.kind {
            Kind::Token(cache) => {
                let token = cache.token(&self.context(request, events)).await?;
                token.headers.set(request.headers_mut());
                Ok(Used::Token(token))
            }
            Kind::Signed(signing) => {
                let seen = signing.renewals();
                let headers = signing.sign(SigningRequest::of(request, false)).await;
                set(headers, request)?;
                Ok(Used::Signed(seen))
            }
        }
    }

    /// Sets other credentials than the rejected ones in the request, if there are any.
    pub(crate) async fn renew(
        &self,
        request: &mut Request,
        rejected: &Used,
        events: &EventSink,
    ) -> bool {
        match (&self.policy.kind, rejected) {
            (Kind::Token(cache), Used::Token(token)) => {
                let newer = cache.newer(token, &self.context(request, events)).await;
                newer.iter().for_each(|newer| newer.headers.set(request.headers_mut()));
                newer.is_some()
            }
            (Kind::Signed(signing), Used::Signed(seen)) => {
                let again = signing.may_renew(*seen, self.policy.times.min_refresh_interval);
                again && {
                    let headers = signing.sign(SigningRequest::of(request, true)).await;
                    set(headers, request).is_ok()
                }
            }
            _ => false,
        }
    }

    fn context(&self, request: &mut Request, events: &EventSink) -> FetchContext {
        let route = AttemptContext::route(request);
        FetchContext { times: self.policy.times, route, events: events.clone() }
    }
}

fn set(
    headers: Result<CredentialHeaders, CredentialError>,
    request: &mut Request,
) -> Result<(), Refusal> {
    let headers = headers.map_err(|error| Refusal { error, retry_in: None })?;
    headers.set(request.headers_mut());
    Ok(())
}

/// What credentials belong to: scheme, host and port.
fn host(request: &Request) -> (Option<Scheme>, Option<Authority>) {
    (request.uri().scheme().cloned(), request.uri().authority().cloned())
}
