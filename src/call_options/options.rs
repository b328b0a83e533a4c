//! The settings of one call.

use std::time::Duration;

use tokio::time::Instant;

use super::models;
use crate::{
    ConfigError,
    cache::Tenant,
    context::{AffinityKey, AllowedFallbacks, Deadline, Priority},
    dialect::Dialect,
    fallback::{Fallback, Fallbacks},
    stream::{CommitPolicy, MidStreamFailure},
    time::saturating_add,
};

/// Settings for one call. What is not set here is taken from the profile and the client. See [the module](crate::call_options).
///
/// # Defaults
///
/// Nothing is set.
#[derive(Clone, Debug, Default)]
#[must_use = "options have an effect only on a call that they are given to"]
pub struct CallOptions {
    pub(super) deadline: Option<CallDeadline>,
    pub(super) priority: Option<Priority>,
    pub(super) fallbacks: Option<CallFallbacks>,
    pub(super) allowed_fallbacks: Option<AllowedFallbacks>,
    pub(super) affinity: Option<Result<AffinityKey, ConfigError>>,
    pub(super) commit: Option<CommitPolicy>,
    pub(super) tenant: Option<Tenant>,
    pub(super) mid_stream_failure: Option<MidStreamFailure>,
    pub(super) dialect: Option<Dialect>,
}

/// The deadline of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum CallDeadline {
    /// From the moment at which the call is sent.
    Within(Duration),
    At(Instant),
}

/// The fallbacks of a call.
#[derive(Clone, Debug)]
pub(super) enum CallFallbacks {
    Given(Result<Fallbacks, ConfigError>),
    /// Other models at the first target of the client.
    Models(Vec<Box<str>>),
}

// === impl CallOptions ===

impl CallOptions {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// The time that the call has, from the moment at which it is sent; longer than zero. It may be shorter or longer than the
    /// profile's. The timeout of a reqwest request applies as well, if it is sooner.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(CallDeadline::Within(limit));
        self
    }

    /// The moment at which the call must have ended: one for all calls of a [scope](Self::scope). Replaces a
    /// [`deadline`](Self::deadline).
    pub fn deadline_at(mut self, at: Instant) -> Self {
        self.deadline = Some(CallDeadline::At(at));
        self
    }

    /// Lowers the deadline to at most `limit` from the moment at which the call is sent; one that is not set stays so. For a service
    /// that forwards the calls of others.
    pub fn deadline_at_most(mut self, limit: Duration) -> Self {
        self.deadline = self.deadline.map(|deadline| match deadline {
            CallDeadline::Within(within) => CallDeadline::Within(within.min(limit)),
            CallDeadline::At(at) => CallDeadline::At(at.min(saturating_add(Instant::now(), limit))),
        });
        self
    }

    /// The time that the call has from now, if it is set.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| match deadline {
            CallDeadline::Within(within) => within,
            CallDeadline::At(at) => at.saturating_duration_since(Instant::now()),
        })
    }

    /// The order of the call in the queue of a [limit](crate::limit).
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Fallbacks of the call, at most [`Fallbacks::MAX_FALLBACKS`]: below its first target, above those of the client. Takes
    /// [`Fallbacks`] too. An empty list is a setting: it replaces that of an outer scope.
    pub fn fallbacks(mut self, fallbacks: impl IntoIterator<Item = Fallback>) -> Self {
        self.fallbacks = Some(CallFallbacks::Given(Fallbacks::new(fallbacks)));
        self
    }

    /// Other models as fallbacks of the call, in this order, at most [`Fallbacks::MAX_FALLBACKS`]: at the first target of the
    /// client, with its credentials, or where the call is addressed if the client has none. Each is named after its model. A
    /// call in no known dialect, such as one for embeddings, names no model that could be replaced: it has no such fallbacks.
    /// Replaces [`fallbacks`](Self::fallbacks).
    pub fn fallback_models<M: AsRef<str>>(mut self, models: impl IntoIterator<Item = M>) -> Self {
        // One more than allowed is enough to refuse them.
        let models = models.into_iter().take(Fallbacks::MAX_FALLBACKS + 1);
        let models = models.map(|model| model.as_ref().into()).collect();
        self.fallbacks = Some(CallFallbacks::Models(models));
        self
    }

    /// Calls with the same key, such as the id of a conversation, go to the same one of [equal targets](crate::balance). At least
    /// one byte; only a hash of it is kept.
    pub fn affinity(mut self, key: impl AsRef<[u8]>) -> Self {
        let key = key.as_ref();
        self.affinity = Some(match key.is_empty() {
            true => Err(ConfigError::new("affinity", "", "a key of at least one byte")),
            false => Ok(AffinityKey::new(key)),
        });
        self
    }

    /// When the answer is handed on.
    pub fn commit(mut self, commit: CommitPolicy) -> Self {
        self.commit = Some(commit);
        self
    }

    /// The tenant that an answer is [stored](crate::cache) for, by a unique name that is not blank. A name replaces the
    /// credential in the key of the answer; [`Tenant::of_caller`] adds to it.
    pub fn tenant(mut self, tenant: impl Into<Tenant>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// What happens to a stream that fails while it is read.
    pub fn mid_stream_failure(mut self, failure: MidStreamFailure) -> Self {
        self.mid_stream_failure = Some(failure);
        self
    }

    /// The dialect of the request, whatever its path. The path of another known operation (embeddings, files) is left alone, so
    /// that it can be set for all calls of a scope.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// The dialect, if it is set.
    pub fn declared_dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// These options, and for each field that they do not set, that of `below`.
    pub fn or(self, below: &Self) -> Self {
        Self {
            deadline: self.deadline.or(below.deadline),
            priority: self.priority.or(below.priority),
            fallbacks: self.fallbacks.or_else(|| below.fallbacks.clone()),
            allowed_fallbacks: self.allowed_fallbacks.or_else(|| below.allowed_fallbacks.clone()),
            affinity: self.affinity.or_else(|| below.affinity.clone()),
            commit: self.commit.or(below.commit),
            tenant: self.tenant.or_else(|| below.tenant.clone()),
            mid_stream_failure: self.mid_stream_failure.or(below.mid_stream_failure),
            dialect: self.dialect.or(below.dialect),
        }
    }

    /// Validates the values. Each call does so by itself.
    ///
    /// # Errors
    ///
    /// Names the field, its value and what is allowed.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(CallDeadline::Within(limit)) = self.deadline.filter(CallDeadline::is_zero) {
            return Err(ConfigError::new("deadline", limit, "longer than zero"));
        }
        match &self.fallbacks {
            Some(CallFallbacks::Given(Err(error))) => return Err(error.clone()),
            Some(CallFallbacks::Models(names)) => models::check("fallback_models", names)?,
            Some(CallFallbacks::Given(Ok(_))) | None => {}
        }
        if let Some(Err(error)) = &self.affinity {
            return Err(error.clone());
        }
        match &self.tenant {
            Some(tenant) if tenant.is_blank() => {
                Err(ConfigError::new("tenant", "", "a name that is not blank"))
            }
            _ => Ok(()),
        }
    }
}

// === impl CallDeadline ===

impl CallDeadline {
    fn is_zero(&self) -> bool {
        matches!(self, Self::Within(limit) if limit.is_zero())
    }

    /// The deadline of a call that is sent now.
    pub(super) fn now(self) -> Deadline {
        match self {
            Self::Within(limit) => Deadline::within(limit),
            Self::At(at) => Deadline::at(at),
        }
    }
}
