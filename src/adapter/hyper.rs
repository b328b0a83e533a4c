//! What hyper, or the testkit in its place, tells of the connection that a request went out on.

use std::{error::Error as StdError, net::SocketAddr};

use http::Extensions;
use hyper_util::client::legacy::{self, connect::HttpInfo};

#[cfg(feature = "testkit")]
use crate::testkit::provider::{Line, LineBroke};
use crate::{Error, error::find};

/// Our end of the connection that an answer came on.
pub(super) fn address(extensions: &Extensions) -> Option<SocketAddr> {
    let on_socket = extensions.get::<HttpInfo>().map(HttpInfo::local_addr);
    on_socket.or_else(|| in_process(extensions))
}

/// Our end of the connection that a request failed on.
pub(super) fn address_of(error: &Error) -> Option<SocketAddr> {
    let Some(error) = find::<legacy::Error>(error) else { return broke_in_process(error) };
    let mut extensions = Extensions::new();
    error.connect_info()?.get_extras(&mut extensions);
    address(&extensions)
}

#[cfg(feature = "testkit")]
fn in_process(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get().map(Line::address)
}

#[cfg(feature = "testkit")]
fn broke_in_process(error: &Error) -> Option<SocketAddr> {
    find(error).map(LineBroke::address)
}

#[cfg(not(feature = "testkit"))]
fn in_process(_: &Extensions) -> Option<SocketAddr> {
    None
}

#[cfg(not(feature = "testkit"))]
fn broke_in_process(_: &Error) -> Option<SocketAddr> {
    None
}

/// Whether the system gave the connection up, as nothing that was sent arrived: it is dead, however long that took.
pub(super) fn is_unacknowledged(error: &(dyn StdError + 'static)) -> bool {
    let error: Option<&std::io::Error> = find(error);
    error.is_some_and(|error| {
        error.kind() == std::io::ErrorKind::TimedOut && error.raw_os_error().is_some()
    })
}
