//! The server: the listener and its connections, their limits, the shutdown.

mod drain_end;
mod listener;
mod request_body;
mod signals;

#[allow(unused_imports, reason = "call reads it from the extensions of a request")]
pub(crate) use self::{drain_end::DrainEnd, listener::GatewayServer, signals::signals};
