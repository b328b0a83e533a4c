//! Accepts connections, or refuses them.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    Provider,
    server::{
        connection::serve,
        idle::{IdleConnections, IdleFault},
    },
};

/// A provider on a loopback socket. When it is dropped, the listener and all connections close.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    provider: Provider,
    open: watch::Receiver<bool>,
    idle: IdleConnections,
    task: AbortHandle,
}

/// The listener, or the socket that holds its port while connections are refused.
#[derive(Debug)]
enum Listener {
    Open(TcpListener),
    /// Bound but not listening: the system refuses connections.
    Closed(TcpSocket),
    /// The system failed to open or to bind it; tried again soon.
    Failed,
}

/// The task that accepts connections.
struct Acceptor {
    address: SocketAddr,
    provider: Provider,
    idle: IdleConnections,
    /// Whether the listener is open.
    open: watch::Sender<bool>,
    connections: JoinSet<()>,
}

/// The number of open connections. The others wait in the queue of the system.
const MAX_CONNECTIONS: usize = 4096;
const BACKLOG: u32 = 1024;
/// The wait after a failure of the system, such as too many open files.
const RETRY_DELAY: Duration = Duration::from_millis(10);

// === impl Server ===

impl Server {
    /// Puts a provider on a free port of 127.0.0.1. Must be called in a Tokio runtime with time and I/O.
    pub async fn start(provider: Provider) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (set_open, open) = watch::channel(true);
        let idle = IdleConnections::default();
        let acceptor = Acceptor {
            address,
            provider: provider.clone(),
            idle: idle.clone(),
            open: set_open,
            connections: JoinSet::new(),
        };
        let task = tokio::spawn(acceptor.run(Listener::Open(listener))).abort_handle();
        let server = Self { address, provider, open, idle, task };
        server.settle().await;
        Ok(server)
    }

    /// `http://127.0.0.1:` and the port, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The provider, which counts the attempts.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The number of connections that are idle: open, with an answer, between two requests.
    pub fn idle_connections(&self) -> usize {
        self.idle.count()
    }

    /// Ends all connections that are idle now. Other connections are not affected.
    pub fn kill_idle(&self, fault: IdleFault) {
        self.idle.kill(fault);
    }

    /// Closes each connection at its n-th request, from 1, in place of an answer. That request does not reach the provider and
    /// is not counted. `None`, the default, closes no connection.
    pub fn close_at_request(&self, n: impl Into<Option<u32>>) {
        let n = n.into();
        self.idle.change(|rules| rules.close_at = n);
    }

    /// Closes each connection after each answer, without `connection: close`. Off by default.
    pub fn close_after_answers(&self, close: bool) {
        self.idle.change(|rules| rules.close_after = close);
    }

    /// Waits until the listener is open or closed, as the provider requires now.
    pub async fn settle(&self) {
        let mut open = self.open.clone();
        while *open.borrow_and_update() == self.provider.is_refusing() {
            if open.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The task owns the listener and every connection.
        self.task.abort();
    }
}

// === impl Acceptor ===

impl Acceptor {
    async fn run(mut self, mut listener: Listener) {
        let mut changes = self.provider.subscribe();
        let mut node = self.provider.node();
        loop {
            changes.mark_unchanged();
            let now = self.provider.node();
            if std::mem::replace(&mut node, now) != now {
                self.idle.kill(IdleFault::Reset);
            }
            listener = self.follow_provider(listener).await;
            let next_change = self.provider.next_change();
            let has_room = self.connections.len() < MAX_CONNECTIONS;
            tokio::select! {
                biased;
                _ = changes.changed() => {}
                () = until(next_change), if next_change.is_some() => {}
                Some(_) = self.connections.join_next() => {}
                accepted = listener.accept(), if has_room => match accepted {
                    Ok(stream) => self.serve(stream),
                    Err(_) => sleep(RETRY_DELAY).await,
                },
            }
        }
    }

    /// Opens or closes the listener, as the provider requires now.
    async fn follow_provider(&mut self, listener: Listener) -> Listener {
        let refuse = self.provider.is_refusing();
        // Connections that were made before are accepted.
        while refuse && self.connections.len() < MAX_CONNECTIONS {
            let Some(stream) = listener.pending().await else { break };
            self.serve(stream);
        }
        let listener = listener.set_open(!refuse, self.address);
        let is_open = matches!(listener, Listener::Open(_));
        self.open.send_if_modified(|open| std::mem::replace(open, is_open) != is_open);
        listener
    }

    fn serve(&mut self, stream: TcpStream) {
        let (rules, open) = (self.idle.view(), self.open.subscribe());
        self.connections.spawn(serve(stream, self.provider.clone(), rules, open));
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

// === impl Listener ===

impl Listener {
    /// Opens or closes the listener. The port stays the same.
    fn set_open(self, open: bool, address: SocketAddr) -> Self {
        match (self, open) {
            (Self::Open(listener), false) => {
                drop(listener);
                bound(address).map_or(Self::Failed, Self::Closed)
            }
            (Self::Closed(socket), true) => socket.listen(BACKLOG).map_or(Self::Failed, Self::Open),
            (Self::Failed, true) => {
                let listener = bound(address).and_then(|socket| socket.listen(BACKLOG));
                listener.map_or(Self::Failed, Self::Open)
            }
            (listener, _) => listener,
        }
    }

    /// A connection that is in the queue of the system.
    async fn pending(&self) -> Option<TcpStream> {
        timeout(Duration::ZERO, self.accept()).await.ok()?.ok()
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Open(listener) => {
                let (stream, _) = listener.accept().await?;
                // An event is sent without waiting for the next.
                stream.set_nodelay(true)?;
                Ok(stream)
            }
            Self::Closed(_) => std::future::pending().await,
            Self::Failed => Err(io::ErrorKind::AddrInUse.into()),
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
