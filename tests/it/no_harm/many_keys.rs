//! A very large number of credentials at one provider: an outage is detected by their shared state.

use evenkeel::{Client, Request};

use super::simulation::{Act, Traffic, World, part, play};
use crate::support::{chat, ms, secs};

/// A build without optimizations is too slow for the larger number.
const KEYS: u64 = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
/// Calls a second: each key makes one call in the outage.
const RATE: f64 = KEYS as f64 / 100.0;

/// The calls in an outage of 102 s with that many keys in turn. Returns the attempts for each call, and the number of breakers.
fn outage(keys: u64) -> (f64, usize) {
    play(1, async move {
        let world = World::new(|_| Act::Status(503, ms(300)));
        let client = Client::builder().build_with(world.transport()).unwrap();
        let request = move |call: u64| -> Request {
            let mut request = chat(false);
            let key = format!("Bearer key-{}", call % keys);
            request.headers_mut().insert("authorization", key.parse().unwrap());
            request
        };
        let traffic = Traffic::new(RATE, secs(102), 1);
        let came = traffic.play(client.clone(), request).await;
        assert!(came.len() as u64 > KEYS, "{} calls", came.len());
        assert_eq!(part(&came, super::simulation::Came::is_answered), 0.0);
        (world.count() as f64 / came.len() as f64, client.breakers().list().len())
    })
}

#[test]
fn many_keys_ask_a_dead_provider_no_more_than_twice_as_often_as_one() {
    let ((one, _), (many, kept)) = (outage(1), outage(KEYS));
    assert!(many <= 2.0 * one, "{many} attempts a call with {KEYS} keys, {one} with one");
    // The maximum number of routes, and their shared state.
    assert!(kept <= 4_096 + 1, "{kept} breakers are kept");
}
