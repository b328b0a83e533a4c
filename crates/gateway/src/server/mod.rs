//! The server: the listener and its connections, their limits, the shutdown.

mod listener;
mod request_body;
mod signals;

pub(crate) use self::{
    listener::GatewayServer,
    signals::{on_kill_switch, signals},
};
