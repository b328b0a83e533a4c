//! The path of a request: its dialect, and the start of the API's own part of it.

use std::borrow::Cow;

use crate::{
    Dialect, RequestInfo,
    model_path::{self, ModelPath},
};

/// The ends of paths that determine a dialect.
const ENDS: [(&str, Dialect); 5] = [
    ("/chat/completions", Dialect::OpenAiChat),
    ("/responses", Dialect::OpenAiResponses),
    ("/v1/messages", Dialect::Anthropic),
    ("/api/chat", Dialect::Ollama),
    ("/api/generate", Dialect::Ollama),
];

/// Path segments without a chat, whatever the dialect of the server.
#[rustfmt::skip]
const OTHERS: [&str; 19] = [
    "embeddings", "embed", "images", "audio", "files", "uploads", "batches", "moderations", "assistants",
    "threads", "vector_stores", "fine_tuning", "rerank", "count_tokens", "tokenize", "detokenize", "pull", "show",
    "realtime",
];

/// Gemini's methods that generate no answer.
const METHODS: [&str; 4] =
    ["countTokens", "embedContent", "batchEmbedContents", "predictLongRunning"];

// === impl Dialect ===

impl Dialect {
    /// The dialect of a path, if it is known.
    pub fn of_path(path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
        let end = ENDS.iter().find(|(end, _)| path.ends_with(end)).map(|(_, dialect)| *dialect);
        end.or_else(|| ModelPath::read(path).map(|_| Self::Gemini))
    }

    /// Whether a path is known not to be a request in one of the dialects: embeddings, images, files. This holds even if a target
    /// declares a dialect.
    pub fn is_elsewhere(path: &str) -> bool {
        let mut parts = path.split('/');
        // Gemini's other methods follow a colon.
        let method = |part: &str| part.rsplit(':').next().is_some_and(|end| METHODS.contains(&end));
        let other = |part: &str| OTHERS.contains(&part) || method(part);
        Self::of_path(path).is_none() && parts.any(other)
    }

    /// The usual path of this dialect, after the path of a base URL.
    pub fn usual_path(self, base: &str, info: &RequestInfo) -> Cow<'static, str> {
        let versioned = version(base).is_some();
        match self {
            Self::OpenAiChat if base.is_empty() => "/v1/chat/completions",
            Self::OpenAiChat => "/chat/completions",
            Self::OpenAiResponses if base.is_empty() => "/v1/responses",
            Self::OpenAiResponses => "/responses",
            Self::Anthropic if versioned => "/messages",
            Self::Anthropic => "/v1/messages",
            Self::Ollama if base.ends_with("/api") => info.form.of_ollama(),
            Self::Ollama => return format!("/api{}", info.form.of_ollama()).into(),
            Self::Gemini => {
                let version = if versioned { "" } else { "/v1beta" };
                let path = model_path::usual_path(info.model().unwrap_or("-"), info.stream());
                return format!("{version}{path}").into();
            }
        }
        .into()
    }
}

/// The part of a path that follows the path of a base URL, which is not empty.
///
/// That is the endpoint of its dialect: `/v1/chat/completions` → `/chat/completions`. If the dialect's base URL usually has no
/// version, and this one has none, the version is included: `/v1/messages`. For other paths it is the part after the version.
pub fn endpoint<'a>(path: &'a str, base: &str) -> &'a str {
    let from = |end: &str| path.rfind(end).map_or(path, |at| &path[at..]);
    let versioned = || version(base).is_some();
    match Dialect::of_path(path) {
        Some(Dialect::OpenAiResponses) => from("/responses"),
        Some(Dialect::Anthropic) if versioned() => from("/messages"),
        Some(Dialect::Anthropic) => from("/v1/messages"),
        Some(Dialect::Ollama) if base.ends_with("/api") => &from("/api/")["/api".len()..],
        Some(Dialect::Ollama) => from("/api/"),
        Some(Dialect::Gemini) if versioned() => model_path::endpoint(path),
        Some(Dialect::Gemini) => version(path).map_or(path, |(start, _)| &path[start..]),
        _ if path.contains("/chat/completions") => from("/chat/completions"),
        _ => version(path).map_or(path, |(_, end)| &path[end..]),
    }
}

/// The position of the first version in a path, such as `/v1` or `/v1beta`.
fn version(path: &str) -> Option<(usize, usize)> {
    let mut end = 0;
    for part in path.split_inclusive('/') {
        let start = end;
        end += part.len();
        let name = part.trim_end_matches('/');
        let digits = name.strip_prefix('v').unwrap_or_default();
        if start > 0 && digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Some((start - 1, start + name.len()));
        }
    }
    None
}
