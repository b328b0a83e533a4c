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

use super::{
    body_budget::{BodyBudget, BodyShare},
    errors::GatewayError,
};

/// A body that is streamed to the upstream as it arrives. It can be taken once.
#[derive(Clone)]
pub(crate) struct Upload(Arc<Mutex<Option<Body>>>);

/// The room for a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room<'a> {
    /// The largest body, in bytes.
    pub(super) max: usize,
    pub(super) budget: &'a BodyBudget,
    /// The longest wait for a share of the budget.
    pub(super) wait: Duration,
}

/// A body that was read.
#[derive(Default)]
pub(super) struct ReadBody {
    pub(super) bytes: Bytes,
    /// How long it waited for its share of the budget.
    pub(super) waited: Duration,
}

/// Requests without a known dialect are buffered up to this size, so that they can be sent again.
const MAX_SMALL: u64 = 1024 * 1024;
/// The time a client has for a body that is buffered.
const BODY_TIMEOUT: Duration = Duration::from_secs(300);
/// The share of a body of unknown length grows from this size, by doubling.
const FIRST_SHARE: usize = 256 * 1024;

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

// === impl Room ===

impl Room<'_> {
    /// Reads a body. It has its share of the budget until its last clone is dropped.
    pub(super) async fn read(self, mut body: Body) -> Result<ReadBody, GatewayError> {
        let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if declared > self.max {
            return Err(self.too_large());
        }
        let mut share = BodyShare::default();
        self.budget.extend(&mut share, declared, self.wait).await?;
        // The length is known for most bodies: then nothing is copied as they grow.
        let mut whole = BytesMut::with_capacity(declared);
        match timeout(BODY_TIMEOUT, self.collect(&mut body, &mut whole, &mut share)).await {
            Ok(read) => read?,
            Err(_) => {
                let message = format!("the body of the request took more than {BODY_TIMEOUT:?}");
                return Err(GatewayError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", message));
            }
        }
        let waited = share.waited;
        Ok(ReadBody { bytes: share.held_by(whole.freeze()), waited })
    }

    async fn collect(
        self,
        body: &mut Body,
        whole: &mut BytesMut,
        share: &mut BodyShare,
    ) -> Result<(), GatewayError> {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| broken())?.into_data() else { continue };
            let size = whole.len() + data.len();
            if size > self.max {
                return Err(self.too_large());
            }
            if size > whole.capacity() {
                let next = size.next_power_of_two().max(FIRST_SHARE).min(self.max);
                self.budget.extend(share, next, self.wait).await?;
                whole.reserve(next - whole.len());
            }
            whole.extend_from_slice(&data);
        }
        Ok(())
    }

    fn too_large(self) -> GatewayError {
        let message = format!(
            "the body of the request is larger than the {} bytes that limits.body allows",
            self.max
        );
        GatewayError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    }
}

fn broken() -> GatewayError {
    let message = "the body of the request broke off, or is not what its head says";
    GatewayError::new(StatusCode::BAD_REQUEST, "bad_body", message)
}
