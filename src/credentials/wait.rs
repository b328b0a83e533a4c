//! The wait of an attempt for its credentials, which is not latency of the provider.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use tokio::time::Instant;

use crate::{
    Error, Request,
    context::{Admission, AttemptContext, QueueTime},
    outcome::Outcome,
};

/// The wait of an attempt for its credentials.
pub(super) struct CredentialWait {
    admission: Option<Admission>,
    queue_time: Option<QueueTime>,
}

// === impl CredentialWait ===

impl CredentialWait {
    pub(super) fn of(request: &mut Request) -> Self {
        let attempt = AttemptContext::of(request);
        Self { admission: attempt.admission.clone(), queue_time: attempt.queue_time.clone() }
    }

    /// Reports the wait to the layers above, if the work does not end at once.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let at_once = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
        match at_once {
            Poll::Ready(done) => done,
            Poll::Pending => {
                self.admission.iter().for_each(Admission::waits);
                let _waiting = self.queue_time.as_ref().map(QueueTime::enter);
                work.await
            }
        }
    }

    /// Ends the wait. Fails if the breaker has closed the route meanwhile.
    pub(super) fn end(&self) -> Result<(), Error> {
        let Some(admission) = self.admission.as_ref().filter(|it| it.is_waiting()) else {
            return Ok(());
        };
        let refused = |retry_in| Error::new(Outcome::NotSent { retry_in: Some(retry_in) });
        admission.goes_on(Instant::now()).map_err(refused)
    }
}
