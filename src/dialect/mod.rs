//! The wire languages of AI APIs: what a request asks for, what an answer or a stream says, how a reply of ours looks.
//!
//! Nobody has to choose a dialect: it is told by the path of the request. A request to any other path is passed through;
//! its answer is then judged by status and headers alone.
//!
//! A server with paths of its own, such as `/custom/complete`, is told about: by
//! [`Target::dialect`](crate::fallback::Target::dialect) for all calls that go there, by a [`Dialect`] in the extensions of
//! a request for that call. The request is then read and rewritten, its answer followed and a canned reply rendered in that
//! dialect. Nothing is translated: all targets of a call speak what its caller speaks.
//!
//! # Defaults
//!
//! Told by the path, with anything before it and on any host:
//!
//! | path | dialect | its streams |
//! |---|---|---|
//! | `…/chat/completions` | [`OpenAiChat`](Dialect::OpenAiChat) | events |
//! | `…/responses` | [`OpenAiResponses`](Dialect::OpenAiResponses) | events |
//! | `…/v1/messages` | [`Anthropic`](Dialect::Anthropic) | events |
//! | `…/models/M:generateContent`, `…/models/M:streamGenerateContent` | [`Gemini`](Dialect::Gemini) | events with `alt=sse`, else one JSON array |
//! | `…/api/chat`, `…/api/generate` | [`Ollama`](Dialect::Ollama) | JSON by the line, unless `"stream":false` |
//!
//! The model is the one in the body. In a path of Gemini, and in one of Azure (`/openai/deployments/…/chat/completions`),
//! it is the one in the path.
//!
//! ```
//! use bytes::Bytes;
//! use evenkeel::dialect::{RequestInfo, Dialect};
//!
//! let body = Bytes::from(r#"{"model":"gpt-4o-mini","stream":true,"messages":[]}"#);
//! let request = http::Request::post("https://api.example/v1/chat/completions").body(body)?;
//! let ask = RequestInfo::read(&request);
//! assert_eq!(ask.dialect(), Some(Dialect::OpenAiChat));
//! assert_eq!(ask.model(), Some("gpt-4o-mini"));
//! assert!(ask.stream());
//! # Ok::<(), http::Error>(())
//! ```
//!
//! For a server with a path of its own:
//!
//! ```
//! use evenkeel::{Client, dialect::Dialect, fallback::Target};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! // Every call to it, wherever it is addressed: `Target::here()` is the host that the caller addressed.
//! let client = Client::builder().primary(Target::here().dialect(Dialect::OpenAiChat)).build()?;
//!
//! // One call.
//! let mut request = http::Request::post("https://api.example/custom/complete").body(bytes::Bytes::new()).unwrap();
//! request.extensions_mut().insert(Dialect::OpenAiChat);
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! # The map
//!
//! A folder for each API reads its answers and renders replies in it: [`OpenAiChat`](Dialect::OpenAiChat),
//! [`OpenAiResponses`](Dialect::OpenAiResponses), [`Anthropic`](Dialect::Anthropic), [`Gemini`](Dialect::Gemini),
//! [`Ollama`](Dialect::Ollama). What holds in all of them:
//!
//! | what | file | what is in it |
//! |---|---|---|
//! | a request, read | `ask` | what it asks for: dialect, model, stream, limits |
//! | | `operation`, `effects` | what it does at its provider, what may be repeated, and who else may answer |
//! | | `ties`, `names` | what it names that is kept at one account; the names of unknown paths |
//! | | `path` | the dialect by the path, and where the API's own part of it begins |
//! | a request, changed | `model` | another model |
//! | | `draft/` | less of it: tools, images, turns, a cap on the answer; what it needs of a model |
//! | | `prefill` | the beginning of the answer, to go on from |
//! | an answer, read | `follower`, `progress` | a stream, event by event, to its end |
//! | | `whole` | an answer in one piece |
//! | | `usage` | what it cost |
//! | | `words` | what an event says, for whoever goes on with it |
//! | an answer, made | `said`, `reply` | a reply of ours: what it says, and what all of them share |
//! | | `restream/` | an answer in one piece, as the stream of it |
//! | | `seam` | the stream of one answer, joined to that of another |
//! | JSON | `json` | read: the fields we know, nothing copied |
//! | | `tree/` | changed in places: what nobody touches keeps its bytes |
//!
//! # Changes
//!
//! The ladder changes requests in their dialect: another model, a cap on the tokens of the answer, without tools, images, a
//! stream or the oldest turns ([`Edit`](crate::fallback::Edit)). Only what is changed is written anew: every other value keeps
//! its bytes, so that no number, escape or unknown field is lost. Where nothing is changed, the body is the same.
//!
//! An answer that was asked in one piece is told as the stream of its dialect to a caller who streams, whole at once, with
//! the calls of tools, reasons to end, usage and fields unknown here where the streams of the dialect have them.
//!
//! # Events
//!
//! None. What an answer cost is told by the [`Usage`] in the extensions of its response.
//!
//! # Pitfalls
//!
//! A stream of chat completions tells its usage only where the request asks for it (`stream_options.include_usage`), and
//! only at its end. Cohere v2 (`…/v2/chat`) and Bedrock (`…/model/M/converse-stream`) are passed through: an error inside
//! their streams, or a cut that the connection does not show, is not seen. What was read from a cache is input of Anthropic's
//! too, as it is of the others.

mod anthropic;
mod effects;
mod follower;
mod gemini;
mod json;
mod model;
mod names;
mod ollama;
mod openai_chat;
mod openai_responses;
mod operation;
mod path;
mod prefill;
mod progress;
mod reply;
mod request_editor;
mod request_info;
mod restream;
mod said;
mod splice;
#[cfg(test)]
mod tests;
mod ties;
mod tree;
mod usage;
mod whole;
mod words;

pub(crate) use effects::{Effects, Elsewhere};
pub(crate) use follower::Follower;
pub(crate) use gemini::{Place, unstream as unstream_path};
pub use operation::Operation;
pub(crate) use path::endpoint;
pub use prefill::Prefill;
pub(crate) use progress::Expected;
pub(crate) use request_editor::{RequestEditor, Which};
pub(crate) use request_info::Form;
pub use request_info::RequestInfo;
pub(crate) use said::Said;
pub(crate) use splice::{Fit, StreamSplicer};
pub use usage::{Tokens, Usage};
pub(crate) use words::is_filled;

use crate::{
    Request, Response,
    outcome::{Outcome, Verdict},
};

/// The wire language of an API. Put one into a request's extensions to set it for that call, whatever its path says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI chat completions, and every server compatible with them: `…/chat/completions`.
    OpenAiChat,
    /// OpenAI responses: `…/responses`.
    OpenAiResponses,
    /// Anthropic messages: `…/v1/messages`.
    Anthropic,
    /// Gemini: `…/models/M:generateContent`, and `:streamGenerateContent` as events or as one JSON array.
    Gemini,
    /// Ollama: `…/api/chat` and `…/api/generate`.
    Ollama,
}

/// How the streams of a dialect tell one event from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Events,
    /// The same, or one JSON array, whichever was asked.
    EventsOrArray,
    /// JSON by the line.
    Lines,
}

// === impl Dialect ===

impl Dialect {
    /// What an answer that was not streamed came to (a success, or blocked), or why it is none (empty, malformed, cut, an
    /// error inside a 200); and what it cost.
    pub(crate) fn check(
        self,
        expected: impl Into<Expected>,
        body: &[u8],
    ) -> (Result<Outcome, Verdict>, Option<Tokens>) {
        match self {
            Self::OpenAiChat => openai_chat::check(expected, body),
            Self::OpenAiResponses => openai_responses::check(expected, body),
            Self::Anthropic => anthropic::check(expected, body),
            Self::Gemini => gemini::check(expected, body),
            Self::Ollama => ollama::check(expected, body),
        }
    }

    /// How its streams tell one event from the next.
    pub(crate) fn framing(self) -> Framing {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses | Self::Anthropic => Framing::Events,
            Self::Gemini => Framing::EventsOrArray,
            Self::Ollama => Framing::Lines,
        }
    }

    /// Asks another model. The rest of the request stays as it was, in its order.
    pub(crate) fn with_model(self, request: &mut Request, model: &str) {
        match self {
            Self::Gemini => gemini::with_model(request.uri_mut(), model),
            Self::OpenAiChat | Self::OpenAiResponses | Self::Anthropic | Self::Ollama => {
                *request.body_mut() = model::with_model(request.body(), model);
            }
        }
    }

    /// A text as an answer of this API, as JSON or as a stream, whichever was asked.
    pub(crate) fn render<'a>(self, said: impl Into<Said<'a>>, ask: &RequestInfo) -> Response {
        let said = said.into();
        match self {
            Self::OpenAiChat => openai_chat::render(said, ask),
            Self::OpenAiResponses => openai_responses::render(said, ask),
            Self::Anthropic => anthropic::render(said, ask),
            Self::Gemini => gemini::render(said, ask),
            Self::Ollama => ollama::render(said, ask),
        }
    }
}
