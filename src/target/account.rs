//! The account of a target, and idempotency keys.

use http::HeaderValue;

use super::{Target, base};
use crate::{
    Request,
    context::{CallContext, IDEMPOTENCY_KEY},
    dialect::RequestInfo,
};

// === impl Target ===

impl Target {
    /// Names the account of this target. Targets with the same name share what is stored there, such as files: calls that name a
    /// file may go to any of them. By default targets with the same host and credentials share an account.
    #[must_use]
    pub fn account(mut self, name: &str) -> Self {
        self.account = Some(name.into());
        self
    }

    /// Declares that this target deduplicates requests by the header `idempotency-key`. Each call that changes or costs something
    /// is sent with a generated key if it has none, and is retried there like any other call. By default no key is sent, and such
    /// a call is repeated only if nothing was done.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Whether both targets use the same account: the same host, with the same credential.
    pub(crate) fn is_account_of(&self, other: &Self) -> bool {
        if let (Some(own), Some(other)) = (&self.account, &other.account) {
            return own == other;
        }
        let own = self.uri().map(base::origin);
        self.has_credential_of(other) && own == other.uri().map(base::origin)
    }

    /// Whether both send a request to the same place with the same credential.
    pub(crate) fn is_twin_of(&self, other: &Self) -> bool {
        self.place() == other.place() && self.has_credential_of(other)
    }

    /// Whether both targets request the same model.
    pub(crate) fn is_model_of(&self, other: &Self) -> bool {
        self.model == other.model
    }

    /// Whether it sets a model, whatever the caller requested.
    pub(crate) fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// Whether a request stays with the account that its caller addressed.
    pub(crate) fn is_addressed(&self) -> bool {
        self.base.is_none() && !self.has_credential()
    }

    /// Adds an idempotency key, the same for all attempts of a call, if one is of use and the caller has sent none.
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
