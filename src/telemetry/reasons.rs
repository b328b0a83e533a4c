//! Why a step was not taken, and which user code panicked.

/// User code that evenkeel calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserCode {
    /// An [`Observer`](super::Observer).
    Listener,
    /// The closure of a canned reply: see [`Canned`](crate::fallback::Canned).
    Canned,
    /// A [`Store`](crate::cache::Store) of answers.
    Store,
    /// A schedule of retries: see [`RetryPolicy::schedule`](crate::retry::RetryPolicy::schedule).
    Schedule,
    /// A [`CredentialSource`](crate::credentials::CredentialSource) or a
    /// [`RequestSigner`](crate::credentials::RequestSigner).
    Credentials,
}

/// Why there were no credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialFailure {
    /// Their source returned an error.
    Failed,
    /// Their source did not answer in time.
    TimedOut,
    /// Their source panicked.
    Panicked,
    /// Their source returned none, or a header that cannot be sent or must not be set.
    Invalid,
    /// The request was redirected to another host than they are for, by a layer of the user.
    OtherHost,
}

/// Why a fallback was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// The call needs something that the fallback does not offer.
    Capability,
    /// The fallback does not take the failure so far.
    Outcome,
    /// No time is left for it.
    Deadline,
    /// The body of the request can be sent only once.
    Once,
    /// The call has sent as many bytes again as it may: see [`resend_bytes`](crate::retry::RetryPolicy::resend_bytes).
    Resent,
    /// The fallback would send the same request to the same place again: its edit changes nothing.
    Unchanged,
    /// No stored answer was found.
    Missing,
    /// The call is bound to the account or the model that it was addressed to, or the provider may already have done what must
    /// not be repeated. [`operations`](crate::fallback::Fallback::operations) lets a fallback take such calls.
    Bound,
}

/// Why no stored answer was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissReason {
    /// None is stored.
    Absent,
    /// The stored answer is too old.
    Old,
    /// The answer was stored in another form, and cannot be converted to the requested one.
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
    /// The budget of the route is exhausted.
    Budget,
    /// The wait, or the attempt after it, does not fit into the time left until the deadline.
    Deadline,
    /// The body of the request can be sent only once.
    Once,
    /// The call has sent as many bytes again as it may: see [`resend_bytes`](crate::retry::RetryPolicy::resend_bytes).
    Resent,
    /// The breaker of the route is open for longer than the wait.
    Breaker,
    /// The provider may have acted on the request, and a repetition would change or cost something twice.
    Unsafe,
}
