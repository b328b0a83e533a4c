//! Request bodies: read whole where they may have to be sent again, streamed where not.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::errors::Said;

/// A body that streams to the upstream as it comes. Whoever sends first takes it.
#[derive(Clone)]
pub(crate) struct Upload(Arc<Mutex<Option<Body>>>);

/// Of a request that is no chat: as much is read whole, so that it can be sent again.
const SMALL: u64 = 1024 * 1024;
/// A client has so long for a body that is read whole.
const PATIENCE: Duration = Duration::from_secs(300);
/// As much of a body that is too large is taken and thrown away, in so long: a client that cannot write it to the end may
/// never look for the answer.
const THROWN_AWAY: usize = 256 * 1024 * 1024;
const FOR_SO_LONG: Duration = Duration::from_secs(5);

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
    body.size_hint().upper().is_some_and(|length| length <= SMALL)
}

/// Reads a body whole.
pub(crate) async fn whole(mut body: Body, headers: &HeaderMap, most: usize) -> Result<Bytes, Said> {
    // One that waits for a word before it sends anything need not send anything.
    let waits = headers.contains_key(header::EXPECT);
    if body.size_hint().lower() > most as u64 {
        if !waits {
            throw_away(body).await;
        }
        return Err(too_large(most));
    }
    match timeout(PATIENCE, collect(&mut body, most)).await {
        Ok(Ok(Some(whole))) => Ok(whole),
        Ok(Ok(None)) => {
            throw_away(body).await;
            Err(too_large(most))
        }
        Ok(Err(_)) => {
            let message = "the body of the request broke off, or is not what its head says";
            Err(Said::new(StatusCode::BAD_REQUEST, "bad_body", message))
        }
        Err(_) => {
            let message = format!("the body of the request took more than {PATIENCE:?}");
            Err(Said::new(StatusCode::REQUEST_TIMEOUT, "slow_body", message))
        }
    }
}

/// All of it; `None` where that is more than so many bytes.
async fn collect(body: &mut Body, most: usize) -> Result<Option<Bytes>, axum::Error> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if whole.len() + data.len() > most {
            return Ok(None);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Some(whole.freeze()))
}

async fn throw_away(mut body: Body) {
    let all = async {
        let mut taken = 0;
        while let Some(Ok(frame)) = body.frame().await {
            taken += frame.data_ref().map_or(0, Bytes::len);
            if taken > THROWN_AWAY {
                break;
            }
        }
    };
    let _ = timeout(FOR_SO_LONG, all).await;
}

fn too_large(most: usize) -> Said {
    let message =
        format!("the body of the request is larger than the {most} bytes that limits.body allows");
    Said::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}
