//! Work on large bodies, apart from the threads that serve all other calls.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    thread::available_parallelism,
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task::block_in_place,
};

/// Polls calls with large bodies one at a time for each core but one, and hands the other tasks of the thread to another one
/// meanwhile. Parsing, rewriting, hashing and decoding a body of 28 MiB takes tens of milliseconds for each attempt, wherever in the
/// layers it happens; a small call does not wait for it. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct LongWork(Arc<Semaphore>);

/// Bodies above this size are worked on apart, and all that are in a content coding: they can be of any size.
pub(super) const LARGE: usize = 256 * 1024;

// === impl LongWork ===

impl LongWork {
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))))
    }

    /// Runs a future. It is polled only while it has one of the places, and holds none while it waits.
    pub(super) async fn run<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        loop {
            let place = self.0.acquire().await;
            let polled = poll_fn(|cx| Poll::Ready(apart(|| work.as_mut().poll(cx)))).await;
            drop(place);
            match polled {
                Poll::Ready(output) => return output,
                Poll::Pending => woken().await,
            }
        }
    }
}

/// Waits until the task is woken: what was polled before has its waker.
async fn woken() {
    let mut waited = false;
    poll_fn(|_| match std::mem::replace(&mut waited, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// Runs work that may take long. A runtime with one thread has no other one to hand its tasks to.
fn apart<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use tokio::{sync::oneshot, time::sleep};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_run_while_a_poll_is_busy() {
        let (other_ran, ran) = mpsc::channel();
        let busy = tokio::spawn(async move {
            let work = async move {
                tokio::spawn(async move { other_ran.send(()) });
                // Ends only when the other task has run, which needs the only thread of the runtime.
                ran.recv_timeout(Duration::from_secs(20)).is_ok()
            };
            LongWork::new().run(work).await
        });
        assert!(busy.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_future_that_waits_holds_no_place() {
        let work = LongWork(Arc::new(Semaphore::new(1)));
        let (go, wait) = oneshot::channel::<u32>();
        let waiting = tokio::spawn({
            let work = work.clone();
            async move { work.run(wait).await.unwrap() }
        });
        tokio::task::yield_now().await;
        work.run(sleep(Duration::from_secs(60))).await;
        go.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), 7);
    }
}
