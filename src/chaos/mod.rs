//! Faults on purpose, for a game day: feature `chaos`.
//!
//! A plan for an outage is worth what its last test is worth. [`Chaos`] sits directly above the transport, below breaker, retries,
//! limits and classification, and makes attempts fail as providers do: connections that are reset, answers that stall, rate limits,
//! errors within a 200. All that guards a call is exercised, by real traffic, while the provider is well.
//!
//! This is the one feature that exists for safety rather than for a dependency: a program without it cannot inject anything,
//! whatever its configuration says.
//!
//! # Two keys to turn
//!
//! The feature has to be built in, and the [switch](ChaosSwitch) has to be on. It is off when it is made. Once on, it switches itself
//! off after an hour, or the time set by [`for_at_most`](ChaosSwitch::for_at_most). [`off`](ChaosSwitch::off) acts at once, also on
//! attempts that hang and on bodies that stall: they go on as if there had been no fault, but for an endless stream, which is cut.
//!
//! # Game day
//!
//! A third of the attempts at OpenAI are reset, for ten minutes. The bot goes on:
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::{
//!     BoxError, Client,
//!     chaos::{ChaosPolicy, ChaosRule, ChaosSwitch, FaultKind},
//!     fallback::{Fallback, Target},
//! };
//! # use evenkeel_testkit::{Hosts, Provider};
//! # use http_body_util::BodyExt;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! # tokio::time::pause();
//! # let [openai, mistral] = ["openai", "mistral"].map(Provider::new);
//! # let transport = Hosts::new([openai.clone(), mistral.clone()]);
//! let minutes = |n: u64| Duration::from_secs(60 * n);
//! let switch = ChaosSwitch::for_at_most(minutes(15));
//! let chaos = ChaosPolicy::new(&switch)
//!     .seed(2024)
//!     .rule(ChaosRule::new(FaultKind::Reset).target("openai").share(0.3).lasts(minutes(10)));
//! let client = Client::builder()
//!     .primary(Target::new("http://openai/v1").provider("openai"))
//!     .fallback(Fallback::target(Target::new("http://mistral/v1").model("mistral-small-latest")))
//!     .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
//!     .chaos(chaos)
//!     .build_with(transport)?;
//!
//! let body = r#"{"model": "m", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#;
//! switch.on();
//! let mut canned = 0;
//! for _ in 0..600 {
//!     let request = http::Request::post("http://openai/v1/chat/completions").body(body.into())?;
//!     let answer = client.send(request).await?;
//!     assert_eq!(answer.status(), 200);
//!     canned += u32::from(answer.headers().get("evenkeel-served-by").is_some_and(|by| by == "canned"));
//!     tokio::time::sleep(Duration::from_secs(1)).await;
//! }
//! assert!(switch.injected() > 100, "{:?}", switch.injected_by_kind());
//! assert_eq!(canned, 0, "a provider has answered every call");
//! switch.off();
//! # Ok(()) }
//! ```
//!
//! # Faults
//!
//! | fault | the attempt | outcome |
//! |---|---|---|
//! | `refused` | no connection is made | unreachable |
//! | `reset`, `closed` | the connection ends before an answer | connection lost |
//! | `hang` | no answer | timed out |
//! | `status` | that status, 503 by default | by the status |
//! | `rate_limited`, `quota` | 429, or as the API says it | rate limited; quota exhausted |
//! | `context_length` | 400 with the code or the words of the API | too large |
//! | `blocked` | the prompt is rejected by a content filter | blocked |
//! | `empty`, `no_content` | 200 without a body; an answer without content | empty |
//! | `page` | 200 with an HTML page | malformed |
//! | `error_body` | 200 with an error as its body | unavailable |
//! | `slow_head`, `slow_content`, `slow_events` | the provider's answer, late | success, or timed out |
//! | `drip`, `comments` | the provider's answer, in small pieces or after comments | success, or timed out |
//! | `cut`, `reset_after`, `silence` | the connection ends within the answer | truncated, or timed out before |
//! | `stall` | the answer stops | timed out |
//! | `invalid_event` | an event is not JSON; JSON in one piece ends in its middle | malformed; truncated |
//! | `error_event` | an event with an error ends the stream | unavailable |
//! | `unstreamed` | a stream as one JSON body | success: it is converted |
//! | `endless` | an event is repeated without end; the stream is cut when chaos ends | truncated, or timed out before |
//! | `no_done`, `no_finish` | the last event, or the finish reason, is missing | success, or truncated, by the API |
//!
//! Up to `error_body` the provider is not asked, and nothing is billed. The others are in the answer of the provider, which is asked
//! and billed; an answer that is an error is passed on as it is. `slow_events`, `unstreamed`, `endless`, `no_done` and `no_finish` are
//! for streams alone. Settings and defaults: [`Fault`].
//!
//! A fault lasts no longer than the limits of its attempt: a hang ends with the timeout, and a stalled stream with the idle limit. An
//! endless stream has no such limit by default: see [`TimeoutPolicy::stream`](crate::timeout::TimeoutPolicy).
//!
//! # Which attempts
//!
//! Those that a [`ChaosRule`] names: by target, model and operation; a share of them; from a time on, and for a time; at most some
//! at a time. Rules are asked in order, and an attempt has one fault at most. With the same [seed](ChaosPolicy::seed) and the same
//! order of attempts since the switch was turned on, the faults are the same.
//!
//! # Marks
//!
//! An injected fault is never taken for a real one:
//!
//! * the answer has the header [`evenkeel-chaos`](CHAOS_HEADER) with the name of the fault; an error has an [`InjectedFault`] among its
//!   sources
//! * the [`Attempt`](crate::context::Attempt) in the attempt log names it
//! * the span of the attempt has `evenkeel.chaos`
//! * the counter `evenkeel.chaos.injected` counts it
//!
//! # Events
//!
//! [`FaultInjected`](crate::telemetry::EventKind::FaultInjected) for each fault; [`ChaosOn`](crate::telemetry::EventKind::ChaosOn) with
//! the counts, a warning in `tracing`, with the first attempt and then once a minute;
//! [`ChaosOff`](crate::telemetry::EventKind::ChaosOff) when it has ended, with the next attempt or when a fault is ended by it.
//!
//! # In a configuration
//!
//! The table `[chaos]` of [`config`](crate::config) has the same settings. A client that is built from it has the switch in
//! `Client::chaos`.
//!
//! # Pitfalls
//!
//! - Faults trip breakers, use up budgets and close routes: that is their purpose. Resetting the switch does not reset these; they
//!   recover as after an outage, or by [`Client::reset`](crate::Client::reset).
//! - [`rehearse`](crate::Client::rehearse) asks targets past this layer.
//! - An answer that was only slow is stored by the cache like any other, without the mark.
//! - A switch that has ended by time is reported with the next attempt, not by a task of its own.

mod answer;
mod attempt;
mod body;
mod damage;
mod decide;
mod error;
mod fault;
mod injector;
mod layer;
mod pattern;
mod period;
mod policy;
mod reports;
mod rule;
mod slot;
mod step;
mod switch;

use self::pattern::Pattern;
pub(crate) use self::slot::ChaosSlot;
pub use self::{
    answer::CHAOS_HEADER,
    error::InjectedFault,
    fault::Fault,
    layer::{Chaos, ChaosLayer},
    policy::ChaosPolicy,
    rule::ChaosRule,
    switch::ChaosSwitch,
};
pub use crate::telemetry::FaultKind;
