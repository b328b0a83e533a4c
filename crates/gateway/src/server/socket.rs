//! The options of sockets.

use std::{io, net::SocketAddr, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::limits::EdgeLimits;

/// The bytes that the system holds of an answer for a slow reader. Its own bound is 4 MiB and more for each connection. Enough for
/// 1.3 MB a second over 100 ms.
const SEND_BUFFER: u32 = 128 * 1024;
/// The connections that the system completes before they are accepted.
const BACKLOG: u32 = 1024;
/// The silence after which a peer is asked whether it is still there, the time between two questions, and their number: a laptop
/// that was shut is noticed within two minutes, while a call waits for its answer.
const PROBE: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(15)];
const PROBES: u32 = 4;
/// The least time that bytes may be unacknowledged: longer than a train in a tunnel.
const UNACKNOWLEDGED: Duration = Duration::from_secs(120);

/// Listens on an address.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // The port of a process that has just ended can be used at once. On Windows the option would share it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Connections inherit it. Where it cannot be set, that of the system holds.
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Sets the options of a connection. One that the system does not know has no effect.
pub(super) fn prepare(stream: &TcpStream, limits: &EdgeLimits) {
    // The events of a stream are small, and each has to be sent at once.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(PROBE[0]).with_interval(PROBE[1]);
    let _ = socket.set_tcp_keepalive(&keepalive.with_retries(PROBES));
    acknowledged(&socket, limits.write.max(UNACKNOWLEDGED));
}

#[cfg(target_os = "linux")]
fn acknowledged(socket: &SockRef<'_>, limit: Duration) {
    let _ = socket.set_tcp_user_timeout(Some(limit));
}

#[cfg(not(target_os = "linux"))]
fn acknowledged(_: &SockRef<'_>, _: Duration) {}
