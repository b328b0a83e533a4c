//! What answers requests: the evenkeel clients, who may use them, and the bounds of their calls.

use std::{net::SocketAddr, time::Duration};

use evenkeel::{
    Client, ClientBuilder, ConfigError,
    adapter::Reconnect,
    config::{FallbackKind, NamedFallback, Settings},
};
use http::Uri;
use serde::Serialize;

use crate::{
    access::Access, admin::Observers, call::CallBounds, chaos::Chaos, check::PlannedCheck,
    limits::GatewayLimits, transport::Transport,
};

/// Answers requests. It has the breakers, budgets and connections; a reload replaces it by one with the same state.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Sends calls in a known dialect.
    pub(crate) chat: Client,
    /// Sends all other requests, with limits that fit any of them.
    pub(crate) other: Client,
    /// Where requests are sent: scheme, host and port.
    pub(crate) origin: Uri,
    /// The name of the first target.
    pub(crate) name: String,
    pub(crate) bounds: CallBounds,
    /// Who may use it.
    pub(crate) access: Access,
    /// The fallbacks in their order, the first target included.
    pub(crate) order: Vec<OrderedFallback>,
    /// The checks of the targets that the operator may ask for; none without the operator's listener.
    pub(crate) checks: Vec<PlannedCheck>,
    /// Faults on purpose.
    pub(crate) chaos: Chaos,
    observers: Option<Observers>,
    transport: SharedTransport,
}

/// What a gateway is made of.
pub(crate) struct GatewayParts<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) limits: &'a GatewayLimits,
    pub(crate) origin: Uri,
    /// The address that is configured.
    pub(crate) listen: SocketAddr,
    pub(crate) transport: SharedTransport,
    /// The listeners for the operator, if there are any.
    pub(crate) observers: Option<Observers>,
    pub(crate) checks: Vec<PlannedCheck>,
}

/// A fallback by name.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OrderedFallback {
    name: String,
    /// `target`, `stored` or `canned`.
    kind: &'static str,
}

/// A transport, and what it was made for.
#[derive(Clone, Debug)]
pub(crate) struct SharedTransport {
    pub(crate) transport: Reconnect<Transport>,
    connect: Duration,
    https: bool,
}

// === impl Gateway ===

impl Gateway {
    /// Builds a gateway with the state of the one `before`, if there is one.
    pub(crate) fn new(parts: GatewayParts<'_>, before: Option<&Self>) -> Result<Self, ConfigError> {
        let GatewayParts { settings, limits, origin, listen, transport, observers, checks } = parts;
        let observers = before.map_or(observers, |before| before.observers.clone());
        let chaos = Chaos::of(settings, before.map(|before| &before.chaos));
        let build = || {
            let clients = builders(limits, settings, observers.as_ref());
            clients.map(|client| chaos.within(client))
        };
        let over = || transport.transport.clone();
        let access = Access::new(settings, listen, before.map(|before| &before.access))?;
        let [chat, other] = build();
        let chat = chat.build_with(over()).map_err(|error| settings.locate(&error, |_| true))?;
        let other = other.build_with(over()).map_err(|error| settings.locate(&error, unstored))?;
        // Nothing of the state is touched before all of it is known to be right.
        let [chat, other] = match before {
            Some(before) => {
                let [new_chat, new_other] = build();
                [
                    new_chat.state_of(&before.chat).build_with(over())?,
                    new_other.state_of(&before.other).build_with(over())?,
                ]
            }
            None => [chat, other],
        };
        Ok(Self {
            chat,
            other,
            origin,
            name: first_name(settings),
            bounds: CallBounds::new(limits, before.map(|before| &before.bounds)),
            access,
            order: order(settings),
            checks,
            chaos,
            observers,
            transport,
        })
    }

    /// The transport of a gateway that may take the place of this one.
    pub(crate) fn transport(&self) -> &SharedTransport {
        &self.transport
    }
}

/// Only chats are stored.
fn unstored(fallback: &NamedFallback) -> bool {
    fallback.kind != FallbackKind::Stored
}

/// Of the client for calls in a known dialect, and of the client for all other requests.
fn builders(
    limits: &GatewayLimits,
    settings: &Settings,
    observers: Option<&Observers>,
) -> [ClientBuilder; 2] {
    let other = Client::builder()
        .profile(limits.other.clone())
        .fallback_policy(settings.fallback_policy(unstored));
    let other = settings.identity.iter().cloned().fold(other, ClientBuilder::identity);
    let observe = |builder| observers.iter().fold(builder, |builder, it| it.observe(builder));
    [observe(settings.builder()), observe(other)]
}

/// The name of the first target.
fn first_name(settings: &Settings) -> String {
    settings.first.as_ref().map_or("primary", |first| &first.name).to_owned()
}

/// The fallbacks in their order.
fn order(settings: &Settings) -> Vec<OrderedFallback> {
    let first = OrderedFallback { name: first_name(settings), kind: "target" };
    let below = settings.fallbacks.iter().map(|fallback| OrderedFallback {
        name: fallback.name.clone(),
        kind: match fallback.kind {
            FallbackKind::Stored => "stored",
            FallbackKind::Canned => "canned",
            _ => "target",
        },
    });
    [first].into_iter().chain(below).collect()
}

// === impl SharedTransport ===

impl SharedTransport {
    /// A transport; the one `before`, with its connections, if that is the same.
    pub(crate) fn new(
        connect: Duration,
        https: bool,
        before: Option<&Self>,
    ) -> Result<Self, String> {
        match before {
            Some(before) if (before.connect, before.https) == (connect, https) => {
                Ok(before.clone())
            }
            _ => {
                let transport = Transport::reconnecting(connect, https)?;
                Ok(Self { transport, connect, https })
            }
        }
    }
}
