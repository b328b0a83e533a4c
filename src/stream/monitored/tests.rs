use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::HeaderMap;
use http_body::Body as HttpBody;
use proptest::prelude::*;

use super::*;
use crate::{Body, dialect::Dialect, outcome::Phase};

const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word\"},\"finish_reason\":null}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n";
const ERROR: &str = "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n";
const FILTER: &str =
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const PING: &str = ": ping\n\n";
const IDLE: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug)]
enum Step {
    Data(&'static str),
    /// No data for this number of seconds.
    Wait(u64),
    Trailers,
    Break,
    /// No data, ever.
    Hang,
}
use Step::*;

/// A body that follows a script. With `known`, its length is known, so that its last frame is known to be the last.
struct Script {
    steps: VecDeque<Step>,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
    known: bool,
}

impl HttpBody for Script {
    type Data = Bytes;
    type Error = crate::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, crate::BoxError>>> {
        if let Some(sleep) = &mut self.sleep {
            ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
        }
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Data(data)) => Poll::Ready(Some(Ok(Frame::data(data.into())))),
            Some(Trailers) => Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new())))),
            Some(Break) => Poll::Ready(Some(Err("connection reset".into()))),
            Some(Wait(seconds)) => {
                let sleep = tokio::time::sleep(Duration::from_secs(seconds));
                self.sleep = Some(Box::pin(sleep));
                self.poll_frame(cx)
            }
            Some(Hang) => {
                self.steps.push_front(Hang);
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.known && self.steps.is_empty()
    }
}

type Endings = Arc<Mutex<Vec<BodyEnd>>>;

fn script(steps: &[Step], known: bool) -> Body {
    Body::wrap(Script { steps: steps.iter().copied().collect(), sleep: None, known })
}

fn note(body: &mut Body) -> Endings {
    let endings = Endings::default();
    let list = endings.clone();
    body.on_end(move |ending| list.lock().unwrap().push(*ending));
    endings
}

/// A monitored body, and the list to which its ending is added.
fn watched(steps: &[Step]) -> (Body, Endings) {
    let mut body = script(steps, false);
    body.guard()
        .unwrap()
        .watch(StreamMonitor::new(Dialect::OpenAiChat, &crate::outcome::ErrorCodeTable::default()));
    let endings = note(&mut body);
    (body, endings)
}

async fn frame(body: &mut Body) -> Option<Result<Frame<Bytes>, Error>> {
    std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
}

/// Reads to the end, as a server does that first checks for more data: returns the number of frames and the error.
async fn read(body: &mut Body) -> (usize, Option<Error>) {
    let (mut frames, mut error) = (0, None);
    while !body.is_end_stream() {
        match frame(body).await {
            Some(Ok(_)) => frames += 1,
            Some(Err(failed)) => error = error.or(Some(failed)),
            None => break,
        }
    }
    assert!(frame(body).await.is_none(), "it is over");
    assert!(body.is_end_stream());
    (frames, error)
}

/// Reads to the end: returns the frames, the outcome of the error, and the ending.
async fn ends(steps: &[Step]) -> (usize, Option<Outcome>, BodyEnd) {
    let (mut body, endings) = watched(steps);
    body.guard().unwrap().clock(IdleTimeout::new(IDLE, None));
    let (frames, error) = read(&mut body).await;
    let endings = endings.lock().unwrap().clone();
    assert_eq!(endings.len(), 1);
    (frames, error.map(|error| error.outcome()), endings[0])
}

#[tokio::test(start_paused = true)]
async fn a_whole_stream_is_done_whatever_comes_after_its_end() {
    for after in [
        &[][..],
        &[Break],
        &[Hang],
        &[Trailers],
        &[Data(ERROR)],
        &[Data("data: {bad\n\n")],
        &[Data(DONE), Break],
        &[Data(DONE), Data(ERROR), Break],
        &[Data(DONE), Data("data: {half"), Hang],
    ] {
        let steps = [&[Data(WORD), Data(STOP)], after].concat();
        let handed = steps.iter().filter(|step| matches!(step, Data(_) | Trailers)).count();
        assert_eq!(ends(&steps).await, (handed, None, BodyEnd::Done), "{after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_stream_never_ends_clean() {
    for cut in [&[][..], &[Break], &[Trailers], &[Data("data: {\"choices\":[{")], &[Data(PING)]] {
        let steps = [&[Data(WORD), Data(WORD)], cut].concat();
        let (_, error, ending) = ends(&steps).await;
        assert_eq!((error, ending), (Some(Outcome::Truncated), BodyEnd::Truncated), "{cut:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_in_the_stream_is_handed_on_and_then_the_body_fails() {
    let unavailable = Outcome::Unavailable { wait: None };
    let (frames, error, ending) = ends(&[Data(WORD), Data(ERROR), Data(WORD), Data(DONE)]).await;
    assert_eq!((frames, error, ending), (2, Some(unavailable), BodyEnd::Failed(unavailable)));
}

#[tokio::test(start_paused = true)]
async fn invalid_json_is_handed_on_and_then_the_body_fails() {
    let (frames, error, ending) = ends(&[Data(WORD), Data("data: {bad\n\n"), Data(STOP)]).await;
    let malformed = Outcome::Malformed;
    assert_eq!((frames, error, ending), (2, Some(malformed), BodyEnd::Failed(malformed)));
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_content_fails_and_a_blocked_one_ends_clean() {
    let (frames, error, ending) = ends(&[Data(STOP), Data(DONE), Data(PING)]).await;
    assert_eq!((frames, error, ending), (2, Some(Outcome::Empty), BodyEnd::Failed(Outcome::Empty)));
    let (frames, error, ending) = ends(&[Data(FILTER), Data(DONE)]).await;
    assert_eq!((frames, error, ending), (2, None, BodyEnd::Failed(Outcome::Blocked)));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_passes_with_a_frame_does_not_hide_why_the_body_failed() {
    let (mut body, endings) = watched(&[Data(WORD), Trailers]);
    let whole = tokio::time::Instant::now() + Duration::from_secs(60);
    body.guard().unwrap().clock(IdleTimeout::new(10 * IDLE, Some(whole)));
    frame(&mut body).await.unwrap().unwrap();
    tokio::time::advance(Duration::from_secs(90)).await;
    let (_, error) = read(&mut body).await;
    assert_eq!(vec![BodyEnd::from(error.unwrap().outcome())], *endings.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn silence_fails_a_stream_and_comments_are_silence() {
    let timed_out = Outcome::TimedOut { phase: Phase::Idle };
    let pings = [Wait(10), Data(PING)].repeat(9);
    for silence in [&[Hang][..], &pings, &[Wait(14), Data(PING), Wait(14), Data(WORD), Data(STOP)]]
    {
        let steps = [&[Data(WORD)], silence].concat();
        let began = tokio::time::Instant::now();
        let (_, error, ending) = ends(&steps).await;
        assert_eq!((error, ending), (Some(timed_out), BodyEnd::Failed(timed_out)), "{silence:?}");
        assert_eq!(began.elapsed(), IDLE);
    }
    let words = [&[Wait(14), Data(WORD)].repeat(9)[..], &[Data(STOP)]].concat();
    assert_eq!(ends(&words).await.1, None, "content ends the silence");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_comments_that_never_lets_the_caller_wait_ends_too() {
    let (mut body, endings) = watched(&[Data(PING); 1000]);
    body.guard().unwrap().clock(IdleTimeout::new(IDLE, None));
    let mut frames = 0;
    while let Some(Ok(_)) = frame(&mut body).await {
        frames += 1;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    // A slow reader gets 256 frames before they count as a flood.
    assert_eq!(frames, 256);
    let idle = BodyEnd::Failed(Outcome::TimedOut { phase: Phase::Idle });
    assert_eq!(*endings.lock().unwrap(), [idle]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_the_whole_stream_holds_though_the_caller_never_waits() {
    let (mut body, _endings) = watched(&[Data(WORD); 1000]);
    let whole = tokio::time::Instant::now() + Duration::from_secs(60);
    body.guard().unwrap().clock(IdleTimeout::new(IDLE, Some(whole)));
    let mut frames = 0;
    let error = loop {
        match frame(&mut body).await.expect("an error before the end") {
            Ok(_) => frames += 1,
            Err(error) => break error,
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    };
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Stream });
    assert_eq!(frames, 61);
}

#[tokio::test(start_paused = true)]
async fn the_time_that_the_caller_takes_is_no_silence() {
    let (mut body, _endings) = watched(&[Data(WORD), Wait(5), Data(WORD), Data(STOP)]);
    body.guard().unwrap().clock(IdleTimeout::new(IDLE, None));
    while let Some(frame) = frame(&mut body).await {
        frame.expect("no error: the provider is quick");
        tokio::time::advance(4 * IDLE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_arrived_in_time_is_not_thrown_away_for_the_clock() {
    let (mut body, _endings) = watched(&[Data(WORD), Data(STOP)]);
    body.guard().unwrap().clock(IdleTimeout::new(IDLE, None));
    tokio::time::advance(2 * IDLE).await;
    assert_eq!(read(&mut body).await.0, 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_event_of_the_api_ends_the_body_though_the_connection_stays_open() {
    for steps in [
        &[Data(WORD), Data(STOP), Data(DONE), Hang][..],
        &[Data(WORD), Data(STOP), Data(DONE), Wait(3600), Data(PING)],
    ] {
        let began = tokio::time::Instant::now();
        let (frames, error, ending) = ends(steps).await;
        assert_eq!((frames, error, ending), (3, None, BodyEnd::Done), "{steps:?}");
        assert_eq!(began.elapsed(), Duration::ZERO, "{steps:?}");
    }
    // What has arrived with it is handed on.
    assert_eq!(ends(&[Data(WORD), Data(STOP), Data(DONE), Data(PING), Hang]).await.0, 4);
}

#[tokio::test(start_paused = true)]
async fn the_rest_after_the_last_event_is_read_in_the_background_within_bounds() {
    struct Flag(Arc<Mutex<bool>>);
    impl Drop for Flag {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    for (rest, seconds) in [(&[Wait(0), Data(PING)][..], 0), (&[Hang], 1)] {
        let dropped = Arc::new(Mutex::new(false));
        let flag = Flag(dropped.clone());
        let steps = [&[Data(WORD), Data(DONE)], rest].concat();
        let inner = http_body_util::BodyExt::map_err(script(&steps, false), move |error| {
            let _ = &flag;
            error
        });
        let mut body = Body::wrap(inner);
        body.guard().unwrap().watch(StreamMonitor::new(
            Dialect::OpenAiChat,
            &crate::outcome::ErrorCodeTable::default(),
        ));
        read(&mut body).await;
        tokio::time::sleep(Duration::from_millis(seconds * 1000 + 100)).await;
        assert!(*dropped.lock().unwrap(), "{rest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_finish_reason_is_whole_if_usage_and_an_orderly_end_follow() {
    const USAGE: &str =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n";
    assert_eq!(ends(&[Data(WORD), Data(USAGE)]).await.2, BodyEnd::Done);
    assert_eq!(ends(&[Data(WORD), Data(USAGE), Break]).await.2, BodyEnd::Truncated);
    assert_eq!(ends(&[Data(WORD)]).await.2, BodyEnd::Truncated);
    assert_ne!(ends(&[Data(USAGE)]).await.2, BodyEnd::Done, "no content");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_body_has_an_ending() {
    for (steps, reads, ending) in [
        (&[Data(WORD), Hang][..], 0, BodyEnd::Cancelled),
        (&[Data(WORD), Hang], 1, BodyEnd::Cancelled),
        (&[Data(WORD), Data(STOP), Hang], 1, BodyEnd::Cancelled),
        // With the finish reason the caller has everything.
        (&[Data(WORD), Data(STOP), Hang], 2, BodyEnd::Done),
        (&[Data(WORD), Data(DONE), Hang], 2, BodyEnd::Done),
        (&[Data(WORD), Data(ERROR)], 2, BodyEnd::Failed(Outcome::Unavailable { wait: None })),
        (&[Data(STOP), Hang], 1, BodyEnd::Failed(Outcome::Empty)),
    ] {
        let (mut body, endings) = watched(steps);
        for _ in 0..reads {
            frame(&mut body).await.unwrap().unwrap();
        }
        drop(body);
        assert_eq!(*endings.lock().unwrap(), [ending], "{steps:?} after {reads}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_dropped_while_it_is_waited_for_has_an_ending() {
    let (mut body, endings) = watched(&[Data(WORD), Hang]);
    let waiting = tokio::spawn(async move { read(&mut body).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(endings.lock().unwrap().is_empty());
    waiting.abort();
    assert!(waiting.await.is_err());
    assert_eq!(*endings.lock().unwrap(), [BodyEnd::Cancelled]);
}

#[tokio::test(start_paused = true)]
async fn the_hook_runs_at_the_end_not_before() {
    let (mut body, endings) = watched(&[Data(WORD), Data(STOP), Data(DONE)]);
    let usage = body.guard().unwrap().at_end().usage();
    for ended in [false, false, true] {
        assert!(endings.lock().unwrap().is_empty());
        frame(&mut body).await.unwrap().unwrap();
        assert_eq!(!endings.lock().unwrap().is_empty(), ended);
    }
    assert_eq!(usage.get().map(|tokens| tokens.output), Some(3));
    // A hook that is registered late is called at once.
    assert_eq!(*note(&mut body).lock().unwrap(), [BodyEnd::Done]);
}

#[tokio::test(start_paused = true)]
async fn the_cost_is_known_when_the_hook_runs() {
    let mut body = script(&[Data(WORD), Data(STOP)], false);
    body.guard()
        .unwrap()
        .watch(StreamMonitor::new(Dialect::OpenAiChat, &crate::outcome::ErrorCodeTable::default()));
    let usage = body.guard().unwrap().at_end().usage();
    let told = Arc::new(Mutex::new(None));
    let tell = told.clone();
    body.on_end(move |_| *tell.lock().unwrap() = usage.get());
    read(&mut body).await;
    assert_eq!(told.lock().unwrap().map(|tokens| tokens.input), Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_body_without_a_dialect_that_breaks_is_a_failure() {
    for (steps, ending) in
        [(&[Data("a"), Data("b")][..], BodyEnd::Done), (&[Data("a"), Break], BodyEnd::Truncated)]
    {
        for known in [false, true] {
            let mut body = script(steps, known);
            let endings = note(&mut body);
            let (_, error) = read(&mut body).await;
            assert_eq!(*endings.lock().unwrap(), [ending]);
            let source = error.map(|error| std::error::Error::source(&error).unwrap().to_string());
            assert_eq!(source.as_deref(), (ending != BodyEnd::Done).then_some("connection reset"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_known_length_the_last_frame_is_the_end() {
    let mut body = script(&[Data("a"), Data("b")], true);
    let endings = note(&mut body);
    frame(&mut body).await;
    assert!(!body.is_end_stream() && endings.lock().unwrap().is_empty());
    frame(&mut body).await;
    assert!(body.is_end_stream());
    assert_eq!(*endings.lock().unwrap(), [BodyEnd::Done]);
}

#[tokio::test(start_paused = true)]
async fn of_a_known_length_a_cut_stream_does_not_claim_its_end() {
    let mut body = script(&[Data(WORD)], true);
    body.guard()
        .unwrap()
        .watch(StreamMonitor::new(Dialect::OpenAiChat, &crate::outcome::ErrorCodeTable::default()));
    let endings = note(&mut body);
    frame(&mut body).await;
    assert!(!body.is_end_stream(), "an error follows");
    // A caller that counts the bytes stops here nevertheless.
    drop(body);
    assert_eq!(*endings.lock().unwrap(), [BodyEnd::Truncated]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_known_to_be_empty_need_not_be_read() {
    let mut body = script(&[], true);
    let endings = note(&mut body);
    drop(body);
    assert_eq!(*endings.lock().unwrap(), [BodyEnd::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_breaks_off_is_malformed_and_keeps_its_source() {
    let (mut body, _endings) = watched(&[Data("<html>\n"), Break]);
    let error = read(&mut body).await.1.unwrap();
    assert_eq!(error.outcome(), Outcome::Malformed);
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test(start_paused = true)]
async fn trailers_end_a_body() {
    let mut body = script(&[Data("a"), Trailers, Hang], false);
    let endings = note(&mut body);
    frame(&mut body).await;
    assert!(frame(&mut body).await.unwrap().unwrap().is_trailers());
    assert_eq!(*endings.lock().unwrap(), [BodyEnd::Done]);
    assert!(body.is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn what_was_put_back_comes_first_and_counts_in_the_hint() {
    let mut body = script(&[Data("cd")], false);
    body.guard().unwrap().front().extend([Frame::data("a".into()), Frame::data("b".into())]);
    assert_eq!(body.size_hint().lower(), 2);
    assert!(!body.is_end_stream());
    let mut read = Vec::new();
    while let Some(frame) = frame(&mut body).await {
        read.extend_from_slice(frame.unwrap().data_ref().unwrap());
    }
    assert_eq!((&*read, body.size_hint().exact()), (&b"abcd"[..], Some(0)));
}

#[tokio::test(start_paused = true)]
async fn what_was_put_back_is_still_to_come_when_all_is_read() {
    let (mut body, endings) = watched(&[Data(WORD), Data(DONE)]);
    let guard = body.guard().unwrap();
    while let Some(ahead) = std::future::poll_fn(|cx| guard.poll_ahead(cx)).await {
        let (frame, _) = ahead.unwrap();
        guard.front().push_back(frame);
    }
    assert_eq!(*endings.lock().unwrap(), [BodyEnd::Done]);
    assert_eq!(read(&mut body).await.0, 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_body_lets_go_of_what_is_underneath() {
    struct Flag(Arc<Mutex<bool>>);
    impl Drop for Flag {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    let dropped = Arc::new(Mutex::new(false));
    let flag = Flag(dropped.clone());
    let steps = script(&[Data(ERROR), Hang], false);
    let inner = http_body_util::BodyExt::map_err(steps, move |error| {
        let _ = &flag;
        error
    });
    let mut body = Body::wrap(inner);
    body.guard()
        .unwrap()
        .watch(StreamMonitor::new(Dialect::OpenAiChat, &crate::outcome::ErrorCodeTable::default()));
    frame(&mut body).await.unwrap().unwrap();
    assert!(*dropped.lock().unwrap(), "the provider need not go on");
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_body_has_the_attempt_log() {
    let (mut body, _endings) = watched(&[Data(WORD)]);
    body.guard().unwrap().attempt_log(AttemptLog::default());
    let (_, error) = read(&mut body).await;
    assert!(error.unwrap().attempt_log().is_some());
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let data = prop::sample::select(vec![
        WORD,
        STOP,
        ERROR,
        FILTER,
        DONE,
        PING,
        "",
        "data: {bad\n\n",
        "data: {\"cho",
        "<html>",
        "{}",
    ]);
    let step = prop_oneof![
        8 => data.prop_map(Data),
        1 => (0_u64..40).prop_map(Wait),
        1 => Just(Trailers),
        1 => Just(Break),
        1 => Just(Hang),
    ];
    prop::collection::vec(step, 0..8)
}

proptest! {
    #[test]
    fn there_is_exactly_one_ending_whatever_is_dropped_and_whenever(
        steps in steps(),
        (known, watch, clock) in any::<(bool, bool, bool)>(),
        polls in 0_usize..20,
        late in 0_usize..20,
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true);
        runtime.build().unwrap().block_on(async {
            let mut body = script(&steps, known);
            let guard = body.guard().unwrap();
            if watch {
                guard.watch(StreamMonitor::new(Dialect::OpenAiChat, &crate::outcome::ErrorCodeTable::default()));
            }
            if clock {
                guard.clock(IdleTimeout::new(IDLE, None));
            }
            let first = note(&mut body);
            let mut second = None;
            let mut failed = None;
            for poll in 0..polls {
                if poll == late {
                    second = Some(note(&mut body));
                }
                let next = std::future::poll_fn(|cx| {
                    Poll::Ready(Pin::new(&mut body).poll_frame(cx))
                });
                match next.await {
                    Poll::Ready(Some(Err(error))) => failed = Some(BodyEnd::from(error.outcome())),
                    Poll::Ready(_) => {}
                    Poll::Pending => tokio::time::advance(Duration::from_secs(7)).await,
                }
                if body.is_end_stream() {
                    assert_eq!(first.lock().unwrap().len(), 1);
                }
            }
            drop(body);
            let endings = first.lock().unwrap().clone();
            assert_eq!(endings.len(), 1, "{endings:?}");
            assert!(failed.is_none_or(|failed| failed == endings[0]), "{failed:?} {endings:?}");
            if let Some(second) = second {
                assert_eq!(*second.lock().unwrap(), endings);
            }
        });
    }
}
