//! Plays a scenario against code of any shape.

use std::{future::Future, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::scenario::{Harness, Scenario, call::HUNG_AFTER, play::joined};

/// One call of [`Scenario::each_call`] that has ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlayedCall<T> {
    /// The number of the call, from 0.
    pub number: u64,
    /// The time at which it was made, since the start of the incident and in its time.
    pub at: Duration,
    /// The time that it took, in the time of the incident.
    pub took: Duration,
    /// What it returned; `None` if it had not ended after 120 s.
    pub answer: Option<T>,
}

// === impl Scenario ===

impl Scenario {
    /// Plays the incident against code of any shape: a router, a bot, a function. `call` is called with the number of each call,
    /// at its time, and the future runs concurrently with the others. Returns all calls, in the order in which they were made.
    ///
    /// Unlike [`play`](Self::play), it makes no request and judges no answer. Give the code under test the transport or the
    /// addresses of `harness`, and count the attempts there.
    ///
    /// ```
    /// use evenkeel_testkit::{Incident, Scenario};
    /// use tower::ServiceExt;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
    /// let scenario = Scenario::new(Incident::named("brownout-20").unwrap()).rate(6.0);
    /// let harness = scenario.harness();
    /// let calls = scenario
    ///     .each_call(&harness, |_| {
    ///         let transport = harness.hosts();
    ///         let request = http::Request::post("http://primary/v1/chat/completions").body("{}".into()).unwrap();
    ///         async move { transport.oneshot(request).await.is_ok_and(|response| response.status().is_success()) }
    ///     })
    ///     .await;
    /// let failed = calls.iter().filter(|call| call.answer != Some(true)).count();
    /// assert!(failed > 0, "a client without retries");
    /// # });
    /// # Ok::<_, std::io::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When `call` or one of its futures panics.
    pub async fn each_call<F, T>(
        &self,
        harness: &Harness,
        mut call: impl FnMut(u64) -> F,
    ) -> Vec<PlayedCall<T>>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let (arrivals, scale) = (self.arrivals.times(self), self.scale);
        let mut played = Vec::with_capacity(arrivals.len());
        let mut running = JoinSet::new();
        harness.start();
        let start = Instant::now();
        for (number, at) in (0..).zip(arrivals) {
            sleep_until(start + at.mul_f64(scale)).await;
            let answer = timeout(HUNG_AFTER.mul_f64(scale), call(number));
            running.spawn(async move {
                let made = Instant::now();
                let answer = answer.await.ok();
                PlayedCall { number, at, took: made.elapsed().div_f64(scale), answer }
            });
            while let Some(ended) = running.try_join_next() {
                played.push(joined(ended));
            }
        }
        while let Some(ended) = running.join_next().await {
            played.push(joined(ended));
        }
        played.sort_unstable_by_key(|call| call.number);
        played
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Incident;

    #[tokio::test(start_paused = true)]
    async fn every_call_is_made_at_its_time_and_a_hung_one_has_no_answer() {
        let scenario = Scenario::new(Incident::named("brownout-10").unwrap()).rate(2.0).scale(0.5);
        let (harness, start) = (scenario.harness(), Instant::now());
        let calls = scenario.each_call(&harness, move |number| async move {
            let made = start.elapsed();
            match number {
                3 => std::future::pending().await,
                _ => tokio::time::sleep(Duration::from_secs(number % 5)).await,
            }
            made
        });
        let calls = calls.await;
        assert_eq!(calls.len(), scenario.arrivals.times(&scenario).len());
        for (call, number) in calls.iter().zip(0..) {
            assert_eq!((call.number, call.answer.is_none()), (number, number == 3));
            let took = if number == 3 { 120 } else { 2 * (number % 5) };
            let differs = call.took.abs_diff(Duration::from_secs(took));
            assert!(differs < Duration::from_millis(10), "{call:?}");
            let late = call.answer.map_or(Duration::ZERO, |made| made.abs_diff(call.at / 2));
            assert!(late < Duration::from_millis(10), "{call:?}");
        }
    }
}
