//! Limits what is sent to a provider: requests, tokens and attempts at a time, in order of priority.
//!
//! Use it wherever calls may arrive faster than a key allows. A call that has to wait is queued, in order, instead of running
//! into a 429; a call that cannot wait goes to the next fallback at once, without an attempt. There is one set of limits per
//! [`Route`](crate::context::Route), so a model that is limited does not delay another model of the same key.
//!
//! # What is limited
//!
//! - **Requests and tokens per minute**, by the generic cell rate algorithm. Where a token limit is configured, tokens are
//!   reserved before a call is sent, by an estimate: a quarter of the bytes of its text, 1 500 for each image or file, and the
//!   most that its answer may have (without `max_tokens`, the average of the route), at most 8 average answers or 4 096. The
//!   counted part of a request is learnt from the usage in answers, by size: the estimate of a prompt that Anthropic reads from
//!   its cache soon drops to the part that counts. An interactive call of a size that no answer has reported yet reserves at most
//!   a quarter of a minute's tokens.
//! - **An estimate is no debt.** It may empty a bucket; only usage that an answer reports is owed, for 10 min at most. The
//!   estimate is settled by that usage, or by the average answer if none is reported; all is given back if the model did not run.
//!   A limit that was not configured and is only known from headers holds no call back on an estimate while something is left.
//! - **Attempts at a time** ([`Concurrency`]), fixed or adaptive. An attempt is under way until its body has ended or was
//!   dropped.
//! - **What the provider reports.** Its headers (`x-ratelimit-…`, `anthropic-ratelimit-…`, `ratelimit-…`) override the
//!   configuration: the limit that they report replaces the configured one, and the remaining amount that they report corrects
//!   the count, in both directions. If more is left than was counted, requests are sent at twice the rate until it is used. The
//!   answer to an attempt before the last one with a report is ignored.
//! - **A 429** closes the route for the wait that it names, 10 min at most; without one, for the configured cool-down, if any
//!   ([`LimitPolicy::cooldown_without_hint`]). The waiting calls are then sent one after the other, not all at once. Where the
//!   concurrency is adaptive, a 429 without a wait lowers it instead.
//! - **The wait of one attempt** concerns the whole route unless it is refuted. If an attempt that was sent after the limited one
//!   and in the first half of its wait is let in, as one request was too large for what is left, or one machine of the provider
//!   has its own counter, the route opens at once. The more often that happened, the more limited attempts in a row it takes to
//!   close the route: as many as have a probability of at most one in fifty at the share seen so far.
//! - **Probes during a long wait.** In a wait that a 429 or a header imposes, one call is sent as a probe after a minute, and
//!   again after gaps that double up to 10 min. A probe that the provider lets in ends the wait; headers that had reported that
//!   nothing is left are then ignored until the next 429. [`Client::reset`](crate::Client::reset) ends a wait explicitly. Times
//!   in headers are relative to the provider's own clock, its `Date`.
//!
//! # Order
//!
//! By [`Priority`](crate::context::Priority), interactive before batch, then by arrival. While both wait, every tenth turn goes
//! to a batch call ([`LimitPolicy::batch_share`]). A batch call that cannot pay yet is overtaken by interactive ones, and from
//! then on a tenth of the refill is set aside for it. The queue of a route is bounded for each of the two priorities. A call
//! whose wait would not leave time for an attempt before its deadline is refused at once
//! ([`Outcome::NotSent`](crate::outcome::Outcome::NotSent)), and a waiting call leaves the queue as soon as that becomes known.
//! Refusing and waiting cost nothing: the only timer is that of the next call.
//!
//! # Defaults
//!
//! Only the limits that the provider reports apply. See [`LimitPolicy`].
//!
//! # Example
//!
//! ```
//! use evenkeel::{Client, Profile, limit::LimitPolicy};
//! # use evenkeel_testkit::Provider;
//!
//! let limits = LimitPolicy::new()
//!     .requests(500)
//!     .tokens(200_000)
//!     .model("gpt-4o-mini", LimitPolicy::new().requests(5_000).tokens(2_000_000));
//! let client = Client::builder().profile(Profile::pipeline().limit(limits));
//! # let client = client.build_with(Provider::new("p"))?;
//! for (route, shown) in client.limits().list() {
//!     println!("{route}: {} under way, {} waiting", shown.in_flight, shown.waiting);
//! }
//! # Ok::<(), evenkeel::ConfigError>(())
//! ```
//!
//! # Events
//!
//! [`LimitQueued`](crate::telemetry::EventKind::LimitQueued), [`LimitRefused`](crate::telemetry::EventKind::LimitRefused),
//! [`LimitWaited`](crate::telemetry::EventKind::LimitWaited) and
//! [`LimitClosed`](crate::telemetry::EventKind::LimitClosed).
//!
//! # Pitfalls
//!
//! - A stream of chat completions reports its usage only where the request asks for it (`stream_options.include_usage`).
//!   Otherwise it counts as an average answer, until a header reports what is left.
//! - Limits apply to one process. Other processes with the same key are only visible in the provider's headers.
//! - A large call that is next blocks the queue: the calls behind it do not overtake it within their priority.
//! - The adaptive limit compares the times to first events with those without a queue, streams with streams and unary answers
//!   with unary ones. It does not mistake answers of several lengths for a queue; if their mixture changes for good, it takes
//!   some rounds to adapt.
//! - Where a provider sends no headers (Gemini, Bedrock, Ollama), a wrongly configured limit is not corrected.

mod adaptive;
mod concurrency;
mod context;
mod cooldown;
mod cost;
mod enter;
mod gcra;
mod headers;
mod layer;
mod limits;
mod mean_usage;
mod policy;
mod priority_queue;
mod queued_call;
mod quota;
mod quotas;
mod rate_limit_info;
mod request_size;
mod route_limiter;
mod service;
mod snapshot;
mod state;

pub use adaptive::AdaptivePolicy;
pub use layer::LimitLayer;
pub use limits::Limits;
pub use policy::{Concurrency, LimitPolicy};
pub use service::{Limit, LimitFuture};
pub use snapshot::LimitSnapshot;
