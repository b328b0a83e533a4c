//! The paths at which a provider answers.

use crate::reply::{Fault, Reply, ReplyContent};

/// The endpoints after the version. A path may go on with an id or a further word, see [`goes_on`].
const ENDPOINTS: [&[&str]; 26] = [
    &["chat", "completions"],
    &["completions"],
    &["responses"],
    &["messages"],
    &["embeddings"],
    &["models"],
    &["moderations"],
    &["images"],
    &["videos"],
    &["audio"],
    &["files"],
    &["uploads"],
    &["batches"],
    &["fine_tuning"],
    &["vector_stores"],
    &["assistants"],
    &["threads"],
    &["conversations"],
    &["containers"],
    &["rerank"],
    &["realtime"],
    // Ollama, below /api.
    &["chat"],
    &["generate"],
    &["tags"],
    &["show"],
    &["embed"],
];
/// Words that do not follow an endpoint: a base URL with the path of a call would put them there.
const NOT_BEHIND: [&str; 5] = ["chat", "completions", "responses", "embeddings", "v1"];

/// Whether the API has an endpoint at that path: with the version of its base URL or without one, below `/openai`,
/// `/openai/deployments/NAME`, `/v1beta/openai` or `/api`.
pub(super) fn is_known(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    let Some(path) = path.strip_prefix('/') else { return false };
    let parts: Vec<_> = path.trim_end_matches('/').split('/').collect();
    let (below_api, parts) = match &parts[..] {
        ["openai", "deployments", _, rest @ ..]
        | ["v1beta", "openai", rest @ ..]
        | ["openai", rest @ ..] => (false, rest),
        ["api", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let parts = match parts {
        [version, rest @ ..] if is_version(version) => rest,
        rest => rest,
    };
    ENDPOINTS.iter().any(|endpoint| match parts.strip_prefix(*endpoint) {
        // Only Ollama has a chat without completions.
        Some(rest) => (below_api || !matches!(*endpoint, ["chat"])) && goes_on(endpoint, rest),
        None => false,
    })
}

/// Whether the path may go on like that: an id, `/messages/count_tokens`, `/images/generations`, `/models/NAME:generateContent`.
fn goes_on(endpoint: &[&str], rest: &[&str]) -> bool {
    let once = matches!(endpoint, ["embeddings"] | ["moderations"] | ["completions"] | ["rerank"]);
    let misplaced = |part: &&str| NOT_BEHIND.contains(part) || part.is_empty();
    (rest.is_empty() || !once) && !rest.iter().any(misplaced)
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The answer at a path that the API does not have, instead of `reply`. Failures and bodies that a test has set stay.
pub(super) fn not_found(path: &str, reply: &Reply) -> Option<Reply> {
    let is_answer = matches!(reply.content, ReplyContent::Chat { .. });
    let is_sent = |fault: &Fault| {
        !matches!(fault, Fault::Refused | Fault::Reset | Fault::Closed | Fault::Hang)
    };
    if is_known(path) || !is_answer || !reply.faults.iter().all(is_sent) {
        return None;
    }
    let message = format!("Invalid URL ({})", path.split('?').next().unwrap_or_default());
    let error = serde_json::json!({
        "error": { "message": message, "type": "invalid_request_error", "param": null, "code": null }
    });
    Some(Reply::raw(404, "application/json", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoints_of_the_apis_are_known_with_and_without_a_version() {
        for path in [
            "/v1/chat/completions",
            "/chat/completions",
            "/v1/chat/completions/id",
            "/v1/responses",
            "/v1/responses/id",
            "/v1/messages",
            "/v1/messages/count_tokens",
            "/v1/threads/t/messages",
            "/v1/embeddings",
            "/v1/models",
            "/v1/models/",
            "/v1/models/org/name",
            "/v1/images/generations",
            "/v1/audio/speech",
            "/v1beta/models/gemini-3:generateContent",
            "/v1beta/models/gemini-3:streamGenerateContent?alt=sse",
            "/openai/v1/chat/completions",
            "/openai/deployments/d/chat/completions?api-version=1",
            "/v1beta/openai/chat/completions",
            "/api/chat",
            "/api/tags",
            "/api/v1/chat/completions",
        ] {
            assert!(is_known(path), "{path}");
        }
    }

    #[test]
    fn what_a_wrong_base_url_makes_of_a_path_is_not_known() {
        for path in [
            "/",
            "",
            "/v1",
            "/v1/chat",
            "/chat",
            "/v1/chat/completions/chat/completions",
            "/v1/v1/chat/completions",
            "/v1/chat/chat/completions",
            "/v1/responses/responses",
            "/v1/messages/v1/messages",
            "/v1/models/v1/chat/completions",
            "/v1/embeddings/embeddings",
            "/v1//chat/completions",
            "/v1/chat/completion",
            "/api/v2/ask",
        ] {
            assert!(!is_known(path), "{path}");
        }
    }
}
