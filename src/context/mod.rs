//! The values of one call, carried in [`http::Extensions`].
//!
//! What a caller may put into the extensions of a request, for that call alone:
//!
//! | | what it sets | without it |
//! |---|---|---|
//! | [`Deadline`] | by when it has ended | the profile's |
//! | [`Priority`] | who is next in the queue of a [limit](crate::limit) | interactive |
//! | [`AffinityKey`] | which of several [equal targets](crate::balance) it goes to | by load |
//! | [`NonReplayable`] | that its body cannot be sent again | it can |
//! | [`Tenant`](crate::cache::Tenant) | for whom an answer is [stored](crate::cache) | the credential |
//! | [`Fallbacks`] | fallbacks below the first, above those of all calls | none |
//! | [`CommitPolicy`](crate::stream::CommitPolicy) | when its answer is handed on | the profile's |
//! | [`MidStreamFailure`](crate::stream::MidStreamFailure) | what becomes of a stream that fails while it is read | the ladder's |
//! | [`Dialect`](crate::dialect::Dialect) | in which language it is | told by the path |
//!
//! The stack carries there, too, what one layer has to know from another: what belongs to one call, what belongs to one attempt,
//! and what belongs to one layer, each in a value of its own. It puts the [`AttemptLog`] into every response it gives back.
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::context::Deadline;
//!
//! let mut request = http::Request::post("https://api.example.com/v1/chat/completions").body(bytes::Bytes::new())?;
//! request.extensions_mut().insert(Deadline::within(Duration::from_secs(8)));
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # Defaults
//!
//! A call without a [`Deadline`] has that of its profile. A [`Route`] is made of the host, the model in the request and a
//! fingerprint of [who pays](crate::identity), unless a target says otherwise. What a stack keeps of a route is in its [`Routes`].
//!
//! # Pitfalls
//!
//! A [`AttemptLog`] is a handle: it goes on until the body of the answer has ended.

mod admission;
mod affinity;
mod attempt;
mod budget;
mod call;
mod connection;
mod deadline;
mod fallbacks;
mod non_replayable;
mod probe;
mod queue_time;
mod stored;
mod suspected;
mod wait;

pub(crate) use admission::{Admission, Admits, QueueStage};
pub use affinity::AffinityKey;
pub(crate) use attempt::AttemptContext;
pub(crate) use budget::{CallBudget, TargetBudget};
pub(crate) use call::{CallContext, IDEMPOTENCY_KEY};
#[cfg(feature = "reqwest")]
pub(crate) use connection::Waiting;
pub(crate) use connection::{Connection, Lost};
pub(crate) use deadline::least_attempt;
pub use deadline::{Deadline, Priority};
pub use fallbacks::Fallbacks;
pub(crate) use fallbacks::{ATTEMPTS, SERVED_BY};
pub use non_replayable::NonReplayable;
pub(crate) use probe::{Probe, ProbeSignal, Raised};
pub(crate) use queue_time::QueueTime;
pub(crate) use stored::{Found, LocalAnswersOnly, Lookup, StoredAnswer};
pub(crate) use suspected::Suspected;
pub(crate) use wait::{FIRST_PROBE, LONGEST_WAIT};

pub use crate::{
    attempt_log::{Attempt, AttemptLog, CallId},
    route::Route,
    route_state::Routes,
};
