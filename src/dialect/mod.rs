//! The wire languages of AI APIs: parsing of requests, answers and streams, and rendering of replies.
//!
//! You do not choose a dialect: it follows from the path of the request. A request to any other path is passed through; its
//! answer is then classified by status and headers alone.
//!
//! For a server with unusual paths, such as `/custom/complete`, declare the dialect: by
//! [`Target::dialect`](crate::fallback::Target::dialect) for all calls to that target, or by a [`Dialect`] in the extensions of a
//! request for that call. Requests are then parsed and rewritten, answers parsed and canned replies rendered in that dialect.
//! Nothing is translated: all targets of a call must speak the dialect of its caller.
//!
//! # Defaults
//!
//! By the path, with any prefix and on any host:
//!
//! | path | dialect | streams |
//! |---|---|---|
//! | `…/chat/completions` | [`OpenAiChat`](Dialect::OpenAiChat) | events |
//! | `…/responses` | [`OpenAiResponses`](Dialect::OpenAiResponses) | events |
//! | `…/v1/messages` | [`Anthropic`](Dialect::Anthropic) | events |
//! | `…/models/M:generateContent`, `…/models/M:streamGenerateContent` | [`Gemini`](Dialect::Gemini) | events with `alt=sse`, else one JSON array |
//! | `…/api/chat`, `…/api/generate` | [`Ollama`](Dialect::Ollama) | one JSON object per line, unless `"stream":false` |
//!
//! The model is read from the body; for Gemini and Azure (`/openai/deployments/…/chat/completions`), from the path.
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
//! For a server with an unusual path:
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
//! The implementation is in [`evenkeel_dialect`], which can be used alone.
//!
//! # Changes
//!
//! Fallbacks change requests in their dialect: another model, a cap on the tokens of the answer, without tools, images, a stream
//! or the oldest turns ([`Edit`](crate::fallback::Edit)). Only changed values are rewritten: every other value keeps its bytes,
//! so that no number, escape or unknown field is lost. If nothing is changed, the body is the same.
//!
//! An answer in one piece is converted to a stream of its dialect for a caller who streams, all at once, with the tool calls,
//! finish reasons, usage and unknown fields, as far as streams of the dialect have them. A stream is converted to an answer in one
//! piece for a caller who does not stream.
//!
//! # Events
//!
//! None. The cost of an answer is reported by the [`Usage`] in the extensions of its response.
//!
//! # Pitfalls
//!
//! A stream of chat completions reports its usage only if the request asks for it (`stream_options.include_usage`), and only at
//! its end. Cohere v2 (`…/v2/chat`) and Bedrock (`…/model/M/converse-stream`) are passed through: an error inside their streams,
//! or a cut that the connection does not show, is not detected. Tokens read from a prompt cache count as input for Anthropic too,
//! as for the others.

mod usage_handle;

pub use usage_handle::UsageHandle;

#[doc(inline)]
pub use evenkeel_dialect::{
    AnswerForm, AnswerInfo, Dialect, Effects, ErrorReply, ErrorTail, EventBlock, EventBlocks,
    Expected, FaultReply, Operation, Prefill, RequestInfo, Sampling, StreamFraming, SyntheticReply,
    TargetDifference, Usage,
};
pub(crate) use evenkeel_dialect::{
    AnswerSummary, BodyForm, FieldChange, FrameSummary, Mark, MarkScanner, ModelPath,
    RequestEditor, ResumableStream, StreamMonitor, ToolFilter, change_fields, endpoint, field_json,
    outcome::{RejectedField, RejectedScope},
    unstream_path,
};
