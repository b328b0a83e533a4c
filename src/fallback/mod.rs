//! The ladder: what is asked next when a target fails, down to a reply that cannot fail.
//!
//! A [`FallbackService`] tries its fallbacks in order until one answers. Use it wherever a customer waits: an outage of the provider then
//! costs quality, step by step, in an order the business chose, and never an answer.
//!
//! | fallback | what it is |
//! |---|---|
//! | [`Fallback::original_request`] | where the caller sent the request: the first target, unless another is put there |
//! | [`Fallback::target`] | another model, key, region or provider: a [`Target`] |
//! | [`Fallback::targets`] | several that are as good as each other; [`balance`](crate::balance), below, chooses for each attempt |
//! | [`Fallback::stored`] | the last good answer to the same request, from the [`cache`](crate::cache) |
//! | [`Fallback::wait_for_recovery`] | waits for recovery, and asks the fallbacks above again: for work that nobody waits for |
//! | [`Fallback::canned`], [`Fallback::reply`] | a reply that cannot fail; the last fallback |
//!
//! Below the first, those of the call itself come before those of all calls: [`Fallbacks`] in the extensions of its request.
//!
//! # Which failures move down
//!
//! Those that another target may not have: the provider is unavailable, limits the rate, is silent, cannot be reached,
//! breaks or cuts its answer; the quota, the credential or the model is gone; our own breaker refused. A request that is
//! too large goes to a fallback that declares a larger context, or none. A request that is wrong everywhere, and one that
//! the provider's content filter refused, are answered as they are: the ladder does not route around a refusal.
//! [`Fallback::on`] makes a fallback for some failures alone, [`FallbackOn`]: a request that is too large goes to the model with the large
//! context, a slow route to the small model, a failing tool to the same model without it. It can also open the two ways that
//! are closed by default, for blocked content and for a request that was rejected as wrong; only fallbacks that name these are
//! asked then.
//!
//! When all fallbacks fail, the caller sees the failure of the first; the [`AttemptLog`](crate::context::AttemptLog) has the rest.
//!
//! # Which calls stay
//!
//! An answer of another account, or of another model, is not always one. These calls stay at the first target's target, and at
//! those of its equals that have the same account or model; a fallback below is passed by for them
//! ([`SkipReason::Bound`](crate::telemetry::SkipReason::Bound)):
//!
//! | call | goes below |
//! |---|---|
//! | chats, token counts, moderations, reranking | to any fallback |
//! | embeddings | nowhere: vectors of another model are of no use |
//! | pictures, speech | nowhere: each one costs |
//! | files, batches, training, all that is stored at a provider, models, unknown paths | to fallbacks at the same account |
//! | chats that name a file, a stored response, a conversation, a container, a vector store or a cache | to fallbacks at the same account |
//! | chats with a model that is the account's own (`ft:…`) | to fallbacks at the same account, or with a model of their own |
//!
//! [`Fallback::operations`] takes them by name. What changes something at the provider is never sent once more after an attempt that
//! may have changed it, to whichever target: see [`retry`](crate::retry).
//!
//! # Asking for less
//!
//! An [`Edit`] makes a fallback ask for less than the caller did, in every dialect: a shorter answer, no tools or not that one,
//! fewer of the oldest turns, no images, no stream. It is applied behind the fallback's target; what it does not name keeps its
//! bytes. What a call then still needs must be offered ([`Capabilities`]: context, tools, vision, JSON), else the fallback is passed by;
//! the first target too, where another takes the call.
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
//! `:no-images` or `:no-stream`), and with it a breaker of its own: calls with a tool that is gone may open the breaker of the
//! model, and the same model without the tool goes on answering. When the provider is down altogether each of the two finds it
//! out. A fallback that would send to the same place what has just failed there, as the call brings no such tool, is passed by.
//!
//! What a dropped tool was asked and said in earlier turns goes with it, each call with its results; the question is asked
//! anew. A word stays in the place of an image.
//!
//! # Canned replies
//!
//! A text, or a closure over the [`CannedContext`]: the last words of the user, the languages of `accept-language`, the model. It
//! comes in the dialect and form that was asked, and is marked so that a business can count and show it: by the extension
//! [`CannedReply`], by the header `evenkeel-canned: true`, and by an id with `canned` in it (`chatcmpl-canned-…`,
//! `resp_canned-…`, `msg_canned-…`, Gemini's `responseId`; Ollama has none).
//!
//! # Streams that fail while they are read
//!
//! They end in an error, unless [`FallbackPolicy::mid_stream_failure`] says that a fallback below is to go on with them: see
//! [`stream`](crate::stream).
//!
//! # A breaker's probe
//!
//! A call that is the probe of a route that was down may be slow, so it is raced: when it has taken as long as first events
//! there usually take (500 ms where that is not known), or a fifth of what they take on the next fallback, the targets below are
//! asked beside it, as for any other call. The first answer counts; the probe goes on to its end without its caller, for the
//! breaker to learn from. The attempt log has it from the moment the race starts, as cancelled until it ends.
//!
//! A stored answer and a canned reply race nobody: they are for a call that no target answers in its time.
//!
//! # Time
//!
//! All fallbacks share the call's deadline. A fallback keeps time back for those below it ([`Fallback::reserve`]); it is cut off
//! there, whatever it does, and the next one is asked. A stored answer and a canned reply need no time, so there is always an
//! answer. The last target that can be asked has all that is left: for it the limits of an attempt that were not set give way
//! ([`timeout`](crate::timeout)). Fallbacks that do not take the call when the one above times out do not count.
//!
//! With less than a second left, or a tenth of what the call has, no target is asked; a shorter reserve that was set is time
//! enough.
//!
//! # Extra attempts
//!
//! However many fallbacks a call has, it makes at most one attempt at each, as many retries at the first target as its
//! policy allows, and as many more at all those below together. What may have been billed (a broken connection, an answer
//! that was cut, empty or not of this API, a second copy) is repeated once in a call. A call that waits for recovery asks
//! again beyond that, without retries; it ends after five answers that were paid for and of no use.
//!
//! # Defaults
//!
//! * one fallback: the request as it was addressed
//! * reserve: a third of the time that is left, for all targets below together; at most two thirds, whatever is set
//! * a fallback asks for all that the caller did, and is for every failure that moves down
//! * a fallback offers everything: any context size, tools, images, answers in JSON; but a prefill only where it declares it
//! * a stream that fails while it is read ends in an error
//!
//! # Example
//!
//! ```
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
//! They belong to a target. To another origin go the headers and the keys of a query that are known to be for every
//! provider, and the target's own: the key of one is never sent to another, whatever it is called. What else a provider of
//! yours needs is added by [`IdentityPolicy::forward`](crate::identity::IdentityPolicy::forward). A header whose value is
//! marked as [sensitive](http::HeaderValue::set_sensitive) never goes along.
//!
//! # Events
//!
//! [`FallbackEntered`](crate::telemetry::EventKind::FallbackEntered), [`RequestEdited`](crate::telemetry::EventKind::RequestEdited) with
//! counts and names of tools, [`FallbackSkipped`](crate::telemetry::EventKind::FallbackSkipped),
//! [`ProbeRaced`](crate::telemetry::EventKind::ProbeRaced), [`Resumed`](crate::telemetry::EventKind::Resumed). The answer of any
//! fallback but the first carries the headers `evenkeel-served-by` and `evenkeel-attempts`; those of a stream that is gone on with
//! are the ones of its beginning.
//!
//! # Pitfalls
//!
//! [`Fallback::original_request`] is where the caller sent the call. Where another target stands in the first place
//! ([`FallbackPolicy::primary`]), the same model without a tool is `Fallback::target` with that target again.
//!
//! The ladder rewrites where a request goes and which model it names, not its language: a target must speak the dialect
//! of the request. A target at an unusual path says which it speaks ([`Target::dialect`]), and where
//! ([`Target::endpoint`]). A request without a known dialect (embeddings, files) is not answered by a canned reply, nor
//! edited.
//!
//! Tokens are estimated, four bytes of the request to one: declare a context with room to spare. Text in scripts such as
//! Chinese takes more tokens than that. What a provider keeps of a conversation itself (`previous_response_id`) is not counted.
//!
//! A canned reply to a call that wants JSON is the text all the same: let the closure write JSON there.
//!
//! # The map
//!
//! | what | file |
//! |---|---|
//! | the fallbacks | `policy`: in order; `step`: one; `canned`, `canned_context`; `fallbacks`: of one call; `check`: which are right |
//! | whether a fallback is asked | `fallback_on`: the failures it is for; `bound`: the calls that stay; `ready`: these, what it can do and what it asks less of |
//! | one call | `steps`: asks one fallback; `descent`: fallback after fallback; `descent/below`: which fallbacks below take the call; `failure`: what failed on the way |
//! | on the way | `race`: of a probe with the fallbacks below; `wait`, `gate`: for recovery, one by one; `restream`, `resume`: the answer as a stream, and to its end |

mod bound;
mod canned;
mod canned_context;
mod check;
mod eligibility;
mod failure;
mod fallback_on;
mod fallbacks;
mod policy;
mod race;
mod recovery_queue;
mod resume;
mod routes;
mod run;
mod service;
mod step;
mod steps;
mod to_stream;
mod wait;

pub use canned::{Canned, CannedReply};
pub use canned_context::CannedContext;
pub use fallback_on::FallbackOn;
pub use policy::FallbackPolicy;
pub(crate) use routes::FallbackList;
pub use service::{FallbackLayer, FallbackService};
pub use step::Fallback;

pub use crate::context::Fallbacks;
pub use crate::target::{Capabilities, Edit, Prefill, SpokenDialects, Target};
