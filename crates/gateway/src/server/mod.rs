//! The server: the listener and its connections, their limits, the shutdown.

mod drain_end;
mod listener;
mod request_body;
mod signals;

pub(crate) use self::{drain_end::DrainEnd, listener::GatewayServer, signals::signals};
