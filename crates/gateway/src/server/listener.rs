//! The listener: accepts connections, up to a limit, until the shutdown.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::{
    lifecycle::{Lifecycle, Phase},
    request_body::respond,
    signals::Shutdown,
};
use crate::{
    admin::{AdminServer, Watched},
    call::router,
    setup::Setup,
};

/// A gateway that is bound to its port. It answers while [`run`](Self::run) runs.
#[derive(Debug)]
pub(crate) struct GatewayServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    connections: Arc<Semaphore>,
    drain: Duration,
    lifecycle: Lifecycle,
    /// The operator's listener, if there is one.
    admin: Option<AdminServer>,
}

/// The time a client has for the head of a request, and may be idle before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// The pause after an error of the system, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

// === impl GatewayServer ===

impl GatewayServer {
    /// Binds the address. The error is one line.
    pub(crate) async fn bind(setup: Setup) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("cannot listen on {}: {error}", setup.listen);
        let listener = TcpListener::bind(setup.listen).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let connections = Arc::new(Semaphore::new(setup.limits.connections));
        let (gateway, lifecycle) = (Arc::new(setup.gateway), Lifecycle::default());
        let router = router(gateway.clone(), lifecycle.clone());
        let admin = match setup.admin {
            Some(admin) => {
                let watched = Watched {
                    gateway,
                    lifecycle: lifecycle.clone(),
                    listen: address,
                    connections: connections.clone(),
                    max_connections: setup.limits.connections,
                };
                Some(AdminServer::bind(admin, watched).await?)
            }
            None => None,
        };
        let drain = setup.limits.drain;
        Ok(Self { listener, address, router, connections, drain, lifecycle, admin })
    }

    /// The address that is bound.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the operator's listener, if there is one.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(AdminServer::address)
    }

    /// Answers until the first request to shut down; then waits for requests in flight, for the drain time or until the second.
    pub(crate) async fn run(self, mut shutdown: Shutdown) {
        let Self { listener, router, connections, drain, lifecycle, admin, .. } = self;
        let admin = admin.map(|admin| tokio::spawn(admin.run()));
        lifecycle.enter(Phase::Listening);
        let in_flight = GracefulShutdown::new();
        loop {
            tokio::select! {
                biased;
                _ = shutdown.recv() => break,
                () = lifecycle.drain_requested() => break,
                (stream, permit) = accept(&listener, &connections) => {
                    tokio::spawn(serve(stream, router.clone(), in_flight.watcher(), permit));
                }
            }
        }
        lifecycle.enter(Phase::Draining);
        drop(listener);
        tracing::info!("ending: what is under way has {drain:?}");
        tokio::select! {
            () = in_flight.shutdown() => tracing::info!("ended: all answers are through"),
            () = sleep(drain) => tracing::warn!("ended: some answers were cut"),
            Some(()) = shutdown.recv() => tracing::warn!("ended at once"),
        }
        // It has answered until now, so that the drain can be watched.
        if let Some(admin) = admin {
            admin.abort();
        }
    }
}

/// The next connection, once fewer than the limit are open. The others wait in the queue of the system.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(permit) = connections.clone().acquire_owned().await else {
            // It is never closed.
            std::future::pending().await
        };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers one connection. An error of the connection is seen by its client.
async fn serve(
    stream: TcpStream,
    router: Router,
    in_flight: Watcher,
    permit: OwnedSemaphorePermit,
) {
    // The events of a stream are small, and each has to be sent at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| respond(router.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let _ = in_flight.watch(connection).await;
    drop(permit);
}
