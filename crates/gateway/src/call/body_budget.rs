//! The memory for the bodies of requests: they share one budget of bytes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::errors::GatewayError;

/// The bytes of request bodies that may be held at a time. Clones share it.
///
/// A body has its share from before it is read until nothing holds its bytes any more: no attempt, no fallback, no stream that may
/// be continued. Bodies of at most [`SMALL`] bytes need none, so that they never wait behind large ones: the number of connections
/// bounds them.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget {
    units: Arc<Semaphore>,
    bytes: usize,
}

/// The share of one body.
#[derive(Debug, Default)]
pub(super) struct BodyShare {
    permit: Option<OwnedSemaphorePermit>,
    /// How long it was waited for.
    pub(super) waited: Duration,
}

/// A body with its share.
struct SharedBody {
    bytes: Bytes,
    _share: BodyShare,
}

/// Bodies up to this size are not counted.
pub(super) const SMALL: usize = 64 * 1024;
/// The unit of the budget.
const UNIT: usize = 1024;
/// When a caller may come again that found no room.
const RETRY_AFTER: Duration = Duration::from_secs(1);

// === impl BodyBudget ===

impl BodyBudget {
    /// Creates a budget of that many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { units: Arc::new(Semaphore::new(units(bytes) as usize)), bytes }
    }

    /// All bytes of the budget.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Extends a share to a body of that size, waiting for room for at most `limit`. First come, first served.
    pub(super) async fn extend(
        &self,
        share: &mut BodyShare,
        body: usize,
        limit: Duration,
    ) -> Result<(), GatewayError> {
        let has = share.permit.as_ref().map_or(0, |permit| permit.num_permits() as u32);
        let more = units(body).saturating_sub(has);
        if body <= SMALL || more == 0 {
            return Ok(());
        }
        let (begun, left) = (Instant::now(), limit.saturating_sub(share.waited));
        let waited = timeout(left, self.units.clone().acquire_many_owned(more)).await;
        let Ok(Ok(permit)) = waited else { return Err(no_room()) };
        share.waited += begun.elapsed();
        share.add(permit);
        Ok(())
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

fn no_room() -> GatewayError {
    let message =
        "evenkeel: the bodies of other requests take all the memory that limits.body_budget allows";
    GatewayError::new(StatusCode::SERVICE_UNAVAILABLE, "no_memory", message)
        .retry_after(RETRY_AFTER)
}

// === impl BodyShare ===

impl BodyShare {
    fn add(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
    }

    /// Gives back what a body of that size does not need.
    pub(super) fn shrink(&mut self, body: usize) {
        if let Some(permit) = &mut self.permit {
            drop(permit.split(permit.num_permits().saturating_sub(units(body) as usize)));
        }
    }

    /// The bytes, which have this share until the last clone of them is dropped.
    pub(super) fn held_by(self, bytes: Bytes) -> Bytes {
        match self.permit {
            Some(_) => Bytes::from_owner(SharedBody { bytes, _share: self }),
            None => bytes,
        }
    }
}

impl AsRef<[u8]> for SharedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;
    const SECOND: Duration = Duration::from_secs(1);

    async fn share(budget: &BodyBudget, body: usize) -> Option<BodyShare> {
        let mut share = BodyShare::default();
        budget.extend(&mut share, body, SECOND).await.ok().map(|()| share)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_waits_until_another_is_gone_in_all_its_clones() {
        let budget = BodyBudget::new(4 * MIB);
        let first = share(&budget, 3 * MIB).await.unwrap().held_by(Bytes::from_static(b"first"));
        let (clone, slice) = (first.clone(), first.slice(1..3));
        drop(first);
        assert!(share(&budget, 2 * MIB).await.is_none());
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move { share(&budget, 2 * MIB).await.is_some() }
        });
        tokio::task::yield_now().await;
        drop(clone);
        assert_eq!(slice, "ir");
        drop(slice);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_body_never_waits() {
        let budget = BodyBudget::new(MIB);
        let all = share(&budget, MIB).await.unwrap();
        assert!(share(&budget, SMALL).await.is_some());
        assert!(share(&budget, SMALL + 1).await.is_none());
        drop(all);
        assert!(share(&budget, SMALL + 1).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_grows_with_its_body() {
        let budget = BodyBudget::new(MIB);
        let mut grown = share(&budget, MIB / 4).await.unwrap();
        budget.extend(&mut grown, MIB / 2, SECOND).await.unwrap();
        assert!(share(&budget, MIB * 3 / 4).await.is_none());
        assert!(share(&budget, MIB / 2).await.is_some());
        grown.shrink(MIB / 4);
        assert!(share(&budget, MIB * 3 / 4).await.is_some());
    }
}
