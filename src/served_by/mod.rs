//! Where an answer is from: the first target, a fallback, a store, or a canned reply.

mod marks;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use http::{Extensions, HeaderMap, header};

pub use self::marks::{CannedReply, Hit};

use self::marks::{CANNED, STALE, STORED};
use crate::context::{AttemptLog, SERVED_BY};

/// Where an answer is from: see [`ResponseExt::served_by`](crate::ResponseExt::served_by).
///
/// For labels in an application ("an assistant of our partner answers", "as of 10 minutes ago") and for counting:
/// [`is_degraded`](Self::is_degraded). A failure is from the target that failed.
///
/// ```
/// use evenkeel::ServedBy;
/// use http::HeaderMap;
///
/// # let mut headers = HeaderMap::new();
/// # headers.insert("evenkeel-served-by", "mistral-small-latest".parse()?);
/// // The headers of an answer that came through the gateway.
/// let served = ServedBy::from_headers(&headers);
/// assert!(served.is_degraded());
/// assert_eq!(served.to_string(), "fallback mistral-small-latest");
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServedBy {
    /// The call's own target. Also an answer that did not come through evenkeel.
    #[non_exhaustive]
    FirstTarget {
        /// The name of the target, if it is known.
        name: Option<Arc<str>>,
    },
    /// A target below the first; also one that has continued an answer that broke off.
    #[non_exhaustive]
    Fallback {
        /// The name of the fallback.
        name: Arc<str>,
    },
    /// A stored answer.
    #[non_exhaustive]
    Stored {
        /// The time since it was stored; through a gateway in whole seconds.
        age: Duration,
        /// Whether it is older than [`CachePolicy::serve_fresh_for`](crate::cache::CachePolicy::serve_fresh_for) allows: an
        /// answer for an outage.
        stale: bool,
    },
    /// A canned reply.
    #[non_exhaustive]
    Canned {
        /// The name of the fallback, if it is known.
        name: Option<Arc<str>>,
    },
}

/// The longest name that is read from a header, in bytes: that of a fallback.
const NAME: usize = 64;

// === impl ServedBy ===

impl ServedBy {
    /// Where an answer with that head is from: by its extensions, or else by the headers of a gateway below.
    pub(crate) fn of_head(headers: &HeaderMap, extensions: &Extensions) -> Self {
        if let Some(hit) = extensions.get::<Hit>() {
            return Self::Stored { age: hit.age, stale: hit.stale };
        }
        let attempt_log = extensions.get::<AttemptLog>();
        let name = attempt_log.and_then(AttemptLog::served_by);
        if extensions.get::<CannedReply>().is_some() {
            return Self::Canned { name };
        }
        match (Self::from_headers(headers), name) {
            // The head was handed on before.
            (_, Some(name)) if attempt_log.is_some_and(AttemptLog::is_continued) => {
                Self::Fallback { name }
            }
            (Self::FirstTarget { .. }, name) => Self::FirstTarget { name },
            (below, _) => below,
        }
    }

    /// Where an answer is from that came through a gateway: by `evenkeel-served-by`, `evenkeel-stored` and `evenkeel-canned`.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let name = headers.get(SERVED_BY).and_then(|name| name.to_str().ok());
        let name: Option<Arc<str>> = name.filter(|name| name.len() <= NAME).map(Into::into);
        if headers.contains_key(CANNED) {
            return Self::Canned { name };
        }
        if let Some(stored) = headers.get(STORED) {
            let age = headers.get(header::AGE).and_then(|age| age.to_str().ok()?.parse().ok());
            let age = Duration::from_secs(age.unwrap_or_default());
            return Self::Stored { age, stale: stored == STALE };
        }
        match name {
            Some(name) => Self::Fallback { name },
            None => Self::FirstTarget { name: None },
        }
    }

    /// Whether the answer is less than what the call asked for: from a fallback, stale, or canned. A fresh stored answer is not.
    pub fn is_degraded(&self) -> bool {
        match self {
            Self::FirstTarget { .. } => false,
            Self::Stored { stale, .. } => *stale,
            Self::Fallback { .. } | Self::Canned { .. } => true,
        }
    }

    /// Whether a model made the answer for this call: not a stored answer, not a canned reply.
    pub fn is_target(&self) -> bool {
        matches!(self, Self::FirstTarget { .. } | Self::Fallback { .. })
    }

    /// Whether the answer is a stored one, fresh or stale.
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Stored { .. })
    }

    /// Whether the answer is a canned reply.
    pub fn is_canned(&self) -> bool {
        matches!(self, Self::Canned { .. })
    }

    /// The name of the target or fallback, if it is known.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::FirstTarget { name } | Self::Canned { name } => name.as_deref(),
            Self::Fallback { name } => Some(name),
            Self::Stored { .. } => None,
        }
    }
}

impl fmt::Display for ServedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstTarget { name: Some(name) } => f.write_str(name),
            Self::FirstTarget { name: None } => f.write_str("first target"),
            Self::Fallback { name } => write!(f, "fallback {name}"),
            Self::Stored { age, stale } => {
                let kind = if *stale { "stale" } else { "fresh" };
                write!(f, "stored answer, {kind}, {} s old", age.as_secs())
            }
            Self::Canned { .. } => f.write_str("canned reply"),
        }
    }
}
