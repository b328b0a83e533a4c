//! An outage, minute by minute, from a JSON file.
//!
//! Two real ones are built in, [`Incident::openai_2024_06_04`] and [`Incident::openai_2024_12_11`], and a tool that is gone,
//! [`Incident::tool_gone`]. By [name](Incident::named) alone: `brownout-10`, `brownout-20` and `brownout-30`, in which that share
//! of attempts fails for half an hour; `slow-but-well`, whose whole answers take up to 17 s; `quiet-bot`, a call a minute through
//! an outage of two hours; `noisy-neighbour`, in which one caller's calls are refused for reasons of their own; `node-replaced`,
//! in which all connections that are kept die six times in half an hour.
//!
//! # The file
//!
//! ```json
//! {
//!   "name": "A short night",
//!   "source": "where the times are from",
//!   "facts": ["what is known"],
//!   "note": "what is assumed",
//!   "phases_min": [
//!     {"from": 0, "to": 10, "provider": "healthy"},
//!     {"from": 10, "to": 40, "provider": "down"},
//!     {"from": 40, "to": 60, "provider": "healthy"}
//!   ],
//!   "secondary_phases_min": [
//!     {"from": 0, "to": 60, "provider": "healthy"}
//!   ],
//!   "states": {
//!     "down": {
//!       "mix": [
//!         {"share": 0.5, "is": "status", "status": 503, "after_s": [0.1, 2]},
//!         {"share": 0.5, "is": "silence"}
//!       ]
//!     }
//!   }
//! }
//! ```
//!
//! | field | meaning |
//! |---|---|
//! | `name`, `phases_min` | required; `source`, `facts` and `note` are for people |
//! | `phases_min` | the states of the primary: the first from minute 0, each from where the one before it ends |
//! | `secondary_phases_min` | the same for the secondary, over the same time; healthy throughout where it is missing |
//! | `rate` | the calls a minute that it is about, where that matters |
//! | `bounds` | what each client has to keep to: see [`Bounds`] |
//! | `states` | what the providers do in a state; see below. States that are missing here have the built-in behaviour |
//!
//! A state is one of `healthy`, `brownout`, `down`, `ramping`, `overloaded`, or any other name that `states` has. The
//! state `down` is the one that figures call an outage; `healthy` the one that ends it.
//!
//! | field of a state | meaning | default |
//! |---|---|---|
//! | `answer` | how quick a whole answer is: `first_content_s` until its first content, `rest_s` from there to its end | 0.3 to 0.9, and 1 to 3 |
//! | `mix` | what goes wrong, each with its share of the attempts; what is left of 1 is answered well | nothing |
//! | `capacity` | how much is served, where 1 is as much as the drill calls; a pair grows from the one to the other over the phase | no limit |
//! | `over` | what becomes of attempts above the capacity; its shares make 1 | 503 |
//! | `kept` | `reset`: what is kept when a phase of this state begins is reset at its next request; a node was replaced | connections stay |
//!
//! | `is` | meaning | its own fields |
//! |---|---|---|
//! | `status` | that status, with an error body | `status`; `code` and `type` of the body, `retry_after_s` |
//! | `slow` | a whole answer, with a late first content | `first_content_s` |
//! | `cut` | the connection closes after some words, without a last chunk | `after_words` |
//! | `stall` | silence after some words; for ever, or for a while and then cut | `after_words`; `for_s` |
//! | `error_event` | an error inside the stream after some words | `after_words` |
//! | `silence` | never an answer | |
//! | `refused` | no connection; in spells of two seconds, all attempts or none | |
//! | `reset` | the connection is reset before any byte | |
//!
//! Everything but `silence` and `refused` takes `after_s`, the time until the head. Numbers of seconds and words are one
//! number, or a pair from which one is drawn evenly.
//!
//! Everything but `refused` takes `tool` in a `mix`: the name of a tool that does not work. Attempts that bring it alone meet
//! that; its share is of those.
//!
//! ```json
//! "states": {
//!   "tool_gone": {"mix": [{"share": 1, "is": "status", "status": 500, "tool": "web_search"}]}
//! }
//! ```
//!
//! A [`Scenario`](crate::Scenario) of an incident with tools brings them in every second call.
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::Incident;
//! use std::time::Duration;
//!
//! let day = Incident::openai_2024_06_04();
//! assert!(day.primary_at(Duration::from_secs(100 * 60)).is_down());
//!
//! // The same story in 400 s, every phase at least 30 s long. A drill at a scale of 0.1 plays it in 40 s.
//! let short = day.condense(Duration::from_secs(400), Duration::from_secs(30));
//! assert_eq!(short.length(), Duration::from_secs(400));
//! ```
//!
//! # Pitfalls
//!
//! A file is checked as a whole when it is read; what is wrong is told with the field, its value and what is allowed.

mod behaviour;
mod bounds;
mod built_in;
mod condense;
mod draw;
mod error;
mod field_error;
mod file;
mod file_span;
mod file_state;
mod policy;
mod schedule;

pub(crate) use behaviour::Behaviour;
pub use bounds::Bounds;
pub use error::IncidentError;
pub use policy::{Incident, Phase, State};
pub use schedule::Schedule;
pub(crate) use schedule::bounded_scale;

#[cfg(test)]
mod tests;
