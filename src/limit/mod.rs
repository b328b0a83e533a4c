//! Sends no more than a provider takes: requests, tokens and attempts at a time, in turn.
//!
//! Use it wherever calls may come faster than a key allows. A call that has to wait does so here, in order, instead of
//! running into a 429; one that cannot wait goes down the ladder at once, without an attempt. There is one set of limits per
//! [`Route`](crate::context::Route), so a model that is limited does not hold up another model of the same key.
//!
//! # What is limited
//!
//! - **Requests and tokens a minute**, by the generic cell rate algorithm. Where a limit of tokens is set, they are reserved
//!   before a call is sent, by an estimate: a quarter of the bytes of its text, 1 500 for each image or file, and the most that
//!   its answer may have (without `max_tokens`, the average of the route), at most 8 average answers or 4 096. What counts of
//!   a request is learnt from the usage in answers, by size: a prompt that Anthropic reads from its cache is soon estimated by
//!   what counts of it. An interactive call of a size that no answer has told of reserves a quarter of a minute's tokens at
//!   most.
//! - **An estimate is no debt.** It may empty a bucket; only usage that an answer reports is owed, for 10 min at most. The
//!   estimate is settled by that usage, or by the average answer where none is reported; all is given back where the model did
//!   not run. A limit that was not set and is only known from headers holds nobody back on an estimate while something is left.
//! - **Attempts at a time** ([`Concurrency`]), fixed or found by trying. An attempt is one until its body has ended or was
//!   dropped.
//! - **What the provider says.** Its headers (`x-ratelimit-…`, `anthropic-ratelimit-…`, `ratelimit-…`) are the truth when they
//!   come: the limit they tell takes the place of the one that was set, and what they tell is left corrects what we counted,
//!   in both directions; where more is left than we count, requests are sent at twice the pace until it is used. The answer
//!   to an earlier attempt than the last that told is old news, and changes nothing.
//! - **A 429** closes the route for the wait that it names, 10 min at most; without one, for the pause that was set, if any
//!   ([`LimitPolicy::pause`]). Those that wait then go out one after the other, not all at once. Where the concurrency
//!   adapts, a 429 without a wait makes it smaller instead.
//! - **The wait of one attempt** is everybody's while nothing speaks against it. Where an attempt that was sent after the limited
//!   one and in the first half of its wait is answered, as one request was too large for what is left, or one machine of the
//!   provider has its own count, the route opens at once. The more often that was so, the more limited attempts in a row it
//!   takes to close it: as many as are improbable, by one in fifty, at the share seen so far.
//! - **During a long wait one call finds out.** In a wait that a 429 or a header imposes, one call is sent as a probe after a
//!   minute, and again after gaps that double up to 10 min. One that the provider lets in ends the wait; where headers had said
//!   that nothing is left, they are not heeded until the next 429. [`Client::reset`](crate::Client::reset) ends it by hand.
//!   Moments in headers are relative to the provider's own clock, its `Date`.
//!
//! # Who is next
//!
//! By [`Priority`](crate::context::Priority), interactive before batch, then by arrival. While both wait, every tenth turn is a
//! batch call's. A batch call that cannot pay yet is passed by interactive ones, and from then on a tenth of what comes in is
//! set aside for it. The queue of a route is bounded for each of both, and nobody waits in vain: a call whose wait will not
//! leave it the time for an attempt before its deadline is refused at once
//! ([`Outcome::NotSent`](crate::outcome::Outcome::NotSent)), and leaves the queue as soon as that becomes known. Refusing and waiting cost nothing: no timer runs but that of the call that is next.
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
//!   it counts as an average answer, until a header tells better.
//! - Limits are those of one process. Others with the same key are seen in the provider's headers only.
//! - A large call that is next is waited for: those behind it do not overtake it within their priority.
//! - The adaptive limit compares the times to first events with those that were usual, streams with streams and whole answers
//!   with whole ones. Answers of several lengths are no queue; where their mixture changes for good, it takes some rounds to
//!   learn.
//! - Where a provider sends no headers (Gemini, Bedrock, Ollama), wrong limits stay wrong.

mod adaptive;
mod cooldown;
mod doubt;
mod gate;
mod gcra;
mod headers;
mod limiter;
mod line;
mod policy;
mod probes;
mod queued;
mod quota;
mod quotas;
mod rate_limit_info;
mod service;
mod slots;
mod tokens;

pub use adaptive::AdaptivePolicy;
pub use limiter::{LimitSnapshot, Limits};
pub use policy::{Concurrency, LimitPolicy};
pub use service::{Limit, LimitLayer};
