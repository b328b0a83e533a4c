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
    time::{sleep, timeout},
};

use super::{
    drain_end::{DrainEnd, DrainEnder},
    request_body::respond,
    signals::Shutdown,
};
use crate::{call::router, setup::Setup};

/// A gateway that is bound to its port. It answers while [`run`](Self::run) runs.
#[derive(Debug)]
pub(crate) struct GatewayServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    connections: Arc<Semaphore>,
    drain: Duration,
}

/// What answers the requests of a connection.
#[derive(Debug)]
struct Answers {
    router: Router,
    drain_end: DrainEnd,
}

/// The time a client has for the head of a request, and may be idle before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// The time for the last events of streams that the end of the drain cuts.
const LAST_EVENTS: Duration = Duration::from_secs(2);
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
        Ok(Self { listener, address, router, connections, drain: setup.limits.drain })
    }

    /// The address that is bound.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the first request to shut down; then waits for requests in flight, for the drain time or until the second.
    pub(crate) async fn run(self, mut shutdown: Shutdown) {
        let Self { listener, router, connections, drain, .. } = self;
        let in_flight = GracefulShutdown::new();
        let (ender, drain_end) = DrainEnder::new();
        loop {
            tokio::select! {
                biased;
                _ = shutdown.recv() => break,
                (stream, permit) = accept(&listener, &connections) => {
                    let answers = Answers { router: router.clone(), drain_end: drain_end.clone() };
                    tokio::spawn(serve(stream, answers, in_flight.watcher(), permit));
                }
            }
        }
        drop(listener);
        tracing::info!("ending: what is under way has {drain:?}");
        let mut ended = std::pin::pin!(in_flight.shutdown());
        tokio::select! {
            () = &mut ended => tracing::info!("ended: all answers are through"),
            () = sleep(drain) => {
                ender.end();
                let _ = timeout(LAST_EVENTS, ended).await;
                tracing::warn!("ended: some answers were cut");
            }
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

/// Answers one connection. An error of the connection is seen by its client.
async fn serve(
    stream: TcpStream,
    answers: Answers,
    in_flight: Watcher,
    permit: OwnedSemaphorePermit,
) {
    // The events of a stream are small, and each has to be sent at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        respond(answers.router.clone(), answers.drain_end.clone(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let _ = in_flight.watch(connection).await;
    drop(permit);
}
