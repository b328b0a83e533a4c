//! Recognises errors of the connection, and those of hyper if the feature for it is on.

use std::{error::Error as StdError, io};

#[cfg(feature = "hyper")]
pub(super) use super::hyper::is_connect;

use crate::error::find;

/// Whether no connection was made, so that nothing was sent: hyper says so, which is not there.
#[cfg(not(feature = "hyper"))]
pub(super) fn is_connect(_: &(dyn StdError + 'static)) -> bool {
    false
}

/// Whether the system ended the connection since nothing that was sent was acknowledged: it is dead, however long that took.
pub(super) fn is_unacknowledged(error: &(dyn StdError + 'static)) -> bool {
    let error: Option<&io::Error> = find(error);
    error.is_some_and(|error| {
        error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_some()
    })
}
