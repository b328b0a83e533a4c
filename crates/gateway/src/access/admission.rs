//! Decides about each request before anything else does.

use std::{net::SocketAddr, sync::Arc};

use evenkeel::{
    ConfigError,
    config::{NamedTarget, Settings},
};
use http::{StatusCode, header, request::Parts};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    caller::Caller,
    callers::Callers,
    hosts::Hosts,
    known_paths::AllowedPaths,
    origins::{Cors, Origins},
    path_form,
    refusal::Refusal,
    tokens,
};

/// Who may use the gateway.
#[derive(Debug)]
pub(crate) struct Access {
    hosts: Option<Hosts>,
    origins: Option<Origins>,
    paths: Option<AllowedPaths>,
    callers: Callers,
    /// Whether a path has to mean the same to every server.
    plain_paths: bool,
    /// Whether every request is sent with a key of the operator's first.
    keyed: bool,
}

/// A call that may go on.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) caller: Option<Arc<Caller>>,
    /// Held until the answer has ended.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

// === impl Access ===

impl Access {
    /// `listen`: the address that is configured. Callers keep what they have used of limits that are the same `before`.
    pub(crate) fn new(
        settings: &Settings,
        listen: SocketAddr,
        before: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let keys = &settings.server.access;
        let first = || settings.first.iter().flat_map(|first| &first.targets);
        let below = settings.fallbacks.iter().flat_map(|fallback| &fallback.targets);
        let keyed = first().any(|target| target.keyed);
        let guarded = keyed || below.chain(first()).any(|target: &NamedTarget| target.keyed);
        let bases = first().map(|target| target.base_path.clone());
        let set = |list: &Vec<String>| !list.is_empty();
        let callers = Callers::new(&keys.callers, keys.deadline, before.map(|it| &it.callers))?;
        Ok(Self {
            plain_paths: guarded || set(&keys.paths) || !callers.is_empty(),
            hosts: (guarded || set(&keys.hosts)).then(|| Hosts::new(keys.hosts.clone(), listen)),
            origins: (guarded || set(&keys.origins)).then(|| Origins::new(keys.origins.clone())),
            paths: (keyed || set(&keys.paths))
                .then(|| AllowedPaths::new(keys.paths.clone(), bases)),
            callers,
            keyed,
        })
    }

    /// Checks the form of the path, the host and the origin. The page that is allowed gets CORS headers, whatever comes next.
    pub(crate) fn admit_page(&self, parts: &Parts) -> Result<Cors, Refusal> {
        if let Some(fault) = path_form::fault(parts.uri.path()).filter(|_| self.plain_paths) {
            let message = format!(
                "the path of the request has {fault}; allowed is a path that means the same to every server"
            );
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "bad_path", message));
        }
        self.hosts.as_ref().map_or(Ok(()), |hosts| hosts.check(parts))?;
        self.origins.as_ref().map_or(Ok(Cors::default()), |origins| origins.check(parts))
    }

    /// Finds the caller, checks the path and its limits, and removes from the request what must not go on. `passes`: a request
    /// that is answered here, whatever its path.
    pub(crate) async fn admit_call(
        &self,
        parts: &mut Parts,
        passes: bool,
    ) -> Result<Admission, Refusal> {
        let caller = match self.callers.is_empty() {
            true => None,
            false => {
                let (caller, token) = self.callers.find(tokens::presented(parts)).await?;
                tokens::remove(parts, &token);
                Some(caller)
            }
        };
        let allowed = |paths: &AllowedPaths| paths.allow(&parts.method, parts.uri.path());
        if !passes && !self.paths.as_ref().is_none_or(allowed) {
            let message = "the path is not one of the APIs that evenkeel knows, or not with this method, and would be sent with \
                           a key of this gateway; allowed are chats, token counts, embeddings, images, audio, lists of models, \
                           and the paths in allow_paths of its configuration";
            return Err(Refusal::forbidden("path_not_allowed", message));
        }
        let permit = caller.as_ref().map_or(Ok(None), |caller| caller.enter())?;
        if self.keyed {
            // Of a page that is allowed here. A provider may refuse requests of pages.
            parts.headers.remove(header::ORIGIN);
            parts.headers.remove(header::REFERER);
        }
        Ok(Admission { caller, permit })
    }
}
