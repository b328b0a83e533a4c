//! Fallbacks of a single call, as an opaque value for the layers other than the fallback layer.

use std::{any::Any, fmt, sync::Arc};

use http::HeaderName;

/// The header that names the fallback that answered, if that is not the first.
pub(crate) const SERVED_BY: HeaderName = HeaderName::from_static("evenkeel-served-by");
/// The header with the number of attempts sent, if the first fallback did not answer.
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("evenkeel-attempts");

/// Fallbacks of a single call: put them into the extensions of its request.
///
/// They come below the first target and above those of the [`FallbackPolicy`], in their order. Like the policy's fallbacks, they
/// share the breakers and budgets of their routes with every other call.
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
    /// Only the fallback layer knows the type. Other layers only check that a call has fallbacks.
    steps: Arc<dyn Any + Send + Sync>,
}

// === impl Fallbacks ===

impl Fallbacks {
    pub(crate) fn of<T: Send + Sync + 'static>(steps: Vec<T>) -> Self {
        Self { steps: Arc::new(steps) }
    }

    /// The fallbacks, for the layer that created them.
    pub(crate) fn steps<T: 'static>(&self) -> &[T] {
        self.steps.downcast_ref::<Vec<T>>().map_or(&[], Vec::as_slice)
    }
}

impl fmt::Debug for Fallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallbacks").finish_non_exhaustive()
    }
}
