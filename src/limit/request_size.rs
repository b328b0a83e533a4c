//! The size of a request in tokens, estimated from its bytes.

use crate::{Request, dialect::RequestInfo};

/// The estimated number of tokens that a model has to read for a request. Zero if no model is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestSize(u64);

// === impl RequestSize ===

impl RequestSize {
    /// The number of size classes. The sizes of each class are four times those of the previous one.
    pub(super) const CLASSES: usize = 12;
    /// The bytes of text in a token: about right for English, too many for other languages.
    const BYTES_PER_TOKEN: u64 = 4;
    /// A run of base64 of at least this many bytes is a file and not text.
    const MIN_FILE: usize = 4096;
    /// The tokens of an image, audio or other file of any size.
    const TOKENS_PER_FILE: u64 = 1500;

    #[cfg(test)]
    pub(super) fn new(tokens: u64) -> Self {
        Self(tokens)
    }

    /// Measures the text of a request, and adds a flat number of tokens for each file in it.
    pub(super) fn measure(request: &Request, info: &RequestInfo) -> Self {
        Self(info.dialect().map_or(0, |_| Self::estimate_tokens(request.body())))
    }

    /// A size without measuring, for limits that do not depend on it: only whether a model is run.
    pub(super) fn unmeasured(info: &RequestInfo) -> Self {
        Self(info.dialect().map_or(0, |_| 1))
    }

    pub(super) fn tokens(self) -> u64 {
        self.0
    }

    /// The size class, below [`CLASSES`](Self::CLASSES).
    pub(super) fn class(self) -> usize {
        (self.0.max(1).ilog2() as usize / 2).min(Self::CLASSES - 1)
    }

    fn estimate_tokens(body: &[u8]) -> u64 {
        let text = |bytes: usize| (bytes as u64).div_ceil(Self::BYTES_PER_TOKEN);
        if body.len() < Self::MIN_FILE {
            return text(body.len());
        }
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_\\".contains(byte);
        let runs = body.split(|byte| !is_base64(byte)).map(<[u8]>::len);
        let (mut files, mut file_bytes) = (0, 0);
        for length in runs.filter(|length| *length >= Self::MIN_FILE) {
            files += 1;
            file_bytes += length;
        }
        text(body.len() - file_bytes).saturating_add(files * Self::TOKENS_PER_FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_four_megabytes_costs_a_flat_number_of_tokens() {
        let image = "iVBORw0KGgo/".repeat(4 << 20 >> 3);
        let body = format!(r#"{{"messages":[{{"url":"data:image/png;base64,{image}"}}]}}"#);
        assert!((1500..1600).contains(&RequestSize::estimate_tokens(body.as_bytes())));
        let text = "plain text ".repeat(1000);
        assert_eq!(RequestSize::estimate_tokens(text.as_bytes()), 2750);
    }
}
