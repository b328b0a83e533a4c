//! Bodies that can be sent once.

/// Says, in the extensions of a request, that it can be sent only once: no retry, no other target. A canned reply still
/// stands below.
///
/// For a transport of your own that streams a request's body from elsewhere: the body that evenkeel sees is empty then,
/// and cannot be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NonReplayable;
