//! The values of one call, carried in [`http::Extensions`].
//!
//! Values that a caller may put into the extensions of a request, for that call alone:
//!
//! | | what it sets | default |
//! |---|---|---|
//! | [`Deadline`] | when the call must have ended | the profile's |
//! | [`Priority`] | the order in the queue of a [limit](crate::limit) | interactive |
//! | [`AffinityKey`] | which of several [equal targets](crate::balance) it goes to | by load |
//! | [`NonReplayable`] | that its body cannot be sent again | it can |
//! | [`Tenant`](crate::cache::Tenant) | the tenant that an answer is [stored](crate::cache) for | the credential |
//! | [`Fallbacks`] | fallbacks below the first, above those of all calls | none |
//! | [`AllowedFallbacks`] | which of the fallbacks of all calls it may use | all |
//! | [`CommitPolicy`](crate::stream::CommitPolicy) | when its answer is handed on | the profile's |
//! | [`MidStreamFailure`](crate::stream::MidStreamFailure) | what happens to a stream that fails while it is read | the fallback policy's |
//! | [`Dialect`](crate::dialect::Dialect) | the dialect of the request | by the path |
//!
//! [`CallOptions`](crate::CallOptions) hold all of them but [`NonReplayable`], for any client: see
//! [`call_options`](crate::call_options).
//!
//! Layers also exchange values in the extensions: the context of the call, the context of the attempt, and values of single
//! layers. The stack puts the [`AttemptLog`] into every response it returns.
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
//! A call without a [`Deadline`] has that of its profile. A [`Route`] consists of the host, the model in the request and a
//! fingerprint of [the credential](crate::identity), unless a target sets them. The state that a stack keeps for a route is in
//! its [`Routes`].
//!
//! # Pitfalls
//!
//! An [`AttemptLog`] is a handle: it is updated until the body of the answer has ended.

mod admission;
mod affinity;
mod allowed_fallbacks;
mod attempt;
mod attempts_made;
mod budget;
mod call;
mod connection;
mod deadline;
mod fallbacks;
mod non_replayable;
mod probe;
mod queue_time;
mod resend;
mod stored;
mod suspected;
mod wait;

pub(crate) use admission::{Admission, Admits, QueueStage};
pub use affinity::AffinityKey;
pub use allowed_fallbacks::AllowedFallbacks;
pub(crate) use attempt::AttemptContext;
pub(crate) use attempts_made::{AttemptsMade, Destination};
pub(crate) use budget::{CallBudget, TargetBudget};
pub(crate) use call::{CallContext, IDEMPOTENCY_KEY};
#[cfg(feature = "hyper")]
pub(crate) use connection::Waiting;
pub(crate) use connection::{Connection, Lost};
pub(crate) use deadline::least_attempt;
pub use deadline::{Deadline, Priority};
pub use fallbacks::Fallbacks;
pub(crate) use fallbacks::{ATTEMPTS, SERVED_BY};
pub use non_replayable::NonReplayable;
pub(crate) use probe::{Probe, ProbeSignal, Raised};
pub(crate) use queue_time::QueueTime;
pub(crate) use resend::{Resend, ResendBudget, Taken};
pub(crate) use stored::{Found, LocalAnswersOnly, Lookup, StoredAnswer};
pub(crate) use suspected::Suspected;
pub(crate) use wait::{FIRST_PROBE, LONGEST_WAIT};

pub use crate::{
    attempt_log::{Attempt, AttemptLog, CallId},
    route::Route,
    route_state::Routes,
};
