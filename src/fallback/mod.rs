//! Fallbacks: what is tried next when a target fails, down to a canned reply that cannot fail.
//!
//! A [`FallbackService`] tries its fallbacks in order until one answers. Use it where a user waits for the answer: during an
//! outage of the provider the quality drops step by step, in the order you configured, but there is always an answer.
//!
//! | fallback | what it is |
//! |---|---|
//! | [`Fallback::original_request`] | where the caller sent the request: the first target, unless another is configured |
//! | [`Fallback::target`] | another model, key, region or provider: a [`Target`] |
//! | [`Fallback::targets`] | several equal targets; [`balance`](crate::balance), below, chooses one for each attempt |
//! | [`Fallback::stored`] | the last good answer to the same request, from the [`cache`](crate::cache) |
//! | [`Fallback::wait_for_recovery`] | waits for recovery, then tries the fallbacks above again: for work without a waiting user |
//! | [`Fallback::canned`], [`Fallback::reply`] | a canned reply; always the last fallback |
//!
//! [`Fallbacks`] in the extensions of a request come right below the first target, before the fallbacks of all calls.
//!
//! # Which failures move down
//!
//! Failures that another target may not have: the provider is unavailable, limits the rate, does not respond, cannot be reached,
//! or breaks off or truncates its answer; the quota is exhausted, the credential or the model is rejected; our own breaker
//! refused. A request that is too large goes to a fallback that declares a larger context or does not declare one, and to a canned
//! reply. A request that is wrong for every provider, or that the provider's content filter blocked, is not passed on: the caller
//! gets that answer. [`Fallback::on`] limits a fallback to some failures ([`FallbackOn`]): send a request that is too large to the model with the large context, a
//! slow route to the small model, a failing tool to the same model without it. It can also enable the two cases that are off by
//! default, blocked content and requests that were rejected as wrong; these go only to fallbacks that name them.
//!
//! When all fallbacks fail, the caller gets the failure of the first; the [`AttemptLog`](crate::context::AttemptLog) has the
//! rest.
//!
//! # Which calls stay
//!
//! An answer from another account, or from another model, is not always a valid substitute. These calls stay at the first target,
//! and at those of its equal targets that have the same account or model; other fallbacks are skipped for them
//! ([`SkipReason::Bound`](crate::telemetry::SkipReason::Bound)):
//!
//! | call | may go to |
//! |---|---|
//! | chats, token counts, moderations, reranking | any fallback |
//! | embeddings | no fallback: vectors of another model are of no use |
//! | pictures, speech | no fallback: each one costs |
//! | files, batches, training, anything stored at a provider, models, unknown paths | fallbacks at the same account |
//! | chats that name a file, a stored response, a conversation, a container, a vector store or a cache | fallbacks at the same account |
//! | chats with a model that belongs to the account (`ft:…`) | fallbacks at the same account, or with a model of their own |
//!
//! A stored response, or a conversation of OpenAI responses, that a fallback has made is only there: a call that refers to it goes
//! to that fallback first, and stays there. The memory of [`reasoning`](crate::reasoning) has the ids, as hashes; what it does not
//! know is taken for the first target's.
//!
//! [`Fallback::operations`] allows them by name. A call that changes something at the provider is never sent again after an
//! attempt that may have made the change, to any target: see [`retry`](crate::retry).
//!
//! # Edits
//!
//! An [`Edit`] makes a fallback request less than the caller did, in every dialect: a shorter answer, without all or some tools,
//! fewer of the oldest turns, no images, no stream. It is applied after the fallback's target; fields that it does not name keep
//! their bytes. The fallback must offer what the edited call still needs ([`Capabilities`]: context, tools, vision, JSON), else
//! it is skipped. The first target is skipped too if another fallback takes the call.
//!
//! ```
//! use evenkeel::fallback::{Edit, FallbackPolicy, Capabilities, Fallback, Target, FallbackOn};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let search = Fallback::original_request().named("no search").edit(
//!     Edit::new().without_tool("web_search").tool_notice("Web search is not available right now. Say so."),
//! );
//! let large = Target::same_host().model("large");
//! let small = Target::same_host().model("small");
//! let ladder = FallbackPolicy::new()
//!     .fallback(search.on([FallbackOn::tool("web_search")]))
//!     .fallback(Fallback::target(large).on([FallbackOn::TooLarge]))
//!     .fallback(
//!         Fallback::target(small)
//!             .capabilities(Capabilities::default().context(16_000))
//!             .edit(Edit::new().max_tokens(512).without_tools().fit_context(16_000)),
//!     )
//!     .build()?;
//! # let _ = ladder; Ok(())
//! # }
//! ```
//!
//! A fallback without tools, images or a stream has a route of its own (its model ends in `:no-web_search`, `:no-tools`,
//! `:no-images` or `:no-stream`), and so a breaker of its own: calls with a broken tool may open the breaker of the model, while
//! the same model without the tool continues to answer. When the provider is down altogether, each of the two breakers has to
//! detect it. A fallback that would only repeat what has just failed at the same place, since the call has no such tool, is
//! skipped.
//!
//! Calls of a dropped tool in earlier turns are dropped with their results; the question is sent again. An image is replaced by a
//! word.
//!
//! # Canned replies
//!
//! A text, or a closure over the [`CannedContext`]: the last text of the user, the languages of `accept-language`, the model. It
//! is rendered in the dialect and form that was requested, and marked so that an application can count and label it: by the
//! extension [`CannedReply`], by the header `evenkeel-canned: true`, and by an id with `canned` in it (`chatcmpl-canned-…`,
//! `resp_canned-…`, `msg_canned-…`, Gemini's `responseId`; Ollama has none).
//!
//! # Streams that fail while they are read
//!
//! They end in an error, unless [`FallbackPolicy::mid_stream_failure`] lets a fallback below continue them: see
//! [`stream`](crate::stream).
//!
//! # A breaker's probe
//!
//! A call that is the probe of a route that was down may be slow, so it is raced. When it has taken the usual time to the first
//! event on that route (500 ms if unknown), or a fifth of that time on the next fallback, the targets below are tried
//! concurrently, as for any other call. The first answer wins; the probe continues without its caller, so that the breaker
//! records its outcome. The attempt log has the probe from the start of the race, as cancelled until it ends.
//!
//! A stored answer and a canned reply do not take part in the race: they are for a call that no target answers in time.
//!
//! # Time
//!
//! All fallbacks share the call's deadline. A fallback keeps time back for those below it ([`Fallback::reserve`]): when only that
//! time is left, its attempt is cut off and the next fallback is tried. A stored answer and a canned reply need no time, so they
//! always fit. The last available target has all the time that is left: attempt timeouts that were not set explicitly do not
//! apply to it ([`timeout`](crate::timeout)). Fallbacks that do not take the call when the one above times out do not count.
//!
//! With less than a second left (or a tenth of the call's time, if that is less), no target is tried. If a shorter reserve is
//! set, that is the minimum.
//!
//! # Extra attempts
//!
//! A call makes at most one attempt at each fallback, plus the retries that its policy allows at the first target, plus the same
//! number of retries at all targets below together. An attempt that may have been billed (a broken connection, an answer that was
//! truncated, empty or malformed, a second copy) is repeated once in a call. A call that waits for recovery makes more attempts,
//! without retries; it ends after five answers that were billed and useless.
//!
//! # Defaults
//!
//! * one fallback: the request as it was addressed
//! * reserve: a third of the time that is left, for all targets below together; at most two thirds, whatever is set
//! * a fallback has no edit, and takes every failure that moves down
//! * a fallback offers everything: any context size, tools, images, answers in JSON; but a prefill only if it declares it
//! * a stream that fails while it is read ends in an error
//!
//! # Example
//!
//! ```no_run
//! use evenkeel::fallback::{FallbackPolicy, Fallback, Target};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let ladder = FallbackPolicy::new()
//!     .fallback(Fallback::target(
//!         Target::new("https://api.mistral.ai/v1")
//!             .bearer("the key of that provider")
//!             .model("mistral-small-latest"),
//!     ))
//!     .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
//!     .build()?;
//! # let _ = ladder; Ok(())
//! # }
//! ```
//!
//! # Credentials
//!
//! They belong to a target. A request to another origin carries the target's own credentials, and only those headers and query
//! keys that are known to be meant for every provider: the key of one provider is never sent to another, whatever its name. Add
//! others that your provider needs with [`IdentityPolicy::forward`](crate::identity::IdentityPolicy::forward). A header whose
//! value is marked as [sensitive](http::HeaderValue::set_sensitive) is never forwarded.
//!
//! # Events
//!
//! [`FallbackEntered`](crate::telemetry::EventKind::FallbackEntered),
//! [`RequestEdited`](crate::telemetry::EventKind::RequestEdited) with counts and names of tools,
//! [`FallbackSkipped`](crate::telemetry::EventKind::FallbackSkipped), [`ProbeRaced`](crate::telemetry::EventKind::ProbeRaced),
//! [`Resumed`](crate::telemetry::EventKind::Resumed). The answer of any fallback but the first has the headers
//! `evenkeel-served-by` and `evenkeel-attempts`; a continued stream keeps the headers of its first answer.
//!
//! # Pitfalls
//!
//! [`Fallback::original_request`] is where the caller sent the call. If another target is configured first
//! ([`FallbackPolicy::primary`]), the same model without a tool is `Fallback::target` with that target again.
//!
//! A fallback changes where a request goes and which model it names, not its dialect: a target must speak the dialect of the
//! request. A target at an unusual path must declare its dialect ([`Target::dialect`]) and path ([`Target::endpoint`]). A request
//! without a known dialect (embeddings, files) gets no canned reply and is not edited.
//!
//! Tokens are estimated at four bytes of the request each: declare a context with room to spare. Text in scripts such as Chinese
//! takes more tokens than that. A conversation that the provider stores (`previous_response_id`) is not counted.
//!
//! A canned reply to a call that wants JSON is still the text: let the closure write JSON there.
//!
//! # Files
//!
//! | concern | file |
//! |---|---|
//! | the fallbacks | `policy`: the list; `step`: one of them; `kind`: what it is; `dispatch`: how it is sent to; `canned`, `canned_context`; `fallbacks`: those of one call; `check`: validation |
//! | whether a fallback is tried | `fallback_on`: the failures it takes; `bound`: the calls that stay; `eligibility`: both, and capabilities and edits |
//! | one call | `steps`: sends to one fallback; `run`: one after another; `run/below`: which fallbacks below take the call; `home`: where its stored responses are; `failure` |
//! | along the way | `race`: a probe against the fallbacks below; `wait`, `recovery_queue`; `to_stream`, `resume`: the answer as a stream |
//! | a configuration that changes | `keep`: the state that is kept, and the routes that are forgotten |

mod bound;
mod canned;
mod canned_context;
mod check;
mod dispatch;
mod eligibility;
mod failure;
mod fallback_on;
mod fallbacks;
mod home;
mod keep;
mod kind;
mod policy;
mod race;
mod recovery_queue;
mod rehearse;
mod resume;
mod routes;
mod run;
mod service;
mod step;
mod steps;
mod to_stream;
mod wait;

pub use canned::Canned;
pub use canned_context::CannedContext;
pub use fallback_on::FallbackOn;
pub use policy::FallbackPolicy;
pub use rehearse::CannedFault;
pub(crate) use rehearse::{RehearsalPlan, RehearsalStep};
pub(crate) use routes::FallbackList;
pub use service::{FallbackLayer, FallbackService};
pub use step::Fallback;

pub use crate::context::Fallbacks;
pub use crate::served_by::CannedReply;
pub use crate::target::{
    Capabilities, Compatibility, Edit, ForeignReasoning, Prefill, SpokenDialects, Target,
};
