//! The server: the listener and its connections, their limits, the shutdown.

mod lifecycle;
mod listener;
mod request_body;
mod signals;

pub(crate) use self::{
    lifecycle::{Lifecycle, Phase},
    listener::GatewayServer,
    signals::signals,
};
