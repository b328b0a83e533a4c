//! The listener: connections of its own, at most [`MAX_CONNECTIONS`], each bounded in time.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{interval, sleep},
};
use tower::ServiceExt;

use super::{events, paths::paths, setup::AdminSetup, state::Admin, write_timeout::WriteTimeout};
use crate::{server::Lifecycle, setup::Gateway};

/// The operator's listener, bound to its port. It answers while [`run`](Self::run) runs.
#[derive(Debug)]
pub(crate) struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
    admin: Arc<Admin>,
}

/// What the operator watches.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) lifecycle: Lifecycle,
    /// The address of the listener of the calls.
    pub(crate) listen: SocketAddr,
    /// The connections of callers that are still allowed, and the most of them.
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) max_connections: usize,
}

/// The most open connections.
pub(super) const MAX_CONNECTIONS: usize = 64;
/// The time for the head of a request, and between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time in which a client takes nothing of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// The pause after an error of the system, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The time between two upkeeps of the metrics.
const UPKEEP: Duration = Duration::from_secs(5);

// === impl AdminServer ===

impl AdminServer {
    /// Binds the address. The error is one line.
    pub(crate) async fn bind(setup: AdminSetup, watched: Watched) -> Result<Self, String> {
        let listen = setup.listen;
        let wrong =
            |error: io::Error| format!("cannot listen on {listen} for the operator: {error}");
        let listener = TcpListener::bind(listen).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        Ok(Self { listener, address, admin: Arc::new(Admin::new(setup, watched)) })
    }

    /// The address that is bound.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is dropped.
    pub(crate) async fn run(self) {
        let Self { listener, admin, .. } = self;
        let router = paths(admin.clone());
        tokio::join!(
            accept(listener, router, admin.connections.clone()),
            events::feed(admin.clone()),
            upkeep(&admin),
        );
    }
}

/// Accepts connections, one for each permit. The others wait in the queue of the system.
async fn accept(listener: TcpListener, router: Router, connections: Arc<Semaphore>) {
    loop {
        // It is never closed.
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    serve(stream, router).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection of the operator could be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers one connection. An error of the connection is seen by its client.
async fn serve(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        router.clone().oneshot(request.map(Body::new))
    });
    let stream = WriteTimeout::new(TokioIo::new(stream), WRITE_TIMEOUT);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(stream, service);
    let _ = connection.await;
}

async fn upkeep(admin: &Admin) {
    let mut ticks = interval(UPKEEP);
    loop {
        ticks.tick().await;
        admin.exporter.upkeep();
    }
}
