//! The listener: accepts connections, up to a limit, until the shutdown.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::{request_body::respond, signals::Shutdown, tls::ServerTls};
use crate::{call::router, setup::Setup};

/// A gateway that is bound to its port. It answers while [`run`](Self::run) runs.
#[derive(Debug)]
pub(crate) struct GatewayServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    connections: Arc<Semaphore>,
    drain: Duration,
    tls: Option<Arc<ServerTls>>,
}

/// What one connection is answered with.
#[derive(Debug)]
struct Served {
    router: Router,
    watcher: Watcher,
    permit: OwnedSemaphorePermit,
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
        let router = router(Arc::new(setup.gateway));
        let tls = setup.tls.map(Arc::new);
        Ok(Self { listener, address, router, connections, drain: setup.limits.drain, tls })
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

    /// Answers until the first request to shut down; then waits for requests in flight, for the drain time or until the second.
    pub(crate) async fn run(self, mut shutdown: Shutdown) {
        let Self { listener, router, connections, drain, tls, .. } = self;
        let in_flight = GracefulShutdown::new();
        loop {
            tokio::select! {
                biased;
                _ = shutdown.recv() => break,
                (stream, permit) = accept(&listener, &connections) => {
                    let served = Served { router: router.clone(), watcher: in_flight.watcher(), permit };
                    tokio::spawn(secured(stream, tls.clone(), served));
                }
            }
        }
        drop(listener);
        tracing::info!("ending: what is under way has {drain:?}");
        tokio::select! {
            () = in_flight.shutdown() => tracing::info!("ended: all answers are through"),
            () = sleep(drain) => tracing::warn!("ended: some answers were cut"),
            Some(()) = shutdown.recv() => tracing::warn!("ended at once"),
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

/// Answers one connection, after the handshake if the listener has TLS.
async fn secured(stream: TcpStream, tls: Option<Arc<ServerTls>>, served: Served) {
    // The events of a stream are small, and each has to be sent at once.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, served).await,
        Some(tls) => {
            if let Some(stream) = tls.accept(stream).await {
                serve(stream, served).await;
            }
        }
    }
}

/// Answers one connection. An error of the connection is seen by its client.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    Served { router, watcher, permit }: Served,
) {
    let service = service_fn(move |request| respond(router.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let _ = watcher.watch(connection).await;
    drop(permit);
}
