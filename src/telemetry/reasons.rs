//! Why something was not done, in one word, and whose code panicked.

/// Code of the user's, called by evenkeel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserCode {
    /// A listener: an [`Observer`](super::Observer).
    Listener,
    /// A canned reply: the closure of a [`Canned`](crate::fallback::Canned).
    Canned,
    /// A store of answers: a [`Store`](crate::cache::Store).
    Store,
    /// A schedule of retries: see [`RetryPolicy::schedule`](crate::retry::RetryPolicy::schedule).
    Schedule,
}

/// Why a fallback was passed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// The call needs something that the fallback does not offer.
    Capability,
    /// The failure so far is not one that this fallback is for.
    Outcome,
    /// No time is left for it.
    Deadline,
    /// The body of the request can be sent only once.
    Once,
    /// The fallback would send the same to the same place once more: nothing in the request is for it to change.
    Unchanged,
    /// No stored answer is there.
    Missing,
    /// The call belongs to the account or the model that it was addressed to, or the provider may have done already what
    /// is not to be done twice. A fallback gets such calls by [`operations`](crate::fallback::Fallback::operations).
    Bound,
}

/// Why no stored answer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissReason {
    /// None is stored.
    Absent,
    /// It is older than may be given.
    Old,
    /// It was stored in another form, and cannot be put into the one that is asked.
    Form,
    /// The store did not find it in time.
    Late,
    /// The store failed.
    Failed,
}

/// Why there was no further retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// All retries are used.
    Exhausted,
    /// The budget of the route is spent.
    Budget,
    /// The wait, or the attempt after it, does not fit into what is left until the deadline.
    Deadline,
    /// The body of the request can be sent only once.
    Once,
    /// The breaker of the route has opened, for longer than the wait.
    Breaker,
    /// The provider may have done what was asked, and to do it twice would change or cost something twice.
    Unsafe,
}
