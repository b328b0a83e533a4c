//! What hyper tells of the connection that a request went out on.

use std::{error::Error as StdError, net::SocketAddr};

use http::Extensions;
use hyper_util::client::legacy::{self, connect::HttpInfo};

use crate::{Error, error::find};

/// Our end of the connection that an answer came on.
pub(super) fn address(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<HttpInfo>().map(HttpInfo::local_addr)
}

/// Our end of the connection that a request failed on.
pub(super) fn address_of(error: &Error) -> Option<SocketAddr> {
    let error: &legacy::Error = find(error)?;
    let mut extensions = Extensions::new();
    error.connect_info()?.get_extras(&mut extensions);
    address(&extensions)
}

/// Whether the system gave the connection up, as nothing that was sent arrived: it is dead, however long that took.
pub(super) fn is_unacknowledged(error: &(dyn StdError + 'static)) -> bool {
    let error: Option<&std::io::Error> = find(error);
    error.is_some_and(|error| {
        error.kind() == std::io::ErrorKind::TimedOut && error.raw_os_error().is_some()
    })
}
