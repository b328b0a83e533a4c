//! The names of providers in spans and events.

use std::{fmt, ops::Deref, sync::Arc};

use super::name::shown;
use crate::dialect::Dialect;

/// The name of a provider in spans and events: the well-known name of its host in the OpenTelemetry conventions, such as `openai`
/// or `mistral_ai`; else the name that is [given to the target](crate::fallback::Target::provider); else the name of the dialect
/// that it speaks, or `other`. Never a host or a port.
///
/// ```
/// # use evenkeel::telemetry::ProviderName;
/// assert_eq!(&*ProviderName::of_host("api.mistral.ai").unwrap(), "mistral_ai");
/// assert_eq!(ProviderName::of_host("10.0.0.7"), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProviderName(Name);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    Known(&'static str),
    Given(Arc<str>),
}

/// The hosts with a well-known name. A host that begins with a dot stands for all hosts that end in it.
const HOSTS: [(&str, &str); 24] = [
    ("api.openai.com", "openai"),
    (".api.openai.com", "openai"),
    (".openai.azure.com", "azure.ai.openai"),
    (".cognitiveservices.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    (".models.ai.azure.com", "azure.ai.inference"),
    (".inference.ai.azure.com", "azure.ai.inference"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("-aiplatform.googleapis.com", "gcp.vertex_ai"),
    (".aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("api.mistral.ai", "mistral_ai"),
    ("codestral.mistral.ai", "mistral_ai"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "x_ai"),
    (".api.x.ai", "x_ai"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.perplexity.ai", "perplexity"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.moonshot.cn", "moonshot_ai"),
    (".ml.cloud.ibm.com", "ibm.watsonx.ai"),
];

// === impl ProviderName ===

impl ProviderName {
    /// The well-known name of the provider at a host.
    pub fn of_host(host: &str) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let bedrock = host.starts_with("bedrock-") && host.contains(".amazonaws.com");
        let known = HOSTS.iter().find(|(known, _)| match known.starts_with(['.', '-']) {
            true => host.ends_with(known),
            false => host == *known,
        });
        let name = known.map(|(_, name)| *name).or(bedrock.then_some("aws.bedrock"))?;
        Some(Self(Name::Known(name)))
    }

    /// The name of the provider of a request: by its host, else as `given`, else by its dialect.
    pub(crate) fn of(uri: &http::Uri, given: Option<&Arc<str>>, dialect: Option<Dialect>) -> Self {
        let known = uri.host().and_then(Self::of_host);
        known.or_else(|| given.cloned().map(|name| Self(Name::Given(name)))).unwrap_or_else(|| {
            Self(Name::Known(match dialect {
                Some(Dialect::OpenAiChat | Dialect::OpenAiResponses) => "openai",
                Some(Dialect::Anthropic) => "anthropic",
                Some(Dialect::Gemini) => "gcp.gemini",
                Some(Dialect::Ollama) => "ollama",
                _ => "other",
            }))
        })
    }

    /// A given name, safe to show.
    pub(crate) fn given(name: &str) -> Arc<str> {
        shown(name).into()
    }
}

impl Deref for ProviderName {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Name::Known(name) => name,
            Name::Given(name) => name,
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_decides_then_the_given_name_then_the_dialect() {
        let name = |uri: &'static str, given: Option<&str>, dialect| {
            let given = given.map(ProviderName::given);
            ProviderName::of(&http::Uri::from_static(uri), given.as_ref(), dialect).to_string()
        };
        for (host, expected) in [
            ("https://API.OpenAI.com/v1", "openai"),
            ("https://eu.api.openai.com/v1", "openai"),
            ("https://team.openai.azure.com/openai", "azure.ai.openai"),
            ("https://europe-west4-aiplatform.googleapis.com/v1", "gcp.vertex_ai"),
            ("https://bedrock-runtime.eu-central-1.amazonaws.com", "aws.bedrock"),
            ("https://api.moonshot.cn/v1", "moonshot_ai"),
        ] {
            assert_eq!(name(host, Some("ours"), Some(Dialect::OpenAiChat)), expected);
        }
        let own = "http://10.0.0.7:8000/v1";
        assert_eq!(name(own, Some("vllm"), Some(Dialect::OpenAiChat)), "vllm");
        assert_eq!(name(own, None, Some(Dialect::Anthropic)), "anthropic");
        assert_eq!(name(own, None, None), "other");
        assert_eq!(name("https://evil-api.openai.com.example/v1", None, None), "other");
        assert_eq!(name("https://notapi.x.ai/v1", None, None), "other");
    }
}
