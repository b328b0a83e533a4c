//! Whose account a target asks, and how it knows a repetition.

use http::HeaderValue;

use super::{Target, base};
use crate::{
    Request,
    context::{CallContext, IDEMPOTENCY_KEY},
    dialect::RequestInfo,
};

// === impl Target ===

impl Target {
    /// A name for the account that this target asks. Targets with the same name share what is stored there, such as files:
    /// calls that name it may go to any of them. By default those with the same host and credentials do.
    #[must_use]
    pub fn account(mut self, name: &str) -> Self {
        self.account = Some(name.into());
        self
    }

    /// Says that this target knows a repetition by the header `idempotency-key`, and does nothing twice. A key of our own
    /// is sent with each call that changes or costs something and has none, and such a call is retried there like any
    /// other. By default no key is sent, and such a call is repeated only where nothing was done.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Whether a request goes to the same account at both: the same host, with the same credential.
    pub(crate) fn is_account_of(&self, other: &Self) -> bool {
        if let (Some(own), Some(other)) = (&self.account, &other.account) {
            return own == other;
        }
        let own = self.uri().map(base::origin);
        self.headers == other.headers && own == other.uri().map(base::origin)
    }

    /// Whether it asks the same model as the other.
    pub(crate) fn is_model_of(&self, other: &Self) -> bool {
        self.model == other.model
    }

    /// Whether it asks a model of its own, whatever the caller asked.
    pub(crate) fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// Whether a request stays with the account that its caller addressed.
    pub(crate) fn is_addressed(&self) -> bool {
        self.base.is_none() && self.headers.is_empty()
    }

    /// Adds a key that is the same for all attempts of a call, where one is of use and the caller has sent none.
    pub(super) fn identify(&self, request: &mut Request, info: &RequestInfo) {
        if !self.idempotent || info.effects().repeats() {
            return;
        }
        let nonce = CallContext::of(request).nonce;
        if !request.headers().contains_key(IDEMPOTENCY_KEY) {
            let key = HeaderValue::from_str(&format!("evenkeel-{nonce:032x}"));
            request.headers_mut().extend(key.ok().map(|key| (IDEMPOTENCY_KEY, key)));
        }
    }
}
