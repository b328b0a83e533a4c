//! Request bodies: buffered if they may have to be sent again, otherwise streamed.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::errors::GatewayError;

/// A body that is streamed to the upstream as it arrives. It can be taken once.
#[derive(Clone)]
pub(crate) struct Upload(Arc<Mutex<Option<Body>>>);

/// Requests without a known dialect are buffered up to this size, so that they can be sent again.
const MAX_SMALL: u64 = 1024 * 1024;
/// The time a client has for a body that is buffered.
const BODY_TIMEOUT: Duration = Duration::from_secs(300);

// === impl Upload ===

impl Upload {
    pub(crate) fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    pub(crate) fn take(&self) -> Option<Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upload")
    }
}

/// Whether a body is known to be small.
pub(crate) fn is_small(body: &Body) -> bool {
    body.size_hint().upper().is_some_and(|length| length <= MAX_SMALL)
}

/// Reads a body of at most `max` bytes.
pub(crate) async fn read_whole(mut body: Body, max: usize) -> Result<Bytes, GatewayError> {
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    match timeout(BODY_TIMEOUT, collect(&mut body, max)).await {
        Ok(Ok(Some(whole))) => Ok(whole),
        Ok(Ok(None)) => Err(too_large(max)),
        Ok(Err(_)) => {
            let message = "the body of the request broke off, or is not what its head says";
            Err(GatewayError::new(StatusCode::BAD_REQUEST, "bad_body", message))
        }
        Err(_) => {
            let message = format!("the body of the request took more than {BODY_TIMEOUT:?}");
            Err(GatewayError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", message))
        }
    }
}

/// The whole body; `None` where it has more than `max` bytes.
async fn collect(body: &mut Body, max: usize) -> Result<Option<Bytes>, axum::Error> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if whole.len() + data.len() > max {
            return Ok(None);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Some(whole.freeze()))
}

fn too_large(max: usize) -> GatewayError {
    let message =
        format!("the body of the request is larger than the {max} bytes that limits.body allows");
    GatewayError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}
