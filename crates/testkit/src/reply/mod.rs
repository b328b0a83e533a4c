//! A [`Reply`] describes one answer and the [faults](Fault) in it. The in-process provider and the socket server both play it.
//!
//! A healthy answer is a fixed text of sixty words ([`WORDS`]), so that a truncated answer is never taken for a whole one. The
//! request decides whether it is one JSON body or a stream of events. Its path decides the API: OpenAI responses
//! (`…/responses`), Anthropic messages (`…/messages`), OpenAI chat completions (every other path).
//!
//! # Defaults
//!
//! One word for each event, no latency, the model of the request, and the header `x-served-by` with the name of the provider. A
//! stream of chat completions has usage where `stream_options.include_usage` asks for it; the streams of the other APIs always
//! have it.
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::{Fault, Reply};
//! use std::time::Duration;
//!
//! let late = Reply::answer().first_content_after(Duration::from_secs(20));
//! let truncated = Reply::answer().with(Fault::Cut { words: 40 });
//! let limited = Reply::rate_limited(Some(Duration::from_secs(2)));
//! ```
//!
//! # Pitfalls
//!
//! An answer that is not streamed is complete before its head is sent, as with real providers: all its latencies come before
//! the head.

mod chat;
mod chat_answer;
mod delivery;
mod fault;
mod messages;
mod part;
mod plan;
mod policy;
mod request_facts;
mod responses;
mod script;

pub use fault::Fault;
pub use policy::Reply;
pub(crate) use policy::ReplyContent;
pub(crate) use request_facts::{Api, CALL, CREDENTIALS, RequestFacts};
pub(crate) use script::{ReplyHead, Script, ScriptStep};

/// The text of every healthy answer: sixty words.
pub const WORDS: &str = "A ship on an even keel does not lean to either side when the wind turns and the sea grows \
rough because its weight lies low and its cargo is stowed so the crew can keep their course and the guests sleep \
through the night while the captain reads the chart and waits for a better harbour in the morning";

#[cfg(test)]
mod tests;
