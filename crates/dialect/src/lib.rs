//! The languages of the AI APIs: what a request asks for, what an answer holds, what its end means.
//!
//! Bytes in, bytes out: nothing here waits, connects or needs a runtime. [`evenkeel`](https://docs.rs/evenkeel) is built on it; use
//! it alone to read or to make such requests and answers yourself.
//!
//! | API | dialect | framing of its streams |
//! |---|---|---|
//! | OpenAI chat completions, and the servers compatible with them | [`Dialect::OpenAiChat`] | server-sent events |
//! | OpenAI responses | [`Dialect::OpenAiResponses`] | server-sent events |
//! | Anthropic messages | [`Dialect::Anthropic`] | server-sent events |
//! | Gemini | [`Dialect::Gemini`] | server-sent events with `alt=sse`, else one JSON array |
//! | Ollama | [`Dialect::Ollama`] | one JSON object per line |
//!
//! ```
//! use bytes::Bytes;
//! use evenkeel_dialect::{Dialect, RequestInfo, StreamMonitor, outcome::{ErrorCodeTable, Outcome}};
//!
//! let body = Bytes::from(r#"{"model":"gpt-4o-mini","stream":true,"messages":[]}"#);
//! let request = http::Request::post("https://api.example/v1/chat/completions").body(body)?;
//! let info = RequestInfo::read(&request);
//! assert_eq!((info.dialect(), info.model()), (Some(Dialect::OpenAiChat), Some("gpt-4o-mini")));
//!
//! let mut monitor = StreamMonitor::new(Dialect::OpenAiChat, &ErrorCodeTable::default());
//! let summary = monitor.feed(b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n");
//! assert_eq!(summary.content, 1);
//! assert_eq!(monitor.outcome(), Outcome::Truncated, "no finish reason has arrived");
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # The map
//!
//! A folder for each API reads its answers and renders replies in it: `openai_chat`, `openai_responses`, `anthropic`, `gemini`,
//! `ollama`. What holds in all of them:
//!
//! | what | file | what is in it |
//! |---|---|---|
//! | a request, read | `request_info`, `answer_form` | what it asks for: dialect, model, stream, limits |
//! | | `operation`, `effects` | what it does at its provider, what may be repeated, and who else may answer |
//! | | `ties`, `names` | what it names that is kept at one account; the names of unknown paths |
//! | | `path`, `model_path` | the dialect by the path, and where the API's own part of it begins; the model in a path |
//! | a request, changed | `model` | another model |
//! | | `request_editor/` | less of it: tools, images, turns, a cap on the answer; what it requires of a model |
//! | | `prefill` | the beginning of the answer, to go on from |
//! | an answer, read | `decode/` | where one event of a stream ends and the next begins |
//! | | `events/` | one event of an answer, in a model that all dialects share |
//! | | `reader`, `event_json` | each event, and each answer in one piece, read once into that |
//! | | `answer_state` | the state of an answer while it arrives: content, outcome, cost |
//! | | `monitor`, `answer` | a stream, event by event, to its end; an answer in one piece |
//! | | `answer_summary` | all that a whole answer holds |
//! | | `splice`, `resumable/` | a stream that another answer can follow |
//! | an answer, made | `synthetic`, `render`, `reply` | a reply of ours: its text, and what all of them share |
//! | | `to_stream/` | an answer in one piece, as the stream of it |
//! | an error of ours | `error_reply` | an error as an answer, or as an event of a stream |
//! | | `error_tail` | the stream that broke, ended with it |
//! | what it means | [`outcome`] | the vocabulary of outcomes, and how errors are read |
//! | JSON | `json` | read: the known fields, nothing copied |
//! | | `tree/` | changed in places: what is not changed keeps its bytes |

mod answer;
mod answer_form;
mod answer_state;
mod answer_summary;
mod anthropic;
mod decode;
mod dialect;
mod effects;
mod error_reply;
mod error_tail;
mod event_json;
mod events;
mod gemini;
mod json;
mod lazy_json;
mod model;
mod model_path;
mod monitor;
mod names;
mod ollama;
mod openai_chat;
mod openai_responses;
mod operation;
pub mod outcome;
mod path;
mod prefill;
mod reader;
mod render;
mod reply;
mod request_editor;
mod request_info;
mod resumable;
mod splice;
mod synthetic;
#[cfg(test)]
mod tests;
mod ties;
mod to_stream;
mod usage;
mod wire;

pub use answer_form::AnswerForm;
pub use answer_state::{Expected, FrameSummary};
pub use answer_summary::AnswerSummary;
pub use dialect::{Dialect, StreamFraming};
pub use effects::{Effects, TargetDifference};
pub use error_reply::ErrorReply;
pub use error_tail::ErrorTail;
pub use model_path::{ModelPath, unstream_path};
pub use monitor::StreamMonitor;
pub use operation::Operation;
pub use path::endpoint;
pub use prefill::Prefill;
pub use request_editor::{DoesNotFit, RequestEditor, Requirements, ToolFilter};
pub use request_info::RequestInfo;
pub use resumable::{ReadOutcome, ResumableStream};
pub use synthetic::SyntheticReply;
pub use usage::Usage;
pub use wire::{Request, Response};
