//! The server: the listener and its connections, their limits, the shutdown.

mod listener;
mod request_body;
mod signals;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
#[cfg(feature = "tls")]
mod tls;

pub(crate) use self::{listener::GatewayServer, signals::signals, tls::ServerTls};
