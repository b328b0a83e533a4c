//! The answer that an error was made from.

use std::{error::Error as StdError, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, combinators::BoxBody};
use tokio::time::timeout;

/// The body of such an answer.
pub(crate) type FailedBody = BoxBody<Bytes, Box<dyn StdError + Send + Sync>>;

/// The answer that an error was made from: its head, and its body as far as it was read.
pub(super) struct FailedResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    read: BytesMut,
    rest: Option<FailedBody>,
}

// === impl FailedResponse ===

impl FailedResponse {
    /// The most that is read of a body, in bytes.
    pub(super) const MAX: usize = 64 * 1024;
    /// The longest wait for a body: that of an error is short, and arrives with its head.
    pub(super) const WAIT: Duration = Duration::from_secs(5);

    pub(super) fn new(response: http::Response<FailedBody>) -> Self {
        let (head, body) = response.into_parts();
        let (status, headers) = (head.status, head.headers);
        Self { status, headers, read: BytesMut::new(), rest: Some(body) }
    }

    /// Reads the body; what arrived before it failed, stalled or became too long is kept.
    pub(super) async fn read(&mut self) -> Bytes {
        let _: Result<(), _> = timeout(Self::WAIT, self.read_to_end()).await;
        // Also after a stall: the connection is not held any longer.
        self.rest = None;
        self.read.clone().freeze()
    }

    async fn read_to_end(&mut self) {
        let Some(rest) = &mut self.rest else { return };
        while self.read.len() < Self::MAX {
            let Some(Ok(frame)) = rest.frame().await else { return };
            let data = frame.into_data().unwrap_or_default();
            let fits = data.len().min(Self::MAX - self.read.len());
            self.read.extend_from_slice(&data[..fits]);
        }
    }
}
