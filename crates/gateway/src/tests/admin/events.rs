//! The server-sent events.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Response;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::{Watched, refused};

/// The next snapshot of the events.
async fn next(events: &mut Response, text: &mut String) -> Value {
    loop {
        if let Some((event, rest)) = text.split_once("\n\n") {
            let (event, rest) = (event.to_owned(), rest.to_owned());
            *text = rest;
            assert!(event.lines().any(|line| line == "event: snapshot"), "{event}");
            let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
            return serde_json::from_str(data).unwrap();
        }
        let piece = timeout(Duration::from_secs(10), events.chunk()).await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
}

#[tokio::test]
async fn a_snapshot_comes_at_once_and_after_a_change_and_when_nothing_changes() {
    let watched = Watched::new().await;
    let mut events = watched.get("/api/events").send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let first = next(&mut events, &mut text).await;
    assert!(text.is_empty() && first["calls"].as_array().unwrap().is_empty(), "{first}");
    watched.call().await;
    let start = Instant::now();
    let mut seen = first.clone();
    while seen["calls"].as_array().unwrap().is_empty() {
        seen = next(&mut events, &mut text).await;
    }
    assert!(start.elapsed() < Duration::from_secs(8));
    let quiet = next(&mut events, &mut text).await;
    assert!(quiet["now"].as_u64() > first["now"].as_u64());
}

#[tokio::test]
async fn readers_are_bounded_and_their_places_come_back() {
    let watched = Watched::new().await;
    let open = || async { watched.get("/api/events").send().await.unwrap() };
    let readers = join_all((0..16).map(|_| open())).await;
    assert!(readers.iter().all(|reader| reader.status() == 200));
    let (status, words) = refused(watched.get("/api/events")).await;
    assert!(status == 503 && words.contains("16"), "{words}");
    // The snapshot is still answered.
    watched.snapshot().await;
    drop(readers);
    let until = Instant::now() + Duration::from_secs(20);
    while open().await.status() != 200 {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
