//! One description of an answer, and of what goes wrong with it, that the in-process provider and the socket server
//! both act out.
//!
//! A healthy answer is a fixed text of sixty words ([`WORDS`]), so that a cut one is never taken for a whole one. It
//! is unstreamed JSON or a stream of events, whichever the request asks for, in the wire language of its path: OpenAI
//! responses (`…/responses`), Anthropic messages (`…/messages`), OpenAI chat completions (any other).
//!
//! # Defaults
//!
//! One word an event, no latency, the model that was asked, usage in a stream when `stream_options.include_usage` asks
//! for it (chat completions; always in the others), the header `x-served-by` with the name of the provider.
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::{Fault, Reply};
//! use std::time::Duration;
//!
//! let late = Reply::answer().first_content_after(Duration::from_secs(20));
//! let dies = Reply::answer().with(Fault::Cut { words: 40 });
//! let limited = Reply::rate_limited(Some(Duration::from_secs(2)));
//! ```
//!
//! # Pitfalls
//!
//! An answer that is not streamed is worked out before its head is sent, as real providers do: its latencies all come
//! before the head.

mod answer;
mod chat;
mod facts;
mod fault;
mod messages;
mod plan;
mod policy;
mod responses;
mod script;
mod trouble;

pub(crate) use facts::{Api, CALL, CREDENTIALS, Facts};
pub use fault::Fault;
pub use policy::Reply;
pub(crate) use script::{Head, Script, Step};

/// The text of every healthy answer: sixty words.
pub const WORDS: &str = "A ship on an even keel does not lean to either side when the wind turns and the sea grows \
rough because its weight lies low and its cargo is stowed so the crew can keep their course and the guests sleep \
through the night while the captain reads the chart and waits for a better harbour in the morning";

#[cfg(test)]
mod tests;
