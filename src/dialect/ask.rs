//! What a request asks for.

use crate::{Request, dialect::Dialect};

/// What a request asks for, read once, without copying its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) model: Option<Box<str>>,
    pub(crate) stream: bool,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) tools: bool,
}

// === impl Ask ===

impl Ask {
    /// Reads a request: its path tells the dialect, its body the rest. A body that cannot be read asks for nothing.
    pub fn read(request: &Request) -> Self {
        let _ = request;
        Self::default()
    }

    /// The dialect of the request; `None` for a path that is passed through.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// The model that is asked.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Whether the answer is to be streamed.
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// The most tokens the answer may have, where the request says so.
    pub fn max_tokens(&self) -> Option<u64> {
        self.max_tokens
    }

    /// Whether the request brings tools.
    pub fn tools(&self) -> bool {
        self.tools
    }
}
