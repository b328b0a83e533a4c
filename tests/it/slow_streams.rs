//! Streams with too few events a minute, at full length in virtual time.

use evenkeel::{
    Client, Profile,
    breaker::{CircuitState, TransitionReason},
    classify::ClassifyPolicy,
    stream::CommitPolicy,
    telemetry::EventKind,
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{Provider, Reply};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep};

use crate::support::{EventLog, call, chat, ms, over, secs};

fn least(events: u32) -> Profile {
    let timeout = TimeoutPolicy::new().first_event(secs(10)).min_events_per_minute(events);
    Profile::interactive().timeout(timeout)
}

fn client(profile: Profile, reply: Reply) -> (Client, EventLog) {
    let log = EventLog::default();
    let builder = log.attach_to(Client::builder().profile(profile));
    (over(builder, [&Provider::new("primary").always(reply)]), log)
}

#[tokio::test(start_paused = true)]
async fn a_slow_stream_is_whole_and_counts_as_a_slow_call() {
    let (client, log) = client(least(30), Reply::answer().between_events(secs(4)));
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(start.elapsed(), secs(59 * 4), "it is not cut off");
    assert_eq!(log.count("stream_slow"), 1);
    let slow = log.events().into_iter().find_map(|event| match event {
        EventKind::StreamSlow { route, events, within, .. } => Some((route, events, within)),
        _ => None,
    });
    let (route, events, within) = slow.unwrap();
    assert_eq!((route.provider(), events, within), ("primary", 15, secs(60)));
    assert_eq!(client.breakers().list()[0].1.slow_ratio, Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_route_with_slow_streams_opens_for_the_next_calls() {
    for each in [secs(4), ms(250)] {
        // The second ones take 12.5 s, which is shorter than the window.
        let words = if each == secs(4) { 60 } else { 50 };
        let text = "word ".repeat(words);
        let reply = Reply::answer().text(&text).between_events(each);
        let (client, _) = client(least(300), reply);
        join_all((0..10).map(|_| call(&client, chat(true)))).await;
        let shown = client.breakers().list()[0].1;
        assert_eq!(
            (shown.state, shown.opened_by),
            (CircuitState::Open, Some(TransitionReason::Slow)),
            "{each:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_minimum_throughput_is_set_by_default_and_pauses_do_not_count() {
    let trickles = Reply::answer().between_events(secs(4));
    let (plain, log) = client(Profile::interactive(), trickles);
    call(&plain, chat(true)).await.unwrap().is_whole();
    assert_eq!(log.count("stream_slow"), 0);
    assert_eq!(plain.breakers().list()[0].1.slow_ratio, None, "the window is past the first event");
    let (quick, log) = client(least(30), Reply::answer().between_events(ms(1900)));
    call(&quick, chat(true)).await.unwrap().is_whole();
    assert_eq!(log.count("stream_slow"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_does_not_make_a_stream_slow() {
    let (client, log) = client(least(30), Reply::answer());
    let mut body = client.send(chat(true)).await.unwrap().into_body();
    while let Some(frame) = body.frame().await {
        frame.unwrap();
        sleep(secs(5)).await;
    }
    assert_eq!(log.count("stream_slow"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_held_back_until_it_is_complete_is_judged_too() {
    for (each, slow) in [(ms(400), 1), (ms(50), 0)] {
        let whole = ClassifyPolicy::default().commit(CommitPolicy::Complete);
        let (client, log) =
            client(least(300).classify(whole), Reply::answer().between_events(each));
        call(&client, chat(true)).await.unwrap().is_whole();
        assert_eq!(log.count("stream_slow"), slow, "{each:?}");
        assert_eq!(client.breakers().list()[0].1.slow_ratio, Some(slow as f64));
    }
}
