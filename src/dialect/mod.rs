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
//! // Every call to it, wherever it is addressed: `Target::same_host()` is the host that the caller addressed.
//! let client = Client::builder().primary(Target::same_host().dialect(Dialect::OpenAiChat)).build()?;
//!
//! // One call.
//! let mut request = http::Request::post("https://api.example/custom/complete").body(bytes::Bytes::new()).unwrap();
//! request.extensions_mut().insert(Dialect::OpenAiChat);
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! All of it is in [`evenkeel_dialect`], which can be used alone.
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

mod usage_handle;

pub use usage_handle::UsageHandle;

#[doc(inline)]
pub use evenkeel_dialect::{
    AnswerForm, Dialect, Effects, ErrorReply, ErrorTail, Expected, Operation, Prefill, RequestInfo,
    StreamFraming, SyntheticReply, TargetDifference, Usage,
};
pub(crate) use evenkeel_dialect::{
    AnswerSummary, FrameSummary, ModelPath, RequestEditor, ResumableStream, StreamMonitor,
    ToolFilter, endpoint, unstream_path,
};
