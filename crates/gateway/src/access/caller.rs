//! One caller that is known by a token: its token, its limits, and the bounds of its calls.

use std::{
    fmt,
    fs::File,
    io::Read,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use evenkeel::{
    CallOptions, ConfigError,
    cache::Tenant,
    config::{CallerKeys, TokenDigest, TokenSource},
    context::AllowedFallbacks,
};
use http::{HeaderMap, Method, StatusCode};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{caller_limits::CallerLimits, glob::matches_name, refusal::Refusal};

/// One caller that is known by its token.
pub(crate) struct Caller {
    keys: CallerKeys,
    /// The token is not kept.
    digest: RwLock<TokenDigest>,
    limits: CallerLimits,
    /// The time of a call that names none.
    deadline: Option<Duration>,
}

/// The longest file that is read.
const LONGEST: u64 = 64 * 1024;
const TENANT: &str = "evenkeel-tenant";

// === impl Caller ===

impl Caller {
    /// `deadline`: of a call that names none. It keeps what the one of the same name and limits has used `before`.
    pub(super) fn new(
        keys: CallerKeys,
        deadline: Duration,
        before: &[Arc<Self>],
    ) -> Result<Self, ConfigError> {
        let digest = match &keys.token {
            TokenSource::Known(digest) => *digest,
            TokenSource::File(path) => read(path).map_err(|error| {
                // The path is not shown, as it may be a token.
                let reason = format!(
                    "cannot be used: {error}; allowed is the path of a file that holds the token"
                );
                ConfigError::because(format!("{}.token_file", keys.path), reason)
            })?,
            _ => return Err(ConfigError::because(&keys.path, "has no token that is known here")),
        };
        let same = |caller: &&Arc<Self>| {
            let before = &caller.keys;
            (&before.name, before.requests, before.concurrency)
                == (&keys.name, keys.requests, keys.concurrency)
        };
        let limits = before.iter().find(same).map_or_else(
            || CallerLimits::new(keys.requests, keys.concurrency),
            |before| before.limits.clone(),
        );
        let deadline = keys.deadline.filter(|most| *most < deadline);
        Ok(Self { keys, digest: RwLock::new(digest), limits, deadline })
    }

    /// Its name in the configuration.
    pub(crate) fn name(&self) -> &str {
        &self.keys.name
    }

    /// Whether its token is in a file.
    pub(super) fn has_file(&self) -> bool {
        matches!(self.keys.token, TokenSource::File(_))
    }

    pub(super) fn digest(&self) -> TokenDigest {
        *self.digest.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads its file again. A file that cannot be used changes nothing.
    pub(super) fn reread(&self) {
        let TokenSource::File(path) = &self.keys.token else { return };
        match read(path) {
            Ok(digest) if digest == self.digest() => {}
            Ok(digest) => {
                *self.digest.write().unwrap_or_else(PoisonError::into_inner) = digest;
                tracing::info!(caller = self.name(), "the token of a caller has changed");
            }
            Err(error) => {
                tracing::warn!(caller = self.name(), %error, "the file of a token cannot be used; the last token stays valid");
            }
        }
    }

    /// A permit for one call, to be held until its answer has ended.
    pub(super) fn enter(&self) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        self.limits.enter(Instant::now()).map_err(|wait| {
            let message = "the caller is beyond its limits at this gateway; allowed is another try after the wait";
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "caller_limit", message);
            Refusal { wait: Some(wait), ..refusal }
        })
    }

    /// The options of its headers within the bounds of its own.
    pub(crate) fn bounded(
        &self,
        options: CallOptions,
        headers: &HeaderMap,
    ) -> Result<CallOptions, Refusal> {
        options.declared_fallback_models().try_for_each(|model| self.check_model(model))?;
        let mut options = options.priority_at_most(self.keys.priority).tenant(self.tenant(headers));
        if let Some(most) = self.keys.deadline {
            options = options.deadline_at_most(most);
        }
        if let Some(deadline) = self.deadline.filter(|_| !options.has_deadline()) {
            options = options.deadline(deadline);
        }
        if let Some(names) = &self.keys.fallbacks {
            options = options.allowed_fallbacks(AllowedFallbacks::new(names));
        }
        Ok(options)
    }

    /// Its tenant, which the name in a header adds to. Neither name has a line break.
    fn tenant(&self, headers: &HeaderMap) -> Tenant {
        let own =
            headers.get(TENANT).map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
        Tenant::new(format!("caller {}\n{}", self.keys.tenant, own.unwrap_or_default().trim()))
    }

    /// Rejects a call for a model that is not one of its own, or that cannot be read. A request that only reads names none.
    pub(crate) fn check_call(&self, method: &Method, model: Option<&str>) -> Result<(), Refusal> {
        match model {
            _ if self.keys.models.is_none() || method.is_safe() => Ok(()),
            Some(model) => self.check_model(model),
            None => {
                let message = "the model of the request cannot be read; allowed is a request that names one of the models of \
                               the caller, as its gateway limits them";
                Err(Refusal::forbidden("model_not_allowed", message))
            }
        }
    }

    fn check_model(&self, model: &str) -> Result<(), Refusal> {
        let Some(allowed) = &self.keys.models else { return Ok(()) };
        if allowed.iter().any(|pattern| matches_name(pattern, model)) {
            return Ok(());
        }
        let allowed = allowed.join(", ");
        let message =
            format!("the model is not one of the caller at this gateway; allowed are {allowed}");
        Err(Refusal::forbidden("model_not_allowed", message))
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("name", &self.keys.name).finish_non_exhaustive()
    }
}

/// Reads a token; the error has no part of it.
fn read(path: &Path) -> Result<TokenDigest, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|b| (0x21..0x7f).contains(&b)) {
        return Err("the file does not hold one line of visible ASCII".into());
    }
    Ok(TokenDigest::of(token))
}
