//! The names of operations in the OpenTelemetry conventions for generative AI.

use crate::dialect::{Dialect, Operation, RequestInfo};

/// The name of a request's operation in the conventions; `None` for a request that runs no model, such as one that uploads a file.
///
/// The conventions name `chat`, `generate_content`, `text_completion` and `embeddings`. The others are those of
/// [`Operation`], as in routes.
pub(super) fn operation(info: &RequestInfo, path: &str) -> Option<&'static str> {
    match (info.operation(), info.dialect()) {
        (Operation::Chat, Some(Dialect::Gemini)) => Some("generate_content"),
        (Operation::Chat, Some(Dialect::Ollama)) if path.ends_with("/generate") => {
            Some("text_completion")
        }
        (Operation::Chat, Some(_)) => Some("chat"),
        (Operation::Chat, None) if path.ends_with("/completions") => Some("text_completion"),
        (Operation::Chat, None) => Some("chat"),
        (Operation::Embeddings, _) => Some("embeddings"),
        (
            Operation::Moderation
            | Operation::Rerank
            | Operation::Images
            | Operation::Videos
            | Operation::Audio,
            _,
        ) => Some(info.effects().operation_name()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_a_model_has_a_name_and_what_does_not_has_none() {
        for (path, expected) in [
            ("/v1/chat/completions", Some("chat")),
            ("/v1/responses", Some("chat")),
            ("/v1/messages", Some("chat")),
            ("/v1beta/models/m:streamGenerateContent", Some("generate_content")),
            ("/api/chat", Some("chat")),
            ("/api/generate", Some("text_completion")),
            ("/v1/completions", Some("text_completion")),
            ("/v2/chat", Some("chat")),
            ("/v1/embeddings", Some("embeddings")),
            ("/v1/rerank", Some("rerank")),
            ("/v1/files", None),
            ("/v1/messages/count_tokens", None),
            ("/custom", None),
        ] {
            let request = http::Request::post(path).body(bytes::Bytes::from_static(b"{}")).unwrap();
            assert_eq!(operation(&RequestInfo::read(&request), path), expected, "{path}");
        }
    }
}
