//! Fallbacks for one call alone, as the layers see them that are no fallbacks themselves.

use std::{any::Any, fmt, sync::Arc};

use http::HeaderName;

/// The fallback that answered, in the headers of an answer that is not the first one's.
pub(crate) const SERVED_BY: HeaderName = HeaderName::from_static("evenkeel-served-by");
/// The attempts that were sent, in the headers of an answer that is not the first fallback's.
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("evenkeel-attempts");

/// Fallbacks for one call alone: put them into the extensions of its request.
///
/// They stand below the first target and above those of the [`FallbackPolicy`], in their order. All of them share the
/// breakers and budgets of their routes with every other call, as the policy's fallbacks do.
///
/// ```
/// use evenkeel::fallback::{Fallbacks, Fallback, Target};
///
/// // Where it was addressed, with the same key: another model.
/// let smaller = Fallback::target(Target::same_host().model("gpt-4o-mini"));
/// let mut request = http::Request::post("https://api.example.com/v1/chat/completions").body(bytes::Bytes::new())?;
/// request.extensions_mut().insert(Fallbacks::new([smaller])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`FallbackPolicy`]: crate::fallback::FallbackPolicy
#[derive(Clone)]
pub struct Fallbacks {
    /// Only the fallback layer knows what they are. Others read that a call has some.
    steps: Arc<dyn Any + Send + Sync>,
}

// === impl Fallbacks ===

impl Fallbacks {
    pub(crate) fn of<T: Send + Sync + 'static>(steps: Vec<T>) -> Self {
        Self { steps: Arc::new(steps) }
    }

    /// The steps, to the layer that made them.
    pub(crate) fn steps<T: 'static>(&self) -> &[T] {
        self.steps.downcast_ref::<Vec<T>>().map_or(&[], Vec::as_slice)
    }
}

impl fmt::Debug for Fallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallbacks").finish_non_exhaustive()
    }
}
