//! Sends no more than a provider takes: requests, tokens and attempts at a time, in turn.
//!
//! Use it wherever calls may come faster than a key allows. A call that has to wait does so here, in order, instead of
//! running into a 429; one that cannot wait goes down the ladder at once, without an attempt. There is one set of limits per
//! [`Route`](crate::context::Route), so a model that is limited does not hold up another model of the same key.
//!
//! # What is limited
//!
//! - **Requests and tokens a minute**, by the generic cell rate algorithm. Tokens are reserved before a call is sent: a quarter
//!   of its bytes, and the most that its answer may have (without `max_tokens`, what answers of the route cost on average).
//!   They are settled by the usage that the answer tells: the rest is given back, and what was used beyond is owed. All are
//!   given back where the model did not run. A call that asks for more tokens than there are in a minute waits for a full
//!   minute's worth, and owes the rest.
//! - **Attempts at a time** ([`Concurrency`]), fixed or found by trying. An attempt is one until its body has ended or was
//!   dropped.
//! - **What the provider says.** Its headers (`x-ratelimit-…`, `anthropic-ratelimit-…`, `ratelimit-…`) are the truth when they
//!   come: the limit they tell takes the place of the one that was set, and what they tell is left corrects what we counted,
//!   in both directions; where more is left than we count, requests are sent at twice the pace until it is used. The answer
//!   to an earlier attempt than the last that told is old news, and changes nothing.
//! - **A 429** closes the route for the wait that it names; without one, for the pause that was set, if any
//!   ([`LimitPolicy::pause`]). Those that wait then go out one after the other, not all at once. Where the concurrency
//!   adapts, a 429 without a wait makes it smaller instead.
//! - **Calls that would be refused anyway** ([`AdmissionPolicy`]), where that is asked for.
//!
//! # Who is next
//!
//! By [`Priority`](crate::context::Priority), interactive before batch, then by arrival. While both wait, every tenth turn is a
//! batch call's. The queue of a route is bounded for each of both, and nobody waits in vain: a call whose wait will not leave it the time for
//! an attempt before its deadline is refused at once ([`Outcome::Refused`](crate::classify::Outcome::Refused)), and leaves the
//! queue as soon as that becomes known. Refusing and waiting cost nothing: no timer runs but that of the call that is next.
//!
//! # Defaults
//!
//! Nothing is limited but by what the provider says. See [`LimitPolicy`].
//!
//! # Example
//!
//! ```
//! use evenkeel::{Client, Profile, limit::LimitPolicy};
//! # use evenkeel::testkit::Provider;
//!
//! let limits = LimitPolicy::new()
//!     .requests(500)
//!     .tokens(200_000)
//!     .model("gpt-4o-mini", LimitPolicy::new().requests(5_000).tokens(2_000_000));
//! let client = Client::builder().profile(Profile::pipeline().limit(limits));
//! # let client = client.over(Provider::new("p"))?;
//! for (route, shown) in client.limits().list() {
//!     println!("{route}: {} under way, {} waiting", shown.in_flight, shown.waiting);
//! }
//! # Ok::<(), evenkeel::ConfigError>(())
//! ```
//!
//! # Events
//!
//! [`LimitQueued`](crate::telemetry::Event::LimitQueued), [`LimitRefused`](crate::telemetry::Event::LimitRefused) and
//! [`LimitClosed`](crate::telemetry::Event::LimitClosed).
//!
//! # Pitfalls
//!
//! - A stream of chat completions tells what it cost only where it is asked to (`stream_options.include_usage`). Otherwise
//!   its estimate stays spent, until a header tells better: set `max_tokens` to what is needed, not to the most.
//! - Limits are those of one process. Others with the same key are seen in the provider's headers only.
//! - A large call that is next is waited for: those behind it do not overtake it within their priority.
//! - Where a provider sends no headers (Gemini, Bedrock, Ollama), wrong limits stay wrong.

mod adaptive;
mod admission;
mod bucket;
mod closing;
mod gate;
mod headers;
mod limiter;
mod line;
mod meter;
mod meters;
mod news;
mod policy;
mod service;
mod slots;
mod tokens;

pub use adaptive::AdaptivePolicy;
pub use admission::AdmissionPolicy;
pub use limiter::{LimitSnapshot, Limits};
pub use policy::{Concurrency, LimitPolicy};
pub use service::{Limit, LimitLayer};
