//! One connection, from its first byte to its last.

use std::{pin::pin, sync::Arc};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::Instant,
};

use super::{
    activity::{Activity, Order},
    answer::Answers,
    connections::Place,
    tls::ServerTls,
    watched_io::WatchedIo,
};

/// The most bytes of a head, and of a body that is read at once.
const MAX_BUFFER: usize = 64 * 1024;

/// Answers one connection until it ends, or is ordered to. An error of the connection is seen by its client.
pub(super) async fn answer<I>(io: I, place: Arc<Place>, answers: Answers)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    serve(WatchedIo::new(io, place.clone()), &place, answers).await;
}

/// The same after a handshake of TLS, which an order ends, as nothing is under way yet.
pub(super) async fn answer_secured(
    stream: TcpStream,
    place: Arc<Place>,
    answers: Answers,
    tls: Arc<ServerTls>,
) {
    let handshake = async {
        // Nothing is sent to a client without TLS.
        match is_handshake(&stream).await {
            true => tls.accept(WatchedIo::new(stream, place.clone())).await,
            false => None,
        }
    };
    let secured = tokio::select! {
        biased;
        secured = handshake => secured,
        _ = place.activity().next_order() => None,
    };
    let Some(io) = secured else { return };
    place.activity().handshake_done(Instant::now());
    serve(io, &place, answers).await;
}

/// Whether the first byte is that of a TLS record. rustls would send an alert to a client of plain HTTP.
async fn is_handshake(stream: &TcpStream) -> bool {
    const HANDSHAKE_RECORD: u8 = 22;
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first == [HANDSHAKE_RECORD]
}

/// Answers the requests of a transport.
async fn serve<I>(io: I, place: &Arc<Place>, answers: Answers)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| answers.respond(place.clone(), request));
    // The sweep of the connections has the limits of heads and of idle connections.
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_BUFFER).header_read_timeout(None);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let activity = place.activity();
    loop {
        let order = tokio::select! {
            biased;
            order = activity.next_order() => order,
            _ = connection.as_mut() => return,
        };
        match follow(order, activity) {
            Order::Cut => return,
            Order::Finish => connection.as_mut().graceful_shutdown(),
            Order::Yield | Order::None => activity.keep(),
        }
    }
}

/// What an order amounts to, now that nothing else happens on the connection.
fn follow(order: Order, activity: &Activity) -> Order {
    match order {
        // Between two requests hyper writes the rest of the last answer.
        Order::Yield => match activity.waiting(Instant::now()) {
            Some(waiting) if waiting.is_kept() => Order::Finish,
            Some(_) => Order::Cut,
            None => Order::None,
        },
        Order::Finish if activity.can_finish() => Order::Finish,
        // A head that is arriving has a moment: the sweep cuts it.
        Order::Finish => Order::None,
        order => order,
    }
}
