//! Code shared by tests over real sockets and the real clock.

use std::{error::Error as StdError, time::Duration};

use evenkeel::{Error, outcome::Outcome};
use tokio::time::{Instant, sleep};

/// A transport without proxies and without its own retries.
pub(crate) fn transport() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap()
}

/// evenkeel's error inside another, at any depth.
#[track_caller]
pub(crate) fn own_error<'a>(error: &'a (dyn StdError + 'static)) -> &'a Error {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return found;
        }
        next = error.source();
    }
    panic!("none of ours in {error:?}")
}

/// Reads a response to its end. Returns its text, and the failure of its body.
pub(crate) async fn read_reqwest(response: &mut reqwest::Response) -> (String, Option<Outcome>) {
    let (mut bytes, mut failed) = (Vec::new(), None);
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                failed = Some(own_error(&error).outcome());
                break;
            }
        }
    }
    (String::from_utf8(bytes).unwrap(), failed)
}

/// Waits until the condition holds: one side of a connection notices the other's end a little later.
pub(crate) async fn wait_until(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "the condition never held");
        sleep(Duration::from_millis(2)).await;
    }
}
