//! The paths that are sent with a key of the operator's.

use http::Method;

use super::glob::{matches_name, matches_path};

/// The paths that are allowed: those of the APIs that evenkeel knows, and those of the configuration.
#[derive(Clone, Debug)]
pub(super) struct AllowedPaths {
    /// Patterns of the configuration.
    more: Vec<String>,
    /// The paths of base URLs.
    bases: Vec<String>,
}

/// What generates, counts or describes, and nothing that is kept at the account. A `*` is a name, which may have slashes.
#[rustfmt::skip]
const POSTS: [&str; 40] = [
    // OpenAI and what is compatible with it.
    "chat/completions", "completions", "responses", "responses/input_tokens", "embeddings", "moderations", "rerank",
    "images/generations", "images/edits", "images/variations", "audio/speech", "audio/transcriptions", "audio/translations",
    "fim/completions", "tokenize", "detokenize",
    // Anthropic.
    "messages", "messages/count_tokens", "complete",
    // Gemini, and models of others at Vertex AI.
    "models/*:generateContent", "models/*:streamGenerateContent", "models/*:countTokens", "models/*:computeTokens",
    "models/*:embedContent", "models/*:batchEmbedContents", "models/*:predict", "models/*:rawPredict",
    "models/*:streamRawPredict", "tunedModels/*:generateContent", "tunedModels/*:streamGenerateContent",
    "tunedModels/*:countTokens",
    // Ollama and Cohere.
    "chat", "generate", "embed", "show",
    // Bedrock.
    "model/*/invoke", "model/*/invoke-with-response-stream", "model/*/converse", "model/*/converse-stream",
    "model/*/count-tokens",
];

/// Lists and descriptions of models, and the page that tells clients of Ollama that it runs.
const GETS: [&str; 6] = ["models", "models/*", "tags", "ps", "version", ""];

/// Segments before these paths.
#[rustfmt::skip]
const WORDS: [&str; 15] = [
    "api", "openai", "anthropic", "inference", "compatible-mode", "compat", "paas", "coding", "beta", "ai", "client",
    "serving-endpoints", "cortex", "cohere", "ollama",
];

/// Segments that are followed by a name.
const BEFORE_NAMES: [&str; 6] =
    ["deployments", "engines", "projects", "locations", "publishers", "accounts"];

/// The most segments before a path.
const MOST: usize = 12;

// === impl AllowedPaths ===

impl AllowedPaths {
    /// `more`: patterns; `bases`: paths of base URLs, which may come before a known path.
    pub(super) fn new(more: Vec<String>, bases: impl IntoIterator<Item = String>) -> Self {
        let bases = bases.into_iter().map(|base| base.trim_end_matches('/').to_owned());
        Self { more, bases: bases.filter(|base| !base.is_empty()).collect() }
    }

    pub(super) fn allow(&self, method: &Method, path: &str) -> bool {
        self.more.iter().any(|pattern| matches_path(pattern, path))
            || is_known(method, path)
            || self.bases.iter().any(|base| {
                path.strip_prefix(base.as_str())
                    .is_some_and(|rest| rest.starts_with('/') && is_known(method, rest))
            })
    }
}

/// Whether it is a path of an API that evenkeel knows.
fn is_known(method: &Method, path: &str) -> bool {
    let known: &[&str] = match *method {
        Method::POST => &POSTS,
        Method::GET | Method::HEAD => &GETS,
        _ => return false,
    };
    let mut rest = path.strip_prefix('/').unwrap_or(path);
    rest = rest.strip_suffix('/').unwrap_or(rest);
    for _ in 0..MOST {
        if known.iter().any(|pattern| matches_name(pattern, rest)) {
            return true;
        }
        let Some((segment, below)) = rest.split_once('/') else { return false };
        rest = if BEFORE_NAMES.contains(&segment) {
            below.split_once('/').map_or("", |(_, below)| below)
        } else if WORDS.contains(&segment) || is_version(segment) {
            below
        } else {
            return false;
        };
        if rest.is_empty() {
            return false;
        }
    }
    false
}

/// `v1`, `v1beta`, `v4`.
fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix('v').unwrap_or_default();
    rest.starts_with(|c: char| c.is_ascii_digit())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(line: &str) -> bool {
        let (method, path) = line.split_once(' ').unwrap();
        let bases = ["/".to_owned(), "/some/team/v1".to_owned()];
        AllowedPaths::new(vec!["/v1/files/*".into()], bases).allow(&method.parse().unwrap(), path)
    }

    #[test]
    fn the_calls_of_every_known_api_are_allowed() {
        for line in [
            "POST /v1/chat/completions",
            "POST /v1/chat/completions/",
            "POST /chat/completions",
            "POST /v1/completions",
            "POST /v1/responses",
            "POST /v1/responses/input_tokens",
            "POST /v1/messages",
            "POST /v1/messages/count_tokens",
            "POST /anthropic/v1/messages",
            "POST /v1/embeddings",
            "POST /v1/moderations",
            "POST /v1/audio/transcriptions",
            "POST /v1/images/generations",
            "GET /v1/models",
            "HEAD /v1/models",
            "GET /v1/models/vendor/name",
            "GET /v1/models/vendor%2Fname",
            "POST /v1beta/models/gemini-2.5-flash:generateContent",
            "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent",
            "POST /v1beta/models/m:countTokens",
            "POST /v1beta/models/m:embedContent",
            "POST /v1beta/openai/chat/completions",
            "POST /v1/projects/p/locations/l/publishers/google/models/g:generateContent",
            "POST /v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict",
            "POST /openai/deployments/mine/chat/completions",
            "POST /openai/v1/responses",
            "POST /api/paas/v4/chat/completions",
            "POST /api/v1/chat/completions",
            "POST /api/chat",
            "POST /api/generate",
            "POST /api/embed",
            "POST /api/show",
            "GET /api/tags",
            "GET /api/version",
            "HEAD /",
            "POST /v2/chat",
            "POST /v2/rerank",
            "POST /model/anthropic.claude/converse-stream",
            "POST /some/team/v1/chat/completions",
            "GET /v1/files",
            "DELETE /v1/files/f",
            "GET /v1/files/f/content",
        ] {
            assert!(allows(line), "{line}");
        }
    }

    #[test]
    fn what_is_kept_at_the_account_and_what_is_not_known_is_not_allowed() {
        for line in [
            "GET /v1/chat/completions",
            "GET /v1/chat/completions/c",
            "GET /v1/responses/r",
            "DELETE /v1/responses/r",
            "POST /v1/responses/r/cancel",
            "DELETE /v1/models/ft:m",
            "PATCH /v1/models/m",
            "PUT /v1/chat/completions",
            "OPTIONS /v1/chat/completions",
            "GET /v1/batches",
            "POST /v1/messages/batches",
            "POST /v1/uploads",
            "GET /v1/organization/usage/embeddings",
            "GET /v1/organization/admin_api_keys",
            "POST /v1/organization/projects/p/responses",
            "GET /v1/fine_tuning/jobs",
            "POST /v1/fine_tuning/jobs",
            "GET /v1/vector_stores",
            "POST /v1/threads",
            "POST /v1beta/models/m:batchGenerateContent",
            "POST /v1beta/cachedContents",
            "POST /v1beta/corpora/c/models/m:generateContentx",
            "POST /api/pull",
            "POST /api/create",
            "DELETE /api/delete",
            "POST /api/copy",
            "GET /metrics",
            "GET /v1",
            "POST /",
            "GET /projects",
            "POST /v1/filesx",
            "GET /some/team/v1/keys",
            "GET /some/teamx/models",
        ] {
            assert!(!allows(line), "{line}");
        }
    }
}
