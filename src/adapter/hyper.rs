//! The connection of a request, as reported by hyper or by another transport.

use std::{error::Error as StdError, net::SocketAddr};

use http::Extensions;
use hyper_util::client::legacy::{self, connect::HttpInfo};

use crate::{
    Error,
    error::find,
    upstream::{ConnectionError, LocalAddress},
};

/// The local address of the connection that an answer came on.
pub(super) fn address(extensions: &Extensions) -> Option<SocketAddr> {
    let on_socket = extensions.get::<HttpInfo>().map(HttpInfo::local_addr);
    on_socket.or_else(|| extensions.get().map(|LocalAddress(address)| *address))
}

/// The local address of the connection that a request failed on.
pub(super) fn address_of(error: &Error) -> Option<SocketAddr> {
    let Some(error) = find::<legacy::Error>(error) else {
        return find(error).map(|error: &ConnectionError| error.local_address().0);
    };
    let mut extensions = Extensions::new();
    error.connect_info()?.get_extras(&mut extensions);
    address(&extensions)
}

/// Whether no connection was made, so that nothing was sent.
pub(super) fn is_connect(error: &(dyn StdError + 'static)) -> bool {
    find(error).is_some_and(legacy::Error::is_connect)
}
