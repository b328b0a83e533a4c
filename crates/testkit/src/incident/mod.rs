//! An [`Incident`] is an outage, minute by minute, from a JSON file.
//!
//! Two real outages are built in, [`Incident::openai_2024_06_04`] and [`Incident::openai_2024_12_11`], and an unavailable tool,
//! [`Incident::tool_gone`]. Others are built in by [name](Incident::named) only:
//!
//! | name | what happens |
//! |---|---|
//! | `brownout-10`, `-20`, `-30` | 10, 20 or 30 % of the attempts fail for half an hour |
//! | `slow-but-well` | whole answers take up to 17 s, and none fails |
//! | `quiet-bot` | one call a minute through an outage of two hours |
//! | `noisy-neighbour` | the calls of one caller are rejected for a reason in those calls |
//! | `node-replaced` | all idle connections are reset, six times in half an hour |
//!
//! # The file
//!
//! ```json
//! {
//!   "name": "A short night",
//!   "source": "the source of the times",
//!   "facts": ["a known fact"],
//!   "note": "an assumption",
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
//! | `name`, `phases_min` | required; `source`, `facts` and `note` are for readers |
//! | `phases_min` | the states of the primary. The first begins at minute 0, each other at the end of the one before it |
//! | `secondary_phases_min` | the states of the secondary, up to the same minute; default: healthy throughout |
//! | `rate` | the calls a minute for which the incident is written |
//! | `bounds` | the limits on the metrics of each client: see [`Bounds`] |
//! | `states` | the behaviour of the providers in each state; see below. A state that is missing here has its built-in behaviour |
//!
//! A state is one of `healthy`, `brownout`, `down`, `ramping`, `overloaded`, or another name in `states`. In the metrics, the
//! state `down` is an outage, and the state `healthy` ends it.
//!
//! | field of a state | meaning | default |
//! |---|---|---|
//! | `answer` | the latencies of a whole answer: `first_content_s` until its first content, `rest_s` from there to its end | 0.3 to 0.9, and 1 to 3 |
//! | `mix` | the faults, each with its share of the attempts; the other attempts have whole answers | no fault |
//! | `capacity` | the share of the scenario's call rate that is served; a pair goes from the first to the second over the phase | no limit |
//! | `over` | the faults of attempts above the capacity; their shares add up to 1 | 503 |
//! | `kept` | `reset`: connections that are idle when a phase of this state begins are reset at their next request, as when a node is replaced | connections stay |
//!
//! | `is` | meaning | fields of this fault |
//! |---|---|---|
//! | `status` | an HTTP status, with an error body | `status`; `code` and `type` of the body, `retry_after_s` |
//! | `slow` | a whole answer, with a late first content | `first_content_s` |
//! | `cut` | the connection closes after some words, without a last chunk | `after_words` |
//! | `stall` | silence after some words: without end, or for a time after which the connection closes | `after_words`; `for_s` |
//! | `error_event` | an error inside the stream after some words | `after_words` |
//! | `silence` | no answer | |
//! | `refused` | no connection: for all attempts or for none, in intervals of two seconds | |
//! | `reset` | the connection is reset before any byte | |
//!
//! Each of them except `silence` and `refused` takes `after_s`, the time until the head. A number of seconds or words is one
//! number, or a pair from between which one is drawn evenly.
//!
//! Each of them except `refused` takes `tool` in a `mix`: the name of an unavailable tool. Only attempts with that tool have the
//! fault, and its share is of those attempts.
//!
//! ```json
//! "states": {
//!   "tool_gone": {"mix": [{"share": 1, "is": "status", "status": 500, "tool": "web_search"}]}
//! }
//! ```
//!
//! Every second call of a [`Scenario`](crate::Scenario) has the tools that the incident names.
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::{Incident, incident::TimeCompression};
//! use std::time::Duration;
//!
//! let day = Incident::openai_2024_06_04();
//! assert!(day.primary_at(Duration::from_secs(100 * 60)).is_down());
//!
//! // The same phases in 400 s, each at least 30 s long. A scenario at a scale of 0.1 plays them in 40 s.
//! let (total, min_phase) = (Duration::from_secs(400), Duration::from_secs(30));
//! let short = day.time_compress(TimeCompression { total, min_phase });
//! assert_eq!(short.length(), Duration::from_secs(400));
//! ```
//!
//! # Pitfalls
//!
//! The whole file is validated when it is read. An error names the field, its value and what is allowed.

mod behaviour;
mod bounds;
mod built_in;
mod error;
mod field_error;
mod file;
mod file_range;
mod file_state;
mod policy;
mod sample;
mod schedule;
mod time_compress;

pub(crate) use behaviour::Behaviour;
pub use bounds::Bounds;
pub use error::IncidentError;
pub use policy::{Incident, IncidentPhase, ProviderState};
pub use schedule::Schedule;
pub(crate) use schedule::bounded_scale;
pub use time_compress::TimeCompression;

#[cfg(test)]
mod tests;
