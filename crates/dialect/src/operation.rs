//! The operation of a request at its provider, by its method and path.

use http::Method;

use crate::Dialect;

/// The operation of a request at its provider, determined by its method and path.
///
/// It decides whether a request may be repeated, and whether another target may answer it:
///
/// | operations | repeated after a failure | sent to a fallback |
/// |---|---|---|
/// | [`Chat`](Self::Chat), [`TokenCount`](Self::TokenCount), [`Moderation`](Self::Moderation), [`Rerank`](Self::Rerank) | yes: they compute an answer from the request alone | yes |
/// | [`Embeddings`](Self::Embeddings) | yes | no: the vectors of another model are of no use in the index of this one |
/// | [`Models`](Self::Models), and reading any other | yes | no: the answer is about this account |
/// | [`Images`](Self::Images), [`Audio`](Self::Audio) | only if the provider has done nothing, because each one costs | no |
/// | all others | only if the provider has done nothing, because each one changes something | no |
///
/// `Fallback::operations` of evenkeel names more operations for a fallback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Generates text: the known dialects, legacy completions, the chats of Cohere and Bedrock.
    Chat,
    /// Counts tokens, or splits a text into them.
    TokenCount,
    /// Classifies a text.
    Moderation,
    /// Ranks documents.
    Rerank,
    /// Computes the vectors of texts.
    Embeddings,
    /// Creates or changes images.
    Images,
    /// Creates videos: a job whose result is fetched later.
    Videos,
    /// Speech, transcription, translation.
    Audio,
    /// Files and their uploads.
    Files,
    /// Many requests at once; their answers are fetched later.
    Batches,
    /// Things stored at the provider: responses, conversations, threads, assistants, vector stores, containers, caches.
    Stored,
    /// Training, and models made by it.
    FineTuning,
    /// Lists or describes models.
    Models,
    /// Anything else.
    #[default]
    Unknown,
}

/// The effect of sending a request twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The same as sending it once.
    None,
    /// It costs twice.
    Costs,
    /// It changes something twice.
    Changes,
}

/// The path segments that name an operation, at any position. The first one in a path decides.
const NAMES: [(&str, Operation); 38] = [
    ("count_tokens", Operation::TokenCount),
    ("input_tokens", Operation::TokenCount),
    ("tokenize", Operation::TokenCount),
    ("detokenize", Operation::TokenCount),
    ("batches", Operation::Batches),
    ("batch", Operation::Batches),
    ("batchPredictionJobs", Operation::Batches),
    ("fine_tuning", Operation::FineTuning),
    ("fine-tunes", Operation::FineTuning),
    ("tuningJobs", Operation::FineTuning),
    ("tunedModels", Operation::FineTuning),
    ("vector_stores", Operation::Stored),
    ("assistants", Operation::Stored),
    ("threads", Operation::Stored),
    ("conversations", Operation::Stored),
    ("containers", Operation::Stored),
    ("cachedContents", Operation::Stored),
    ("evals", Operation::Stored),
    ("agents", Operation::Stored),
    ("responses", Operation::Stored),
    ("files", Operation::Files),
    ("uploads", Operation::Files),
    ("upload", Operation::Files),
    ("embeddings", Operation::Embeddings),
    ("embed", Operation::Embeddings),
    ("images", Operation::Images),
    ("videos", Operation::Videos),
    ("audio", Operation::Audio),
    ("moderations", Operation::Moderation),
    ("rerank", Operation::Rerank),
    ("show", Operation::Models),
    ("tags", Operation::Models),
    ("models", Operation::Models),
    ("converse", Operation::Chat),
    ("converse-stream", Operation::Chat),
    ("completions", Operation::Chat),
    ("complete", Operation::Chat),
    ("chat", Operation::Chat),
];

/// The methods of Gemini, which follow a colon.
const VERBS: [(&str, Operation); 10] = [
    ("generateContent", Operation::Chat),
    ("streamGenerateContent", Operation::Chat),
    ("countTokens", Operation::TokenCount),
    ("computeTokens", Operation::TokenCount),
    ("embedContent", Operation::Embeddings),
    ("batchEmbedContents", Operation::Embeddings),
    ("batchGenerateContent", Operation::Batches),
    ("asyncBatchEmbedContent", Operation::Batches),
    ("predict", Operation::Images),
    ("predictLongRunning", Operation::Videos),
];

/// The operation of a Bedrock model, by a part of its name.
const BEDROCK: [(&str, Operation); 6] = [
    ("embed", Operation::Embeddings),
    ("rerank", Operation::Rerank),
    ("image", Operation::Images),
    ("canvas", Operation::Images),
    ("stability", Operation::Images),
    ("reel", Operation::Videos),
];

// === impl Operation ===

impl Operation {
    /// The operation of a method and path.
    pub fn of(method: &Method, path: &str) -> Self {
        let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
        let asks = method == Method::POST;
        match by_name(path) {
            _ if asks && Dialect::of_path(path).is_some() => Self::Chat,
            // Only a POST generates text. Other methods list, fetch or delete a stored answer.
            Self::Chat if !asks => Self::Stored,
            Self::Models if !asks && !method.is_safe() => Self::FineTuning,
            named => named,
        }
    }

    /// The effect of sending a request with this operation twice.
    pub(super) fn effect(self, method: &Method) -> Effect {
        match self {
            _ if method.is_safe() => Effect::None,
            Self::Chat | Self::TokenCount | Self::Moderation | Self::Rerank => Effect::None,
            Self::Embeddings | Self::Models => Effect::None,
            Self::Images | Self::Audio => Effect::Costs,
            Self::Videos | Self::Files | Self::Batches | Self::Stored => Effect::Changes,
            Self::FineTuning | Self::Unknown => Effect::Changes,
        }
    }

    /// Whether the answer of another provider is equivalent.
    pub(super) fn is_portable(self) -> bool {
        matches!(self, Self::Chat | Self::TokenCount | Self::Moderation | Self::Rerank)
    }

    /// Whether only the addressed account can answer it. True for an unknown operation.
    pub fn is_of_an_account(self) -> bool {
        !self.is_portable() && !matches!(self, Self::Embeddings | Self::Images | Self::Audio)
    }

    /// The name in a route; empty for chats, and for unknown operations, which have the names of their paths.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chat | Self::Unknown => "",
            Self::TokenCount => "tokens",
            Self::Moderation => "moderations",
            Self::Rerank => "rerank",
            Self::Embeddings => "embeddings",
            Self::Images => "images",
            Self::Videos => "videos",
            Self::Audio => "audio",
            Self::Files => "files",
            Self::Batches => "batches",
            Self::Stored => "stored",
            Self::FineTuning => "fine_tuning",
            Self::Models => "models",
        }
    }
}

fn by_name(path: &str) -> Operation {
    if let Some((model, action)) = bedrock(path) {
        let made = BEDROCK.iter().find(|(part, _)| model.contains(part));
        let generic = action.starts_with("invoke").then_some(made).flatten();
        return generic.map_or(Operation::Chat, |(_, operation)| *operation);
    }
    let verb = path.rsplit('/').next().and_then(|last| last.rsplit_once(':'));
    let verb = verb.and_then(|(_, verb)| VERBS.iter().find(|(known, _)| *known == verb));
    match verb.map_or_else(|| by_segments(path), |(_, operation)| *operation) {
        // The paths of Anthropic and Ollama.
        Operation::Unknown if Dialect::of_path(path).is_some() => Operation::Chat,
        found => found,
    }
}

fn by_segments(path: &str) -> Operation {
    let mut found = Operation::Unknown;
    let mut segments = path.split('/');
    while let Some(segment) = segments.next() {
        if segment == "deployments" {
            // The name of an Azure deployment is ignored.
            segments.next();
            continue;
        }
        let named = NAMES.iter().find(|(known, _)| *known == segment);
        match (found, named.map(|(_, named)| *named)) {
            (Operation::Unknown, Some(named)) => found = named,
            // Batches of messages, and token counts of a response that is not created.
            (_, Some(named @ (Operation::TokenCount | Operation::Batches))) => return named,
            _ => {}
        }
    }
    found
}

/// The model and the action in a Bedrock path.
fn bedrock(path: &str) -> Option<(&str, &str)> {
    let (_, rest) = path.split_once("/model/")?;
    let (model, action) = rest.rsplit_once('/')?;
    let known = action.starts_with("converse") || action.starts_with("invoke");
    known.then_some((model, action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_path_has_its_operation() {
        use Operation as O;
        for (method, path, operation) in [
            ("POST", "/v1/chat/completions", O::Chat),
            ("POST", "/openai/deployments/files/chat/completions", O::Chat),
            ("POST", "/v1/responses", O::Chat),
            ("POST", "/v1/messages", O::Chat),
            ("POST", "/v1beta/models/m:generateContent", O::Chat),
            ("POST", "/v1beta/models/m:streamGenerateContent?alt=sse", O::Chat),
            ("POST", "/api/chat", O::Chat),
            ("POST", "/api/generate", O::Chat),
            ("POST", "/v1/completions", O::Chat),
            ("POST", "/v2/chat", O::Chat),
            ("POST", "/model/anthropic.claude/converse-stream", O::Chat),
            ("POST", "/model/anthropic.claude/invoke", O::Chat),
            ("POST", "/model/amazon.titan-embed-text-v2/invoke", O::Embeddings),
            ("POST", "/model/stability.sd3/invoke", O::Images),
            ("POST", "/v1/messages/count_tokens", O::TokenCount),
            ("POST", "/v1/responses/input_tokens", O::TokenCount),
            ("POST", "/v1beta/models/m:countTokens", O::TokenCount),
            ("POST", "/tokenize", O::TokenCount),
            ("POST", "/v1/moderations", O::Moderation),
            ("POST", "/v2/rerank", O::Rerank),
            ("POST", "/v1/embeddings", O::Embeddings),
            ("POST", "/openai/deployments/d/embeddings", O::Embeddings),
            ("POST", "/v1beta/models/m:embedContent", O::Embeddings),
            ("POST", "/api/embed", O::Embeddings),
            ("POST", "/v1/images/generations", O::Images),
            ("POST", "/v1/videos", O::Videos),
            ("POST", "/v1beta/models/imagen:predict", O::Images),
            ("POST", "/v1/audio/speech", O::Audio),
            ("POST", "/v1/files", O::Files),
            ("GET", "/v1/files/file-1/content", O::Files),
            ("POST", "/upload/v1beta/files", O::Files),
            ("POST", "/v1/batches", O::Batches),
            ("POST", "/v1/messages/batches", O::Batches),
            ("POST", "/v1beta/models/m:batchGenerateContent", O::Batches),
            ("GET", "/v1/responses/resp_1", O::Stored),
            ("DELETE", "/v1/responses/resp_1", O::Stored),
            ("POST", "/v1/responses/resp_1/cancel", O::Stored),
            ("GET", "/v1/chat/completions", O::Stored),
            ("POST", "/v1/threads/t/runs", O::Stored),
            ("POST", "/v1/assistants", O::Stored),
            ("POST", "/v1/conversations", O::Stored),
            ("POST", "/v1/vector_stores/vs_1/files", O::Stored),
            ("POST", "/v1/containers", O::Stored),
            ("POST", "/v1beta/cachedContents", O::Stored),
            ("GET", "/v1/fine_tuning/jobs", O::FineTuning),
            ("DELETE", "/v1/models/ft:gpt-4o", O::FineTuning),
            ("GET", "/v1/models", O::Models),
            ("POST", "/api/show", O::Models),
            ("POST", "/custom/complete-it", O::Unknown),
            ("POST", "/", O::Unknown),
            ("PUT", "/v1/organization/users", O::Unknown),
        ] {
            let method = method.parse().unwrap();
            assert_eq!(Operation::of(&method, path), operation, "{method} {path}");
        }
    }
}
