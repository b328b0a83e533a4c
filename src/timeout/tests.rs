//! Tests of parts that are not reachable from outside: the clocks of a body, and of an attempt that is read ahead.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, advance, sleep},
};
use tower::{Layer, ServiceExt, service_fn};

use super::TimeoutPolicy;
use crate::{
    Body, BoxError, Error, Request, Response,
    context::{CallContext, Deadline},
    dialect::{Dialect, RequestInfo, StreamMonitor},
    outcome::{Outcome, Phase},
    stream::{IdleTimeout, ProgressSignal},
    telemetry::{EventKind, EventSink},
    time::saturating_add,
};

const IDLE: Duration = Duration::from_secs(15);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A body whose frames are sent by the test.
struct Sent(UnboundedReceiver<&'static str>);

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|text| text.map(|text| Ok(Frame::data(Bytes::from(text)))))
    }
}

fn sent() -> (UnboundedSender<&'static str>, Body) {
    let (sender, receiver) = unbounded_channel();
    (sender, Body::wrap(Sent(receiver)))
}

/// A body under a clock of 15 s idle; `chat` reads it as a stream of OpenAI chat.
fn clocked(chat: bool, whole: Option<Duration>) -> (UnboundedSender<&'static str>, Body) {
    let (sender, mut body) = sent();
    let guard = body.guard().expect("it is streamed");
    if chat {
        guard.watch(StreamMonitor::new(
            Dialect::OpenAiChat,
            &crate::outcome::ErrorCodeTable::default(),
        ));
    }
    guard.clock(IdleTimeout::new(IDLE, whole.map(|whole| saturating_add(Instant::now(), whole))));
    (sender, body)
}

async fn next(body: &mut Body) -> Option<Result<Bytes, Outcome>> {
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    Some(frame.map(|frame| frame.into_data().unwrap()).map_err(|error| error.outcome()))
}

async fn next_failure(body: &mut Body) -> Phase {
    match next(body).await {
        Some(Err(Outcome::TimedOut { phase })) => phase,
        other => panic!("{other:?}"),
    }
}

fn took(start: Instant) -> u64 {
    start.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_fails_after_the_idle_time() {
    let (sender, mut body) = clocked(false, None);
    let start = Instant::now();
    sender.send("word").unwrap();
    assert!(next(&mut body).await.unwrap().is_ok());
    assert_eq!(next_failure(&mut body).await, Phase::Idle);
    assert_eq!(took(start), 15);
    assert!(next(&mut body).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_begins_fails_after_the_idle_time() {
    let (_sender, mut body) = clocked(false, None);
    let start = Instant::now();
    assert_eq!(next_failure(&mut body).await, Phase::Idle);
    assert_eq!(took(start), 15);
}

#[tokio::test(start_paused = true)]
async fn a_long_stream_that_goes_on_is_never_ended() {
    let (sender, mut body) = clocked(false, None);
    let feeder = tokio::spawn(async move {
        for _ in 0..200 {
            sleep(secs(14)).await;
            sender.send("word").unwrap();
        }
    });
    let mut words = 0;
    while let Some(frame) = next(&mut body).await {
        assert!(frame.is_ok());
        words += 1;
    }
    feeder.await.unwrap();
    assert_eq!(words, 200);
}

#[tokio::test(start_paused = true)]
async fn comments_do_not_re_arm_the_idle_clock() {
    let (sender, mut body) = clocked(true, None);
    tokio::spawn(async move {
        // The number of events is limited, so that a clock that never fires fails the test instead of hanging it.
        for _ in 0..100 {
            let _ = sender.send(": keep-alive\n\n");
            sleep(secs(4)).await;
        }
    });
    let start = Instant::now();
    let phase = loop {
        match next(&mut body).await {
            Some(Ok(_)) => (),
            Some(Err(Outcome::TimedOut { phase })) => break phase,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(phase, Phase::Idle);
    assert_eq!(took(start), 15);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_late_finds_what_has_arrived() {
    let (sender, mut body) = clocked(false, None);
    sender.send("one").unwrap();
    sender.send("two").unwrap();
    assert!(next(&mut body).await.unwrap().is_ok());
    sleep(secs(60)).await;
    assert!(next(&mut body).await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_late_to_nothing_waits_from_then_on() {
    let (sender, mut body) = clocked(false, None);
    sender.send("one").unwrap();
    assert!(next(&mut body).await.unwrap().is_ok());
    sleep(secs(60)).await;
    // The transport reads on when it is polled: what it delivers then is in time.
    let start = Instant::now();
    tokio::spawn(async move {
        sleep(secs(1)).await;
        sender.send("two").unwrap();
        std::future::pending::<()>().await;
    });
    assert!(next(&mut body).await.unwrap().is_ok());
    assert_eq!(next_failure(&mut body).await, Phase::Idle);
    assert_eq!(took(start), 16);
}

#[tokio::test(start_paused = true)]
async fn waits_before_and_after_a_comment_add_up_without_the_readers_own_time() {
    let (sender, mut body) = clocked(true, None);
    tokio::spawn(async move {
        sleep(secs(10)).await;
        sender.send(": ping\n\n").unwrap();
        std::future::pending::<()>().await;
    });
    assert!(next(&mut body).await.unwrap().is_ok());
    sleep(secs(100)).await;
    let start = Instant::now();
    assert_eq!(next_failure(&mut body).await, Phase::Idle);
    assert_eq!(took(start), 5);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_asked_and_went_elsewhere_has_waited() {
    let (_sender, mut body) = clocked(false, None);
    let once = tokio::time::timeout(secs(1), next(&mut body)).await;
    assert!(once.is_err());
    sleep(secs(30)).await;
    let start = Instant::now();
    assert_eq!(next_failure(&mut body).await, Phase::Idle);
    assert_eq!(took(start), 0);
}

#[tokio::test(start_paused = true)]
async fn data_goes_before_a_timer_that_has_passed() {
    let (sender, mut body) = clocked(false, None);
    assert!(tokio::time::timeout(secs(1), next(&mut body)).await.is_err());
    advance(secs(60)).await;
    sender.send("late, and there").unwrap();
    assert!(next(&mut body).await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_whole_stream_is_bounded_if_asked() {
    let (sender, mut body) = clocked(false, Some(secs(60)));
    tokio::spawn(async move {
        for _ in 0..100 {
            let _ = sender.send("word");
            sleep(secs(7)).await;
        }
    });
    let start = Instant::now();
    let phase = loop {
        match next(&mut body).await {
            Some(Ok(_)) => (),
            Some(Err(Outcome::TimedOut { phase })) => break phase,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((phase, took(start)), (Phase::Stream, 60));
}

#[tokio::test(start_paused = true)]
async fn the_whole_stream_is_bounded_also_for_a_reader_that_never_waits() {
    let (sender, mut body) = clocked(false, Some(secs(60)));
    (0..100).for_each(|_| sender.send("word").unwrap());
    let mut words = 0;
    loop {
        match next(&mut body).await {
            Some(Ok(_)) => words += 1,
            Some(Err(Outcome::TimedOut { phase: Phase::Stream })) => break,
            other => panic!("{other:?}"),
        }
        sleep(secs(10)).await;
    }
    assert_eq!(words, 7);
}

// === an attempt ===

type Log = Arc<Mutex<Vec<(Phase, Duration)>>>;

fn log() -> (Log, EventSink) {
    let log = Log::default();
    let into = log.clone();
    let events = EventSink::new(move |event: &crate::telemetry::Event| {
        if let EventKind::TimedOut { phase, after } = &event.kind {
            into.lock().unwrap().push((*phase, *after));
        }
    });
    (log, events)
}

fn streamed_ask() -> Request {
    let mut request = Request::new(r#"{"stream":true}"#.into());
    let info = RequestInfo::read(&request);
    CallContext::set_info(&mut request, info);
    request
}

fn timed_out(result: Result<Response, Error>) -> Phase {
    match result.map_err(|error| error.outcome()) {
        Err(Outcome::TimedOut { phase }) => phase,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_so_long_to_its_first_event() {
    let (log, events) = log();
    let layer = TimeoutPolicy::new().build().unwrap().events(events);
    let silent = service_fn(|_: Request| std::future::pending::<Result<Response, Error>>());
    let start = Instant::now();
    let result = layer.layer(silent).oneshot(streamed_ask()).await;
    assert_eq!((timed_out(result), took(start)), (Phase::FirstEvent, 20));
    assert_eq!(*log.lock().unwrap(), [(Phase::FirstEvent, secs(20))]);
}

fn pulse(request: &Request) -> Option<ProgressSignal> {
    request.extensions().get().cloned()
}

/// A service that reads ahead: content arrives after each of these waits and is held back until the last has arrived.
async fn held_back(waits: &[u64], request: Request) -> Result<Response, Error> {
    let pulse = pulse(&request).expect("a streamed ask has a pulse");
    for wait in waits {
        sleep(secs(*wait)).await;
        pulse.beat();
    }
    Ok(Response::default())
}

async fn collected(
    policy: TimeoutPolicy,
    waits: &'static [u64],
    request: Request,
) -> (Result<Response, Error>, u64) {
    let service = service_fn(move |request: Request| held_back(waits, request));
    let start = Instant::now();
    let result = policy.build().unwrap().layer(service).oneshot(request).await;
    (result, took(start))
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_held_back_until_complete_lives_while_content_comes() {
    let (result, took) =
        collected(TimeoutPolicy::new(), &[9, 14, 14, 14, 14], streamed_ask()).await;
    assert!(result.is_ok());
    assert_eq!(took, 65);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_held_back_and_falls_silent_is_idle() {
    let (result, took) = collected(TimeoutPolicy::new(), &[9, 14, 100], streamed_ask()).await;
    assert_eq!((timed_out(result), took), (Phase::Idle, 38));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_held_back_is_bounded_by_the_deadline_and_as_a_whole() {
    let mut request = streamed_ask();
    CallContext::of(&mut request).deadline = Some(Deadline::within(secs(30)));
    let (result, took) = collected(TimeoutPolicy::new(), &[9, 14, 14, 14], request).await;
    assert_eq!((timed_out(result), took), (Phase::Deadline, 30));

    let policy = TimeoutPolicy::new().stream_total(secs(20));
    let (result, took) = collected(policy, &[9, 14, 14, 14], streamed_ask()).await;
    assert_eq!((timed_out(result), took), (Phase::Stream, 20));
}

/// A service that delivers content after each of these waits and fails when the last has passed.
async fn closed(
    waits: &'static [u64],
    outcome: Outcome,
    request: Request,
) -> (Outcome, u64, Vec<(Phase, Duration)>) {
    let service = service_fn(move |request: Request| async move {
        let pulse = pulse(&request);
        let (last, content) = waits.split_last().expect("there is one");
        for wait in content {
            sleep(Duration::from_millis(*wait)).await;
            pulse.as_ref().expect("a streamed ask has a pulse").beat();
        }
        sleep(Duration::from_millis(*last)).await;
        Err::<Response, _>(Error::new(outcome).with_source("closed"))
    });
    let (log, events) = log();
    let layer = TimeoutPolicy::new().build().unwrap().events(events);
    let start = Instant::now();
    let error = layer.layer(service).oneshot(request).await.unwrap_err();
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next.filter(|error| error.to_string() != "closed") {
        next = error.source();
    }
    assert!(next.is_some(), "what happened is kept: {error:?}");
    (error.outcome(), took(start), log.lock().unwrap().clone())
}

#[tokio::test(start_paused = true)]
async fn a_silence_as_long_as_the_limit_and_then_a_close_is_that_limits_timeout() {
    let whole: [(&'static [u64], _, _, _); 4] = [
        (&[9_000, 15_000], streamed_ask(), Phase::Idle, 15),
        (&[9_000, 14_300], streamed_ask(), Phase::Idle, 15),
        (&[19_500], streamed_ask(), Phase::FirstEvent, 20),
        (&[19_500], Request::default(), Phase::Attempt, 20),
    ];
    for (waits, request, phase, limit) in whole {
        for outcome in [Outcome::Truncated, Outcome::ConnectionLost, Outcome::Empty] {
            let (came, at, told) = closed(waits, outcome, request.clone()).await;
            assert_eq!(came, Outcome::TimedOut { phase }, "{waits:?} {outcome}");
            assert_eq!(at, waits.iter().sum::<u64>() / 1000, "as soon as it is closed");
            assert_eq!(told, [(phase, secs(limit))]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_well_before_the_limit_or_an_answer_at_it_is_what_it_is() {
    for waits in [&[9_000, 14_000][..], &[9_000], &[18_900]] {
        let request = if waits == [18_900] { Request::default() } else { streamed_ask() };
        assert_eq!(closed(waits, Outcome::Truncated, request).await.0, Outcome::Truncated);
    }
    // Content and the cut arrive at the same time: the connection was not silent.
    let (came, ..) = closed(&[9_000, 14_500, 0], Outcome::Truncated, streamed_ask()).await;
    assert_eq!(came, Outcome::Truncated);
    // A refused connection is an answer.
    let (came, ..) = closed(&[9_900], Outcome::Unreachable, streamed_ask()).await;
    assert_eq!(came, Outcome::Unreachable);
    // A deadline is not the target's silence.
    let mut request = streamed_ask();
    CallContext::of(&mut request).deadline = Some(Deadline::within(secs(5)));
    assert_eq!(closed(&[4_900], Outcome::Truncated, request).await.0, Outcome::Truncated);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_a_pulse_of_its_own() {
    let request = streamed_ask();
    let layer = TimeoutPolicy::new().build().unwrap();
    let (first, second) = (request.clone(), request.clone());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    let service = layer.layer(service_fn(move |request: Request| {
        let pulse = pulse(&request).expect("a streamed ask has a pulse");
        pulse.beat();
        into.lock().unwrap().push(pulse.beats());
        async { Ok::<_, Error>(Response::default()) }
    }));
    service.clone().oneshot(first).await.unwrap();
    service.oneshot(second).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [1, 1]);
    assert!(pulse(&request).is_none());
}
