//! Requests with a body that can be sent only once.

/// Marks a request, in its extensions, that can be sent only once: it is neither retried nor sent to another target. A canned
/// reply still applies.
///
/// For a custom transport that streams a request's body from elsewhere: the body that evenkeel sees is empty then, and cannot be
/// sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NonReplayable;
