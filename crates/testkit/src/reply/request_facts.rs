//! Parses a request without evenkeel's parsers, so that tests do not compare a parser with itself.

use std::{borrow::Cow, sync::Arc};

use http::HeaderMap;
use serde::{Deserialize, de::IgnoredAny};

/// The header with the number of a scenario's call.
pub(crate) const CALL: &str = "x-scenario-call";

/// The headers that carry a credential.
pub(crate) const CREDENTIALS: [&str; 4] =
    ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// The API of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Api {
    #[default]
    Chat,
    Responses,
    Messages,
}

/// The fields of a request that decide its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestFacts {
    pub(crate) api: Api,
    pub(crate) model: Option<Arc<str>>,
    pub(crate) stream: bool,
    /// Whether it asks for usage in a stream.
    pub(crate) usage: bool,
    pub(crate) tools: bool,
    pub(crate) tool_names: Vec<Arc<str>>,
    pub(crate) messages: usize,
    /// The text of the last message, where it is the assistant's.
    pub(crate) prefill: Option<Arc<str>>,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) credential: bool,
    /// The number of its call in a scenario.
    pub(crate) call: Option<u64>,
    /// The length of the body in bytes.
    pub(crate) bytes: usize,
}

#[derive(Deserialize)]
struct ChatRequest<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(borrow, default)]
    tools: Option<Vec<Tool<'a>>>,
    #[serde(borrow, default)]
    messages: Option<Vec<Message<'a>>>,
    #[serde(default, alias = "max_completion_tokens", alias = "max_output_tokens")]
    max_tokens: Option<u64>,
}

/// A tool. Each API has its name in another field.
#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow, default)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Message<'a> {
    Turn {
        #[serde(borrow)]
        role: Cow<'a, str>,
        #[serde(default)]
        content: Option<MessageContent<'a>>,
    },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MessageContent<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

// === impl Api ===

impl Api {
    fn at(path: &str) -> Self {
        match path.split('?').next().unwrap_or(path) {
            path if path.ends_with("/responses") => Self::Responses,
            path if path.ends_with("/messages") => Self::Messages,
            _ => Self::Chat,
        }
    }
}

// === impl Tool ===

impl Tool<'_> {
    fn name(self) -> Option<Arc<str>> {
        let name = self.function.and_then(|function| function.name).or(self.name).or(self.r#type);
        name.map(|name| name.into())
    }
}

// === impl RequestFacts ===

impl RequestFacts {
    /// Parses a request. A body that is not a chat request leaves its fields at their defaults.
    pub(crate) fn read(path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let api = Api::at(path);
        let credential = CREDENTIALS.iter().any(|name| headers.contains_key(*name));
        let call = headers.get(CALL).and_then(|value| value.to_str().ok()?.parse().ok());
        let bytes = body.len();
        let Ok(chat) = serde_json::from_slice::<ChatRequest<'_>>(body) else {
            return Self { api, credential, call, bytes, ..Self::default() };
        };
        let tools = chat.tools.unwrap_or_default();
        Self {
            api,
            model: chat.model.map(|model| model.into()),
            stream: chat.stream.unwrap_or(false),
            usage: chat.stream_options.is_some_and(|options| options.include_usage),
            tools: !tools.is_empty(),
            tool_names: tools.into_iter().filter_map(Tool::name).collect(),
            prefill: chat.messages.as_deref().and_then(prefill),
            messages: chat.messages.map_or(0, |messages| messages.len()),
            max_tokens: chat.max_tokens,
            credential,
            call,
            bytes,
        }
    }
}

fn prefill(messages: &[Message<'_>]) -> Option<Arc<str>> {
    match messages.last()? {
        Message::Turn { role, content } if role == "assistant" => Some(match content {
            Some(MessageContent::Text(text)) => (&**text).into(),
            _ => "".into(),
        }),
        _ => None,
    }
}
