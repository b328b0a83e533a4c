//! The listener, its bounds, its end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::sleep,
};
use tower::ServiceExt;

use super::{proxy::router, setup::Setup};

/// A gateway that has its port, and does not answer yet.
#[derive(Debug)]
pub(crate) struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    connections: Arc<Semaphore>,
    drain: Duration,
}

/// How often it was asked to end.
pub(crate) type Stop = mpsc::Receiver<()>;

/// A client has so long for the head of a request, and may be idle for so long before it.
const HEAD: Duration = Duration::from_secs(75);
/// After a failure of the system, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

// === impl Listening ===

impl Listening {
    pub(crate) async fn on(setup: Setup) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("cannot listen on {}: {error}", setup.listen);
        let listener = TcpListener::bind(setup.listen).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let connections = Arc::new(Semaphore::new(setup.limits.connections));
        let router = router(Arc::new(setup.gateway));
        Ok(Self { listener, address, router, connections, drain: setup.limits.drain })
    }

    /// The address that it really has.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is to end; then lets what is under way come to its end, for a while.
    pub(crate) async fn run(self, mut stop: Stop) {
        let Self { listener, router, connections, drain, .. } = self;
        let under_way = GracefulShutdown::new();
        loop {
            tokio::select! {
                biased;
                _ = stop.recv() => break,
                (stream, permit) = accept(&listener, &connections) => {
                    tokio::spawn(serve(stream, router.clone(), under_way.watcher(), permit));
                }
            }
        }
        drop(listener);
        tracing::info!("ending: what is under way has {drain:?}");
        tokio::select! {
            () = under_way.shutdown() => tracing::info!("ended: all answers are through"),
            () = sleep(drain) => tracing::warn!("ended: some answers were cut"),
            Some(()) = stop.recv() => tracing::warn!("ended at once"),
        }
    }
}

/// The next connection, when there is room for it. The others wait in the system's queue.
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
                sleep(PAUSE).await;
            }
        }
    }
}

/// Answers one connection. What goes wrong with it is its client's to see.
async fn serve(
    stream: TcpStream,
    router: Router,
    under_way: Watcher,
    permit: OwnedSemaphorePermit,
) {
    // An event is an event: it is not held back for the next.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(|request: Request<Incoming>| request.map(Body::new));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let _ = under_way.watch(connection).await;
    drop(permit);
}

/// SIGTERM and SIGINT.
#[cfg(unix)]
pub(crate) fn signals() -> io::Result<Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (tell, stop) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
            if tell.send(()).await.is_err() {
                break;
            }
        }
    });
    Ok(stop)
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn signals() -> io::Result<Stop> {
    let (tell, stop) = mpsc::channel(4);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() && tell.send(()).await.is_ok() {}
    });
    Ok(stop)
}
