//! The server: the listener and its connections, their limits, the shutdown.
//!
//! Nothing that a peer does or omits holds a place for ever: see [`Activity`](activity::Activity) for the limits of one connection,
//! [`Connections`](connections::Connections) for their number, [`WriteBudget`](write_budget::WriteBudget) for the memory of slow
//! readers and [`BodyPace`](body_pace::BodyPace) for slow senders.
//!
//! At the shutdown idle connections are closed, heads that are incomplete have a quarter of a second and bodies that stand still two
//! seconds. Answers in progress have the drain time, then [`DrainEnd`] is reached.

mod activity;
mod answer;
mod body_pace;
mod connection;
mod connections;
mod descriptors;
mod drain_end;
mod lifecycle;
mod listener;
mod moment;
mod peer;
mod request_body;
mod signals;
mod socket;
mod table;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
#[cfg(feature = "tls")]
mod tls;
mod waiting;
mod watched_io;
mod write_budget;

#[cfg(test)]
pub(crate) use self::listener::Ended;
pub(crate) use self::{
    descriptors::fit,
    drain_end::DrainEnd,
    lifecycle::{Lifecycle, Phase},
    listener::GatewayServer,
    signals::{on_kill_switch, signals},
    tls::ServerTls,
};
