//! The dialects of the AI APIs: what a request asks for, what an answer contains, and how it ended.
//!
//! The crate parses and renders bytes: nothing in it waits, connects or needs a runtime. [`evenkeel`](https://docs.rs/evenkeel)
//! is built on it; use it alone to parse or render such requests and answers yourself.
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
//! # The files
//!
//! Each API has a folder that parses its answers and renders replies: `openai_chat`, `openai_responses`, `anthropic`, `gemini`,
//! `ollama`. The parts that all APIs share:
//!
//! | area | file | content |
//! |---|---|---|
//! | a request, parsed | `request_info`, `wanted`, `sampling`, `answer_form` | what it asks for: dialect, model, stream, limits |
//! | | `operation`, `effects` | its operation at the provider, whether it may be repeated, and who else may answer it |
//! | | `ties`, `names` | references to things that one account stores; the names of unknown paths |
//! | | `path`, `model_path` | the dialect of a path, and the start of the API's own part of it; the model in a path |
//! | a request, changed | `model` | another model |
//! | | `request_editor/` | a reduced request: tools, images, turns, a cap on the answer; its requirements of a model |
//! | | `request_fields/` | single fields: another name, another value, or none |
//! | | `prefill` | the start of the answer, for the model to continue |
//! | an answer, parsed | `decode/` | splits a stream into events |
//! | | `events/` | one event of an answer, in a model for all dialects |
//! | | `reader`, `event_json` | parses each event, and each unstreamed answer, once into that model |
//! | | `answer_state` | the state of an answer while it arrives: content, outcome, usage |
//! | | `monitor`, `answer`, `plain_answer` | follows a stream to its end; classifies an unstreamed answer; one of no dialect |
//! | | `answer_info`, `usage` | the facts of an answer: its id, model, finish reasons and tokens |
//! | | `answer_summary` | the content of a whole answer |
//! | | `splice`, `resumable/` | a stream that another answer can follow |
//! | an answer, rendered | `synthetic`, `render`, `reply` | a reply that is made here: its text, and the fields that all replies share |
//! | | `to_stream/` | converts an unstreamed answer to a stream |
//! | | `to_whole/`, `body_form` | converts a stream to an unstreamed answer; the form of a body by its first bytes |
//! | an error, rendered | `error_reply` | an error of evenkeel as an answer, or as an event of a stream |
//! | | `error_tail`, `response_progress` | ends a broken stream with an error event; where a response stands |
//! | a fault, rendered | `fault_reply` | the failures of providers, in the shape of each API |
//! | | `event_blocks` | the events of a stream, each with its bytes |
//! | outcomes | [`outcome`] | the vocabulary of outcomes, and the classification of errors |
//! | JSON | `json` | parses the known fields, without copies |
//! | | `density` | the number of values in a body, counted without parsing it |
//! | | `json_parts` | the fields of an object and the items of a list, each as its text |
//! | | `tree/` | changes values in place: unchanged values keep their bytes |

mod answer;
mod answer_form;
mod answer_info;
mod answer_state;
mod answer_summary;
mod anthropic;
mod body_form;
mod decode;
mod density;
mod dialect;
mod effects;
mod error_reply;
mod error_tail;
mod event_blocks;
mod event_json;
mod events;
mod expected;
mod fault_reply;
mod frame_summary;
mod gemini;
mod json;
mod json_parts;
mod lazy_json;
mod marks;
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
mod plain_answer;
mod prefill;
mod reader;
mod render;
mod reply;
mod request_editor;
mod request_fields;
mod request_info;
mod response_progress;
mod resumable;
mod sampling;
mod splice;
mod synthetic;
#[cfg(test)]
mod tests;
mod ties;
mod to_stream;
mod to_whole;
mod usage;
mod wanted;
mod wire;

pub use answer_form::AnswerForm;
pub use answer_info::AnswerInfo;
pub use answer_summary::AnswerSummary;
pub use body_form::BodyForm;
pub use density::MAX_VALUES;
pub use dialect::{Dialect, StreamFraming};
pub use effects::{Effects, TargetDifference};
pub use error_reply::ErrorReply;
pub use error_tail::ErrorTail;
pub use event_blocks::{EventBlock, EventBlocks};
pub use expected::Expected;
pub use fault_reply::FaultReply;
pub use frame_summary::FrameSummary;
pub use marks::{Mark, MarkScanner};
pub use model_path::{ModelPath, unstream_path};
pub use monitor::StreamMonitor;
pub use operation::Operation;
pub use path::endpoint;
pub use prefill::Prefill;
pub use request_editor::{DoesNotFit, RequestEditor, Requirements, ToolFilter};
pub use request_fields::{ChangedFields, FieldChange, change_fields, field_json};
pub use request_info::RequestInfo;
pub use resumable::{ReadOutcome, ResumableStream};
pub use sampling::Sampling;
pub use synthetic::SyntheticReply;
pub use usage::Usage;
pub use wire::{Request, Response};
