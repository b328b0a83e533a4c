//! One connection: its requests, one after the other, each acted out.

use std::{future::Future, io, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{StatusCode, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use crate::{
    Provider,
    provider::Flight,
    reply::{Head, Script, Step},
    server::{
        kept::{KeptFault, Line},
        request::{Incoming, Read, read},
    },
};

/// One connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
    provider: Provider,
    /// Whether the listener is open: a connection that is idle after an answer does not outlive it.
    open: watch::Receiver<bool>,
    line: Line,
    /// How many requests came.
    requests: u32,
}

/// How the body of an answer is framed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Framing {
    Sized,
    Chunked,
    /// Until the connection closes.
    Close,
}

/// How much a client may send ahead while it waits.
const AHEAD: usize = 64 * 1024;

/// Answers until either side closes. What goes wrong with a connection is the client's to see, and nobody else's.
pub(super) async fn serve(
    stream: TcpStream,
    provider: Provider,
    line: Line,
    open: watch::Receiver<bool>,
) {
    let buffer = BytesMut::new();
    let mut connection = Connection { stream, buffer, provider, open, line, requests: 0 };
    let _ = connection.requests().await;
}

// === impl Connection ===

impl Connection {
    async fn requests(&mut self) -> io::Result<()> {
        while let Some(request) = self.request().await? {
            self.requests += 1;
            if self.line.rules().close_at.is_some_and(|n| n <= self.requests) {
                break;
            }
            let (flight, script) =
                self.provider.begin(&request.path, &request.headers, &request.body);
            let kept = self.act(&request, flight, script).await?;
            if request.close || !kept || self.line.rules().close_after {
                break;
            }
        }
        self.stream.shutdown().await
    }

    /// The next request; `None` when there is none any more.
    async fn request(&mut self) -> io::Result<Option<Incoming>> {
        loop {
            match read(&mut self.buffer) {
                Read::Whole(incoming) => return Ok(Some(incoming)),
                Read::Bad(status) => return self.turn_away(status).await.map(|()| None),
                Read::Continue => {
                    self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                }
                Read::More => {}
            }
            let idle = self.requests > 0 && self.buffer.is_empty();
            let _counted = idle.then(|| self.line.rest());
            let closed = async {
                // An error means that the server is gone, and this task with it.
                let _ = self.open.wait_for(|open| !open).await;
            };
            let fault = tokio::select! {
                biased;
                fault = self.line.killed(), if idle => fault,
                count = self.stream.read_buf(&mut self.buffer) => match count? {
                    0 => return Ok(None),
                    _ => continue,
                },
                () = closed, if idle => return Ok(None),
            };
            return self.die(fault).await.map(|()| None);
        }
    }

    /// The connection is dead, and the client knows it sooner or later or never.
    async fn die(&mut self, fault: KeptFault) -> io::Result<()> {
        let mut rest = [0; 4096];
        match fault {
            KeptFault::Close => Ok(()),
            KeptFault::Silence => {
                while self.stream.read(&mut rest).await? > 0 {}
                Ok(())
            }
            KeptFault::Reset => match self.stream.read(&mut rest).await? {
                0 => Ok(()),
                _ => {
                    self.stream.set_zero_linger()?;
                    Err(io::ErrorKind::ConnectionReset.into())
                }
            },
        }
    }

    /// Answers what is no request, and takes what its client still sends for a moment, so that the answer is not lost in a
    /// reset.
    async fn turn_away(&mut self, status: StatusCode) -> io::Result<()> {
        let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        self.stream.write_all(answer.as_bytes()).await?;
        self.stream.shutdown().await?;
        let mut rest = [0; 4096];
        let all = async { while matches!(self.stream.read(&mut rest).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(Duration::from_millis(200), all).await;
        Ok(())
    }

    /// Acts a script out. Whether the connection can be used again.
    async fn act(
        &mut self,
        request: &Incoming,
        mut flight: Flight,
        mut script: Script,
    ) -> io::Result<bool> {
        let mut framing = Framing::Sized;
        while let Some(step) = script.next() {
            match step {
                Step::Wait(wait) => self.pause(tokio::time::sleep(wait)).await?,
                Step::Hang => self.pause(std::future::pending()).await?,
                Step::Head(head) => {
                    framing = match head.length {
                        Some(_) => Framing::Sized,
                        None if request.chunks => Framing::Chunked,
                        None => Framing::Close,
                    };
                    self.head(*head, framing, request.close).await?;
                }
                Step::Data(data) => {
                    if script.is_over() {
                        // The client may look at the count as soon as it has the last byte.
                        flight.done();
                    }
                    self.data(data, framing).await?;
                }
                Step::Refuse | Step::Reset => {
                    flight.done();
                    self.stream.set_zero_linger()?;
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                Step::Cut => {
                    flight.done();
                    return Ok(false);
                }
                Step::End | Step::Pulse { .. } => break,
            }
        }
        flight.done();
        if framing == Framing::Chunked {
            self.stream.write_all(b"0\r\n\r\n").await?;
        }
        Ok(framing != Framing::Close)
    }

    async fn head(&mut self, head: Head, framing: Framing, close: bool) -> io::Result<()> {
        let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
        for (name, value) in &head.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        // A reply may lie about its length.
        let told = head.headers.contains_key(header::CONTENT_LENGTH);
        if let Some(length) = head.length.filter(|_| !told) {
            bytes.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
        }
        if framing == Framing::Chunked {
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        if close || framing == Framing::Close {
            bytes.extend_from_slice(b"connection: close\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        self.stream.write_all(&bytes).await
    }

    async fn data(&mut self, data: Bytes, framing: Framing) -> io::Result<()> {
        if framing != Framing::Chunked {
            return self.stream.write_all(&data).await;
        }
        if data.is_empty() {
            // An empty chunk would be the last.
            return Ok(());
        }
        let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
        chunk.extend_from_slice(&data);
        chunk.extend_from_slice(b"\r\n");
        self.stream.write_all(&chunk).await
    }

    /// Waits, and fails at once when the client goes away.
    async fn pause(&mut self, wait: impl Future<Output = ()>) -> io::Result<()> {
        let mut wait = std::pin::pin!(wait);
        loop {
            let listen = self.buffer.len() < AHEAD;
            tokio::select! {
                biased;
                () = &mut wait => return Ok(()),
                count = self.stream.read_buf(&mut self.buffer), if listen => if count? == 0 {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                },
            }
        }
    }
}
