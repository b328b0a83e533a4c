//! Listens, or refuses to.

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
        kept::{Kept, KeptFault},
    },
};

/// A provider on a loopback socket. It stops when it is dropped: the listener and every connection close.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    provider: Provider,
    open: watch::Receiver<bool>,
    kept: Kept,
    task: AbortHandle,
}

/// The listener, or what keeps its port while connections are refused.
#[derive(Debug)]
enum Door {
    Open(TcpListener),
    /// Bound, and not listening: the system refuses every connection.
    Shut(TcpSocket),
    /// Neither could be had; tried again soon.
    Lost,
}

/// As many connections as are held at a time; the others wait in the system's queue.
const MOST: usize = 4096;
const BACKLOG: u32 = 1024;
/// After a failure of the system, such as too many open files.
const PAUSE: Duration = Duration::from_millis(10);

// === impl Server ===

impl Server {
    /// Puts a provider on any free port of 127.0.0.1. To be called within a Tokio runtime with time and I/O.
    pub async fn start(provider: Provider) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (tell, open) = watch::channel(true);
        let kept = Kept::default();
        let listening = listen((listener, address), provider.clone(), kept.clone(), tell);
        let task = tokio::spawn(listening).abort_handle();
        let server = Self { address, provider, open, kept, task };
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

    /// The provider that it acts out, which counts the attempts.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// How many connections are kept by clients now: answered, open and idle.
    pub fn kept(&self) -> usize {
        self.kept.idle()
    }

    /// Kills all connections that are idle now. Those that answer, and those to come, are as they were.
    pub fn kill_kept(&self, fault: KeptFault) {
        self.kept.kill(fault);
    }

    /// Closes each connection at its n-th request, from 1, in place of an answer: the request reaches no provider and is
    /// not counted. `None`, the default, closes none.
    pub fn close_at_request(&self, n: impl Into<Option<u32>>) {
        let n = n.into();
        self.kept.change(|rules| rules.close_at = n);
    }

    /// Closes each connection after every answer although its head says nothing of that. Off by default.
    pub fn close_after_answers(&self, close: bool) {
        self.kept.change(|rules| rules.close_after = close);
    }

    /// Waits until the listener is as the provider now wants it: open, or closed to every connection.
    pub async fn settle(&self) {
        let mut open = self.open.clone();
        while *open.borrow_and_update() == self.provider.refusing() {
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

async fn listen(
    (listener, address): (TcpListener, SocketAddr),
    provider: Provider,
    kept: Kept,
    open: watch::Sender<bool>,
) {
    let mut door = Door::Open(listener);
    let mut connections = JoinSet::new();
    let mut changes = provider.changes();
    let mut node = provider.node();
    loop {
        changes.mark_unchanged();
        let now = provider.node();
        if std::mem::replace(&mut node, now) != now {
            kept.kill(KeptFault::Reset);
        }
        let refuse = provider.refusing();
        // Whoever knocked before is let in.
        while refuse && connections.len() < MOST {
            let Some(stream) = door.knocked().await else { break };
            connections.spawn(serve(stream, provider.clone(), kept.line(), open.subscribe()));
        }
        door = door.turn(!refuse, address);
        let is_open = matches!(door, Door::Open(_));
        open.send_if_modified(|open| std::mem::replace(open, is_open) != is_open);
        let look = provider.look_again();
        tokio::select! {
            biased;
            _ = changes.changed() => {}
            () = until(look), if look.is_some() => {}
            Some(_) = connections.join_next() => {}
            accepted = door.accept(), if connections.len() < MOST => match accepted {
                Ok(stream) => {
                    connections.spawn(serve(stream, provider.clone(), kept.line(), open.subscribe()));
                }
                Err(_) => sleep(PAUSE).await,
            },
        }
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

// === impl Door ===

impl Door {
    /// Opens or closes it, where it is not so already. The port stays the same.
    fn turn(self, open: bool, address: SocketAddr) -> Self {
        match (self, open) {
            (Self::Open(listener), false) => {
                drop(listener);
                bound(address).map_or(Self::Lost, Self::Shut)
            }
            (Self::Shut(socket), true) => socket.listen(BACKLOG).map_or(Self::Lost, Self::Open),
            (Self::Lost, true) => {
                let listener = bound(address).and_then(|socket| socket.listen(BACKLOG));
                listener.map_or(Self::Lost, Self::Open)
            }
            (door, _) => door,
        }
    }

    /// A connection that is there already.
    async fn knocked(&self) -> Option<TcpStream> {
        timeout(Duration::ZERO, self.accept()).await.ok()?.ok()
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Open(listener) => {
                let (stream, _) = listener.accept().await?;
                // An event is an event: it is not held back for the next.
                stream.set_nodelay(true)?;
                Ok(stream)
            }
            Self::Shut(_) => std::future::pending().await,
            Self::Lost => Err(io::ErrorKind::AddrInUse.into()),
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
