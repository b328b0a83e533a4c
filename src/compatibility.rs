//! What a target accepts of the fields of its dialect.

use std::sync::LazyLock;

use crate::dialect::{Dialect, FieldChange};

/// What a target accepts of the fields of its dialect. Providers that are compatible with an API do not take all of its fields,
/// and some reject a request for a field that they do not know.
///
/// A request for the call's own first target is never changed. For a fallback the compatibility is guessed by host and model,
/// unless [`Target::compatibility`](crate::fallback::Target::compatibility) sets it; a host that is not known takes everything.
///
/// Every other byte of a request stays. The fields that decide what is asked are never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compatibility {
    /// Takes every field.
    Full,
    /// Mistral (`*.mistral.ai`): `max_tokens` and `random_seed` by these names, no role `developer`, and a 422 for every field that
    /// is not its own, such as `store`, `stream_options`, `reasoning_effort`, `metadata` and `user`.
    Mistral,
    /// The reasoning models of OpenAI (`gpt-5…`, `o1…`, `o3…`, `o4…` at `api.openai.com` and Azure): `max_completion_tokens` by this
    /// name, and no sampling parameters.
    OpenAiReasoning,
    /// Claude models from 4.7 on, in the dialect of Anthropic: no `temperature`, `top_p` and `top_k`.
    ClaudeWithoutSampling,
    /// Groq (`*.groq.com`): no `logprobs`, `top_logprobs` and `logit_bias`.
    Groq,
    /// Gemini's path for OpenAI chat completions: no fields that it does not know, such as `seed`, `store`, `metadata` and `user`.
    GeminiCompatible,
    /// Servers without the role `developer`: DeepSeek, Moonshot, xAI. Its messages become those of `system`.
    SystemRole,
}

/// The names, for configuration files.
const NAMES: [(&str, Compatibility); 7] = [
    ("full", Compatibility::Full),
    ("mistral", Compatibility::Mistral),
    ("openai-reasoning", Compatibility::OpenAiReasoning),
    ("claude-without-sampling", Compatibility::ClaudeWithoutSampling),
    ("groq", Compatibility::Groq),
    ("gemini-compatible", Compatibility::GeminiCompatible),
    ("system-role", Compatibility::SystemRole),
];

static MISTRAL: LazyLock<Vec<FieldChange>> = LazyLock::new(|| {
    let mut changes = vec![
        FieldChange::DeveloperAsSystem,
        FieldChange::rename("max_completion_tokens", "max_tokens"),
        FieldChange::rename("seed", "random_seed"),
        FieldChange::drop_null("parallel_tool_calls"),
    ];
    changes.extend(dropped(&[
        "store",
        "stream_options",
        "reasoning_effort",
        "verbosity",
        "metadata",
        "user",
        "safety_identifier",
        "service_tier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "logit_bias",
        "logprobs",
        "top_logprobs",
    ]));
    changes
});

static OPENAI_REASONING: LazyLock<Vec<FieldChange>> = LazyLock::new(|| {
    let mut changes = vec![
        FieldChange::rename("max_tokens", "max_completion_tokens"),
        FieldChange::drop_unless("temperature", "1"),
        FieldChange::drop_unless("top_p", "1"),
    ];
    changes.extend(dropped(&[
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
    ]));
    changes
});

static CLAUDE: LazyLock<Vec<FieldChange>> =
    LazyLock::new(|| dropped(&["temperature", "top_p", "top_k"]).collect());

static GROQ: LazyLock<Vec<FieldChange>> =
    LazyLock::new(|| dropped(&["logprobs", "top_logprobs", "logit_bias"]).collect());

static GEMINI: LazyLock<Vec<FieldChange>> = LazyLock::new(|| {
    let unknown = [
        "seed",
        "store",
        "metadata",
        "user",
        "service_tier",
        "safety_identifier",
        "prompt_cache_key",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
    ];
    dropped(&unknown).collect()
});

static SYSTEM_ROLE: LazyLock<Vec<FieldChange>> =
    LazyLock::new(|| vec![FieldChange::DeveloperAsSystem]);

fn dropped(fields: &[&'static str]) -> impl Iterator<Item = FieldChange> {
    fields.iter().map(|field| FieldChange::drop(*field))
}

// === impl Compatibility ===

impl Compatibility {
    /// The compatibility of that name in a configuration file: `full`, `mistral`, `openai-reasoning`, `claude-without-sampling`,
    /// `groq`, `gemini-compatible` or `system-role`.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, compatibility)| *compatibility)
    }

    /// All names, for an error message.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The compatibility of a target by its host (with or without a port) and its model.
    pub fn guess(host: &str, model: &str, dialect: Dialect) -> Self {
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
        let at = |domain: &str| {
            host.strip_suffix(domain).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
        };
        let chat = dialect == Dialect::OpenAiChat;
        match dialect {
            Dialect::Anthropic if is_late_claude(model) => Self::ClaudeWithoutSampling,
            _ if chat && at("mistral.ai") => Self::Mistral,
            _ if chat && at("groq.com") => Self::Groq,
            _ if chat && at("generativelanguage.googleapis.com") => Self::GeminiCompatible,
            _ if chat
                && ["deepseek.com", "moonshot.ai", "moonshot.cn", "x.ai"].into_iter().any(at) =>
            {
                Self::SystemRole
            }
            _ if chat && (at("api.openai.com") || at("openai.azure.com")) && reasons(model) => {
                Self::OpenAiReasoning
            }
            _ => Self::Full,
        }
    }

    /// The changes of a request.
    pub(crate) fn changes(self) -> &'static [FieldChange] {
        match self {
            Self::Full => &[],
            Self::Mistral => &MISTRAL,
            Self::OpenAiReasoning => &OPENAI_REASONING,
            Self::ClaudeWithoutSampling => &CLAUDE,
            Self::Groq => &GROQ,
            Self::GeminiCompatible => &GEMINI,
            Self::SystemRole => &SYSTEM_ROLE,
        }
    }
}

/// Whether a model of OpenAI reasons.
fn reasons(model: &str) -> bool {
    let chat = model.starts_with("gpt-5") && model.contains("chat");
    !chat && ["gpt-5", "o1", "o3", "o4"].iter().any(|start| model.starts_with(start))
}

/// Whether a model is a Claude of version 4.7 or later: `claude-opus-4-7`, `claude-sonnet-5`. Older ones name the version before
/// the family.
fn is_late_claude(model: &str) -> bool {
    let Some(at) = model.find("claude-") else { return false };
    let mut parts = model[at + "claude-".len()..].split(['-', '@', ':']);
    let family = parts.next().unwrap_or_default();
    let mut number = || parts.next().filter(|part| part.len() <= 2)?.parse::<u32>().ok();
    let version = (number(), number().unwrap_or_default());
    !family.starts_with(|c: char| c.is_ascii_digit())
        && version.0.is_some_and(|major| (major, version.1) >= (4, 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compatibility_is_guessed_by_host_and_model() {
        use Compatibility as C;
        let chat = Dialect::OpenAiChat;
        for (host, model, dialect, expected) in [
            ("api.mistral.ai", "mistral-small-latest", chat, C::Mistral),
            ("API.Mistral.ai:443", "m", chat, C::Mistral),
            ("notmistral.ai", "m", chat, C::Full),
            ("api.openai.com", "gpt-5-mini", chat, C::OpenAiReasoning),
            ("api.openai.com", "o3", chat, C::OpenAiReasoning),
            ("api.openai.com", "gpt-4o", chat, C::Full),
            ("api.openai.com", "gpt-5-chat-latest", chat, C::Full),
            ("mine.openai.azure.com", "o4-mini", chat, C::OpenAiReasoning),
            ("api.groq.com", "m", chat, C::Groq),
            ("generativelanguage.googleapis.com", "gemini-3", chat, C::GeminiCompatible),
            ("generativelanguage.googleapis.com", "gemini-3", Dialect::Gemini, C::Full),
            ("api.deepseek.com", "m", chat, C::SystemRole),
            ("api.x.ai", "grok", chat, C::SystemRole),
            ("api.anthropic.com", "claude-opus-4-7", Dialect::Anthropic, C::ClaudeWithoutSampling),
            (
                "x",
                "eu.anthropic.claude-sonnet-5-20260901",
                Dialect::Anthropic,
                C::ClaudeWithoutSampling,
            ),
            ("api.anthropic.com", "claude-sonnet-4-5-20250929", Dialect::Anthropic, C::Full),
            ("api.anthropic.com", "claude-sonnet-4-20250514", Dialect::Anthropic, C::Full),
            ("api.anthropic.com", "claude-3-5-sonnet-20241022", Dialect::Anthropic, C::Full),
            ("localhost:8080", "m", chat, C::Full),
        ] {
            assert_eq!(Compatibility::guess(host, model, dialect), expected, "{host} {model}");
        }
    }

    #[test]
    fn every_change_is_allowed_and_every_name_is_known() {
        for (name, compatibility) in NAMES {
            assert_eq!(Compatibility::named(name), Some(compatibility));
            let fields = compatibility.changes().iter();
            for change in fields.filter(|change| **change != FieldChange::DeveloperAsSystem) {
                assert_eq!(change.check(), Ok(()), "{name} {}", change.field());
            }
        }
        assert_eq!(Compatibility::named("x"), None);
    }
}
