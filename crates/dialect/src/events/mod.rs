//! One event of an answer, in a model that all dialects share.
//!
//! Each event is read once, by the reader of its dialect, into one [`AnswerEvent`]; an answer that was not streamed is one event too,
//! which holds all of it. Everything that wants to know something of an answer folds over these events, and does not read JSON itself:
//!
//! | fold | what it makes of the events |
//! |---|---|
//! | `answer_state` | content for the clocks, the outcome, the usage |
//! | `answer_summary` | text, model and usage of a whole answer, and whether that is all of it |
//! | `resumable/` | the text that another answer can go on from, and what makes that answer follow |
//!
//! # The model
//!
//! An event has [`Part`]s of content (text, reasoning, the call of a tool, a refusal, anything else), [`UsageCounts`], [`Finish`]es,
//! a [`Fault`] where it is an error or not an event of its dialect, the model and the id of the answer. It borrows from the bytes; text is
//! decoded where a fold asks for it. Where it stands in the bytes is known to what found its end:
//! [`EventBoundary`](crate::decode::EventBoundary).
//!
//! What the model cannot express is marked: with [`AnswerEvent::opaque`] there is more content than the parts, with
//! [`AnswerEvent::annotated`] something stands beside the content (log-probabilities, citations, signatures, a name).
//! An event with [`AnswerEvent::snapshot`] holds the whole answer, not a piece of it.
//!
//! # Laws
//!
//! Any split of the bytes gives the same events. The streamed and the unstreamed form of one answer fold to the same summary and
//! the same usage.

mod answer_event;
mod few;
mod finish;
mod json_text;
mod usage_counts;

pub(crate) use answer_event::{AnswerEvent, Fault, PartKind, ProviderTool, Structure};
pub(crate) use few::Few;
pub(crate) use finish::{Finish, FinishReason};
pub(crate) use json_text::JsonText;
pub(crate) use usage_counts::UsageCounts;
