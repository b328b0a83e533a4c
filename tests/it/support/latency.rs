//! The time that callers wait for the first content.

use std::time::Duration;

use evenkeel::Client;
use evenkeel_testkit::Reply;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until};

use super::{
    bodies::{Answer, read},
    requests::chat,
    time::{ms, secs},
};

/// Calls at a fixed rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    pub(crate) stream: bool,
    pub(crate) every: Duration,
    pub(crate) lasts: Duration,
}

/// The time of each call to its first content (or its whole answer), after the first minute. Each answer is checked.
pub(crate) async fn times_to_first_content(
    client: &Client,
    calls: Calls,
    check: impl Fn(&Answer),
) -> Vec<Duration> {
    let start = Instant::now();
    let check = &check;
    let count = (calls.lasts.as_millis() / calls.every.as_millis()) as u32;
    let made = (0..count).map(|n| async move {
        sleep_until(start + n * calls.every).await;
        let asked = Instant::now();
        let response = client.send(chat(calls.stream)).await.unwrap();
        let first = asked.elapsed();
        check(&read(response).await);
        (asked - start, first)
    });
    let all = join_all(made).await;
    all.into_iter().filter(|(at, _)| *at >= secs(60)).map(|(_, first)| first).collect()
}

pub(crate) fn percentile_99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// Replies whose first content comes after 300 to 500 ms.
pub(crate) fn evenly_spread_replies(count: u64) -> impl Iterator<Item = Reply> {
    (0..count)
        .map(|n| Reply::answer().words_per_event(60).first_content_after(ms(300 + n * 7919 % 200)))
}
