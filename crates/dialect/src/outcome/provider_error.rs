//! An error that a provider sent inside a 200.

use std::{fmt, sync::Arc};

use http::StatusCode;

/// An error that a provider sent inside a 200: the status that it stands for, and the provider's message.
///
/// The message is for the caller alone, because it may repeat the prompt: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderError {
    status: Option<StatusCode>,
    message: Arc<str>,
}

// === impl ProviderError ===

impl ProviderError {
    /// The longest message that is stored, in bytes. The rest of a longer one is dropped.
    pub const MAX_MESSAGE: usize = 4096;

    /// An error with that message; `None` if there is no message.
    pub(super) fn new(status: Option<u16>, message: &str) -> Option<Self> {
        let short = (0..=Self::MAX_MESSAGE.min(message.len())).rev();
        let end = short.into_iter().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        let message = &message[..end];
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        (!message.is_empty()).then(|| Self { status, message: message.into() })
    }

    /// The status that the error names, such as 400 for `"code": 400`.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The provider's message, at most [`MAX_MESSAGE`](Self::MAX_MESSAGE) bytes. It may repeat the prompt.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Debug for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderError").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_bounded_and_not_shown() {
        let error = ProviderError::new(Some(400), &"ä".repeat(9999)).unwrap();
        assert_eq!(error.message().len(), ProviderError::MAX_MESSAGE);
        assert!(!format!("{error:?}").contains('ä'));
        assert_eq!(ProviderError::new(Some(400), ""), None);
    }
}
