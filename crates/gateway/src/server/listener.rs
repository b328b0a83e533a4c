//! The listener: accepts connections until the shutdown, and waits for their answers.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout},
};

use super::{
    answer::Answers,
    connection,
    connections::Connections,
    drain_end::DrainEnder,
    lifecycle::{Lifecycle, Phase},
    signals::Shutdown,
    socket,
    tls::ServerTls,
};
use crate::{
    admin::{AdminServer, OpenConnections, Watched},
    call::router,
    reload::Current,
    setup::Setup,
};

/// A gateway that is bound to its port. It answers while [`run`](Self::run) runs.
#[derive(Debug)]
pub(crate) struct GatewayServer {
    listener: TcpListener,
    address: SocketAddr,
    answers: Answers,
    current: Current,
    ender: DrainEnder,
    connections: Arc<Connections>,
    drain: Duration,
    tls: Option<Arc<ServerTls>>,
    lifecycle: Lifecycle,
    /// The operator's listener, if there is one.
    admin: Option<AdminServer>,
}

/// How the server has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The answers that were in progress at the end of the drain. They were cut, or ended with an error.
    pub(crate) cut: usize,
}

/// Says at most once a minute that no connection can be taken.
#[derive(Debug, Default)]
struct AcceptErrors {
    reported: Option<Instant>,
    unreported: u64,
}

/// The time for the last events of streams that the end of the drain cuts.
const LAST_EVENTS: Duration = Duration::from_secs(2);
/// The pause after an error of the system, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The time between two reports of such errors.
const REPORT: Duration = Duration::from_secs(60);

// === impl GatewayServer ===

impl GatewayServer {
    /// Binds the address. The error is one line.
    pub(crate) async fn bind(setup: Setup) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("cannot listen on {}: {error}", setup.listen);
        let listener = socket::listen(setup.listen).map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let connections = Connections::new(setup.limits.edges);
        let (ender, drain_end) = DrainEnder::new();
        let (current, lifecycle) = (Current::new(setup.gateway), Lifecycle::default());
        let answers = Answers { router: router(current.clone(), lifecycle.clone()), drain_end };
        let admin = match setup.admin {
            Some(admin) => {
                let watched = Watched {
                    current: current.clone(),
                    lifecycle: lifecycle.clone(),
                    listen: address,
                    connections: open_connections(&connections, setup.limits.edges.connections),
                };
                Some(AdminServer::bind(admin, watched).await?)
            }
            None => None,
        };
        let (drain, tls) = (setup.limits.drain, setup.tls.map(Arc::new));
        Ok(Self {
            listener,
            address,
            answers,
            current,
            ender,
            connections,
            drain,
            tls,
            lifecycle,
            admin,
        })
    }

    /// The address that is bound.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The address of the operator's listener, if there is one.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(AdminServer::address)
    }

    /// The gateway that answers, which a reload replaces.
    pub(crate) fn current(&self) -> &Current {
        &self.current
    }

    /// Answers until the first request to shut down; then waits for requests in flight, for the drain time or until the second.
    pub(crate) async fn run(self, mut shutdown: Shutdown) -> Ended {
        let Self { listener, answers, ender, connections, drain, tls, lifecycle, admin, .. } = self;
        let admin = admin.map(|admin| tokio::spawn(admin.run()));
        lifecycle.enter(Phase::Listening);
        let sweep = tokio::spawn(connections.clone().sweep_forever());
        tokio::select! {
            biased;
            _ = shutdown.recv() => {}
            () = lifecycle.drain_requested() => {}
            () = accept_forever(&listener, &connections, &answers, tls.as_ref()) => {}
        }
        lifecycle.enter(Phase::Draining);
        drop(listener);
        connections.drain();
        tracing::info!(answers = connections.calls(), "ending: what is under way has {drain:?}");
        let all = tokio::select! {
            () = connections.ended() => true,
            () = sleep(drain) => false,
            Some(()) = shutdown.recv() => false,
        };
        let cut = if all { 0 } else { connections.calls() };
        if cut > 0 {
            tracing::warn!(answers = cut, "ended: some answers were cut");
            ender.end();
            let _ = timeout(LAST_EVENTS, connections.ended()).await;
        } else {
            tracing::info!("ended: all answers are through");
        }
        connections.cut();
        sweep.abort();
        // It has answered until now, so that the drain can be watched.
        if let Some(admin) = admin {
            admin.abort();
        }
        Ended { cut }
    }
}

/// The open connections, for the operator.
fn open_connections(connections: &Arc<Connections>, max: usize) -> OpenConnections {
    let connections = connections.clone();
    OpenConnections::new(max, move || connections.open())
}

/// Accepts connections and answers each in a task of its own.
async fn accept_forever(
    listener: &TcpListener,
    connections: &Arc<Connections>,
    answers: &Answers,
    tls: Option<&Arc<ServerTls>>,
) {
    let mut errors = AcceptErrors::default();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let place = connections.admit(peer.ip()).await;
                socket::prepare(&stream, place.limits());
                let answers = answers.clone();
                match tls.cloned() {
                    None => tokio::spawn(connection::answer(stream, place, answers)),
                    Some(tls) => {
                        tokio::spawn(connection::answer_secured(stream, place, answers, tls))
                    }
                };
            }
            // Only that connection has failed.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                errors.report(&error, Instant::now());
                connections.shed();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

// === impl AcceptErrors ===

impl AcceptErrors {
    fn report(&mut self, error: &io::Error, now: Instant) {
        if self.reported.is_some_and(|at| at + REPORT > now) {
            self.unreported += 1;
            return;
        }
        let before = std::mem::take(&mut self.unreported);
        self.reported = Some(now);
        tracing::warn!(%error, before, "no connection could be taken");
    }
}
