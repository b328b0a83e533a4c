//! Rewrites a request for its target.

use std::borrow::Cow;

use http::{Uri, header::HOST};

use super::{Target, base, credentials::AttemptCredentials, measured};
use crate::{
    Request,
    context::{AttemptContext, CallContext, Route},
    dialect::{Dialect, RequestInfo},
    identity::{Fingerprint, IdentityPolicy},
    route::provider,
};

// === impl Target ===

impl Target {
    /// Rewrites the request for this target.
    pub(crate) fn apply(&self, mut request: Request, info: &RequestInfo) -> Request {
        let own = self.dialect.map(|dialect| CallContext::info_in(&mut request, Some(dialect)));
        let info = own.as_deref().unwrap_or(info);
        self.address(&mut request, info);
        for (name, value) in &self.headers {
            if let Ok(value) = value {
                request.headers_mut().insert(name.clone(), value.clone());
            }
        }
        if let (Some(model), Some(dialect)) = (&self.model, info.dialect()) {
            dialect.with_model(&mut request, model);
            measured(&mut request);
        }
        self.identify(&mut request, info);
        self.authorize(&mut request);
        let route = self.route(&request, info);
        let attempt = AttemptContext::of(&mut request);
        attempt.set_route(route);
        attempt.foreign_reasoning = self.foreign_reasoning;
        attempt.compatibility = self.compatibility;
        attempt.provider_name = self.provider.clone();
        request
    }

    /// Sets the source of the credentials, for the layer that is next to the transport.
    fn authorize(&self, request: &mut Request) {
        match &self.credentials {
            Some(policy) => {
                let credentials = AttemptCredentials::new(policy, request);
                request.extensions_mut().insert(credentials);
            }
            // Those of another target.
            None => drop(AttemptCredentials::take(request)),
        }
    }

    /// Addresses a request to this target, and removes what must not reach it.
    fn address(&self, request: &mut Request, info: &RequestInfo) {
        let path = self.path(request.uri(), info);
        let mut headers = std::mem::take(request.headers_mut());
        let identity = IdentityPolicy::of(request.extensions());
        if self.has_credential() {
            identity.take_payers(&mut headers);
        }
        let uri = match self.uri() {
            Some(base) => {
                if base::origin(base) != base::origin(request.uri()) {
                    identity.leave_behind(&mut headers);
                }
                headers.remove(HOST);
                base::rebase(base, request.uri(), path.as_deref(), identity)
            }
            None => self.stay(request.uri(), path.as_deref(), identity),
        };
        *request.headers_mut() = headers;
        *request.uri_mut() = uri;
    }

    /// The path that replaces that of the request: the target's own endpoint, or the usual one if the request has an unusual one.
    fn path(&self, uri: &Uri, info: &RequestInfo) -> Option<Cow<'_, str>> {
        let dialect = info.dialect()?;
        if let Some(endpoint) = &self.endpoint {
            return (dialect != Dialect::Gemini).then(|| (&**endpoint).into());
        }
        let base = self.uri()?;
        let unusual = Dialect::of_path(uri.path()) != Some(dialect) && self.dialect.is_none();
        let prefix = base.path().trim_end_matches('/');
        // At the host that the caller addressed, the path stays.
        let away = base::origin(base) != base::origin(uri);
        (unusual && away).then(|| dialect.usual_path(prefix, info))
    }

    /// The URI for another key, or another path, at the host that was addressed.
    fn stay(&self, uri: &Uri, path: Option<&str>, identity: &IdentityPolicy) -> Uri {
        let uri = path.map_or_else(|| uri.clone(), |path| base::with_path(uri, path));
        if self.has_credential() { base::keyless(&uri, identity) } else { uri }
    }

    fn route(&self, request: &Request, info: &RequestInfo) -> Route {
        let provider = &*provider(request.uri());
        let model = self.model.as_deref().or(info.model()).unwrap_or("-");
        let route = match &self.label {
            // A rejected credential does not close the route: the next one may be valid.
            Some(label) if self.credentials.is_some() => {
                Route::asked(provider, model, &format!("~{label}"))
            }
            Some(label) => Route::asked(provider, model, label),
            None => Route::asked(provider, model, self.fingerprint(request).as_str()),
        };
        route.with_operation(info.effects().operation_name())
    }

    /// The fingerprint of the account that is billed: of the target's own credentials, or of the caller.
    fn fingerprint(&self, request: &Request) -> Fingerprint {
        if let Some(credentials) = &self.credentials {
            return Fingerprint::of_source(credentials.id());
        }
        if self.headers.is_empty() {
            return Fingerprint::of(request);
        }
        let own =
            self.headers.iter().filter_map(|(name, value)| Some((name, value.as_ref().ok()?)));
        Fingerprint::of_headers(own)
    }
}
