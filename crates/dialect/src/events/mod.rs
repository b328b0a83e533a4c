//! One event of an answer, in a model for all dialects.
//!
//! The reader of a dialect parses each event once, into one [`AnswerEvent`]; an answer that was not streamed is also one event,
//! with all of its content. Everything that needs information about an answer folds over these events, and does not parse JSON
//! itself:
//!
//! | fold | result |
//! |---|---|
//! | `answer_state` | content for the timeouts, the outcome, the usage |
//! | `answer_summary` | text, model and usage of a whole answer, and whether it has anything else |
//! | `resumable/` | the text that another answer can continue, and the changes that make that answer follow |
//!
//! # The model
//!
//! An event has [`Part`]s of content (text, reasoning, a tool call, a refusal, anything else), [`UsageCounts`], [`Finish`]es, a
//! [`Fault`] if it is an error or not an event of its dialect, and the model and the id of the answer. It borrows from the bytes;
//! text is decoded when a fold asks for it. [`EventBoundary`](crate::decode::EventBoundary) knows its position in the bytes.
//!
//! What the model cannot express is marked: with [`AnswerEvent::opaque`] there is more content than the parts; with
//! [`AnswerEvent::annotated`] there are fields beside the content (log-probabilities, citations, signatures, a name).
//! An event with [`AnswerEvent::snapshot`] holds the whole answer, not a piece of it.
//!
//! # Laws
//!
//! Any split of the bytes gives the same events. The streamed and the unstreamed form of one answer fold to the same summary and
//! the same usage.

mod answer_event;
mod few;
mod finish;
mod finish_reasons;
mod json_text;
mod usage_counts;

pub(crate) use answer_event::{AnswerEvent, Fault, PartKind, ProviderTool, Structure};
pub(crate) use few::Few;
pub(crate) use finish::{Finish, FinishReason};
pub(crate) use json_text::JsonText;
pub(crate) use usage_counts::UsageCounts;
