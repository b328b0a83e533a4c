//! A call that waits for its turn.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    gate::{Fate, Turn},
    limiter::{Limiter, Permit},
    line::Place,
};
use crate::time::saturating_add;

/// A call that waits for its turn: ready with a permit, or with when it is worth coming back. Dropped, it has left.
pub(super) struct Queued {
    limiter: Arc<Limiter>,
    place: Place,
    over: bool,
    sleep: Option<Pin<Box<Sleep>>>,
}

// === impl Queued ===

impl Queued {
    pub(super) fn new(limiter: Arc<Limiter>, place: Place) -> Self {
        Self { limiter, place, over: false, sleep: None }
    }
}

impl Future for Queued {
    type Output = Result<Permit, Duration>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let at = (Instant::now(), fastrand::f64());
            let place = self.place;
            let until = match self.limiter.decide(|gate| gate.turn(place, at, cx.waker())) {
                Turn::Over(fate) => {
                    self.over = true;
                    return Poll::Ready(match fate {
                        Fate::Go(leave) => Ok(Permit::new(self.limiter.clone(), leave)),
                        Fate::Refused(retry_in) => Err(retry_in),
                    });
                }
                Turn::Not(until) => until.unwrap_or_else(|| saturating_add(at.0, Duration::MAX)),
            };
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if sleep.deadline() != until {
                sleep.as_mut().reset(until);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // The time has come, or has passed while it was asked: each turn of the loop is later than the last.
        }
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        if !self.over {
            let place = self.place;
            self.limiter.decide(|gate| gate.give_up(place, Instant::now(), fastrand::f64()));
        }
    }
}
