//! Serves the requests of one connection, one after the other.

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
    provider::AttemptGuard,
    reply::{ReplyHead, Script, ScriptStep},
    server::{
        idle::{IdleFault, RulesView},
        request::{IncomingRequest, ParseState, parse},
    },
};

/// One connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
    provider: Provider,
    /// Whether the listener is open: an idle connection closes with it.
    open: watch::Receiver<bool>,
    rules: RulesView,
    /// The number of requests received.
    requests: u32,
}

/// The framing of the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum BodyFraming {
    Sized,
    Chunked,
    /// Until the connection closes.
    Close,
}

/// The largest number of bytes read while an answer waits.
const MAX_READ_AHEAD: usize = 64 * 1024;

/// Answers until either side closes. A failure of the connection is visible to the client only.
pub(super) async fn serve(
    stream: TcpStream,
    provider: Provider,
    rules: RulesView,
    open: watch::Receiver<bool>,
) {
    let buffer = BytesMut::new();
    let mut connection = Connection { stream, buffer, provider, open, rules, requests: 0 };
    let _ = connection.serve_requests().await;
}

// === impl Connection ===

impl Connection {
    async fn serve_requests(&mut self) -> io::Result<()> {
        while let Some(request) = self.next_request().await? {
            self.requests += 1;
            if self.rules.current().close_at.is_some_and(|n| n <= self.requests) {
                break;
            }
            let (attempt, script) =
                self.provider.begin_attempt(&request.path, &request.headers, &request.body);
            let is_reusable = self.play(&request, attempt, script).await?;
            if request.close || !is_reusable || self.rules.current().close_after {
                break;
            }
        }
        self.stream.shutdown().await
    }

    /// The next request, or `None` at the end of the connection.
    async fn next_request(&mut self) -> io::Result<Option<IncomingRequest>> {
        loop {
            match parse(&mut self.buffer) {
                ParseState::Complete(incoming) => return Ok(Some(incoming)),
                ParseState::Invalid(status) => return self.reject(status).await.map(|()| None),
                ParseState::Continue => {
                    self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                }
                ParseState::Incomplete => {}
            }
            let idle = self.requests > 0 && self.buffer.is_empty();
            let _idle = idle.then(|| self.rules.begin_idle());
            let closed = async {
                // An error means that the server is dropped, and this task with it.
                let _ = self.open.wait_for(|open| !open).await;
            };
            let fault = tokio::select! {
                biased;
                fault = self.rules.killed(), if idle => fault,
                count = self.stream.read_buf(&mut self.buffer) => match count? {
                    0 => return Ok(None),
                    _ => continue,
                },
                () = closed, if idle => return Ok(None),
            };
            return self.fail(fault).await.map(|()| None);
        }
    }

    /// Plays the fault of an idle connection.
    async fn fail(&mut self, fault: IdleFault) -> io::Result<()> {
        let mut rest = [0; 4096];
        match fault {
            IdleFault::Close => Ok(()),
            IdleFault::Silence => {
                while self.stream.read(&mut rest).await? > 0 {}
                Ok(())
            }
            IdleFault::Reset => match self.stream.read(&mut rest).await? {
                0 => Ok(()),
                _ => {
                    self.stream.set_zero_linger()?;
                    Err(io::ErrorKind::ConnectionReset.into())
                }
            },
        }
    }

    /// Answers a request that is not valid. Reads for a short time after it, so that the answer is not lost in a reset.
    async fn reject(&mut self, status: StatusCode) -> io::Result<()> {
        let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        self.stream.write_all(answer.as_bytes()).await?;
        self.stream.shutdown().await?;
        let mut rest = [0; 4096];
        let all = async { while matches!(self.stream.read(&mut rest).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(Duration::from_millis(200), all).await;
        Ok(())
    }

    /// Plays a script. Returns whether the connection can be reused.
    async fn play(
        &mut self,
        request: &IncomingRequest,
        mut attempt: AttemptGuard,
        mut script: Script,
    ) -> io::Result<bool> {
        let mut framing = BodyFraming::Sized;
        while let Some(step) = script.next() {
            match step {
                ScriptStep::Wait(wait) => self.pause(tokio::time::sleep(wait)).await?,
                ScriptStep::Hang => self.pause(std::future::pending()).await?,
                ScriptStep::Head(head) => {
                    framing = match head.length {
                        Some(_) => BodyFraming::Sized,
                        None if request.can_chunk => BodyFraming::Chunked,
                        None => BodyFraming::Close,
                    };
                    self.head(*head, framing, request.close).await?;
                }
                ScriptStep::Data(data) => {
                    if script.is_over() {
                        // The client may read the counts as soon as it has the last byte.
                        attempt.complete();
                    }
                    self.data(data, framing).await?;
                }
                ScriptStep::Refuse | ScriptStep::Reset => {
                    attempt.complete();
                    self.stream.set_zero_linger()?;
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                ScriptStep::Cut => {
                    attempt.complete();
                    return Ok(false);
                }
                ScriptStep::End | ScriptStep::Repeat { .. } => break,
            }
        }
        attempt.complete();
        if framing == BodyFraming::Chunked {
            self.stream.write_all(b"0\r\n\r\n").await?;
        }
        Ok(framing != BodyFraming::Close)
    }

    async fn head(&mut self, head: ReplyHead, framing: BodyFraming, close: bool) -> io::Result<()> {
        let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
        for (name, value) in &head.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        // A reply may set a wrong length.
        let has_length = head.headers.contains_key(header::CONTENT_LENGTH);
        if let Some(length) = head.length.filter(|_| !has_length) {
            bytes.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
        }
        if framing == BodyFraming::Chunked {
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        if close || framing == BodyFraming::Close {
            bytes.extend_from_slice(b"connection: close\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        self.stream.write_all(&bytes).await
    }

    async fn data(&mut self, data: Bytes, framing: BodyFraming) -> io::Result<()> {
        if framing != BodyFraming::Chunked {
            return self.stream.write_all(&data).await;
        }
        if data.is_empty() {
            // An empty chunk would end the body.
            return Ok(());
        }
        let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
        chunk.extend_from_slice(&data);
        chunk.extend_from_slice(b"\r\n");
        self.stream.write_all(&chunk).await
    }

    /// Waits. Fails when the client closes the connection.
    async fn pause(&mut self, wait: impl Future<Output = ()>) -> io::Result<()> {
        let mut wait = std::pin::pin!(wait);
        loop {
            let may_read = self.buffer.len() < MAX_READ_AHEAD;
            tokio::select! {
                biased;
                () = &mut wait => return Ok(()),
                count = self.stream.read_buf(&mut self.buffer), if may_read => if count? == 0 {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                },
            }
        }
    }
}
