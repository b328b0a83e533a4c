//! Options of all calls of a future or a stream.

use futures_util::{StreamExt, stream};

use super::*;

/// Runs `make` when it is polled.
async fn make<T>(make: impl FnOnce() -> T) -> T {
    make()
}

fn of(limit: u64) -> CallOptions {
    CallOptions::new().deadline(secs(limit))
}

#[tokio::test(start_paused = true)]
async fn an_inner_scope_is_merged_with_the_outer_one() {
    let (client, log) = recording();
    let start = Instant::now();
    let outer = of(1).priority(Priority::Batch);
    let call = || client.send(chat(false));
    let check = |left: u64, priority: Option<Priority>| {
        assert_eq!(deadline(&log, start), secs(left));
        assert_eq!(log.last().extensions().get().copied(), priority);
    };
    ask(outer.scope(async { of(2).scope(call()).await })).await;
    check(2, Some(Priority::Batch));
    ask(outer.scope(of(2).scope(call()))).await;
    check(2, Some(Priority::Batch));
    outer.scope(async { (ask(of(2).scope(call())).await, ask(call()).await) }).await;
    check(1, Some(Priority::Batch));
    ask(call()).await;
    assert!(log.last().extensions().get::<Deadline>().is_none(), "outside of it there is none");
}

#[tokio::test(start_paused = true)]
async fn a_call_has_the_scope_that_it_was_made_in_or_is_awaited_in() {
    let (client, log) = recording();
    let start = Instant::now();
    let made_inside = of(1).scope(make(|| client.send(chat(false)))).await;
    ask(made_inside).await;
    assert_eq!(deadline(&log, start), secs(1));
    let made_inside = of(1).scope(make(|| client.call(chat(false)).send())).await;
    ask(made_inside).await;
    assert_eq!(deadline(&log, start), secs(1));
    let made_outside = client.send(chat(false));
    ask(of(2).scope(made_outside)).await;
    assert_eq!(deadline(&log, start), secs(2));
    // Made in an inner scope, awaited in an outer one, and the other way round.
    of(1).scope(async { ask(of(2).scope(make(|| client.send(chat(false)))).await).await }).await;
    assert_eq!(deadline(&log, start), secs(2));
    of(1)
        .scope(async {
            let call = client.send(chat(false));
            of(2).scope(ask(call)).await
        })
        .await;
    assert_eq!(deadline(&log, start), secs(2));
}

#[tokio::test(start_paused = true)]
async fn scopes_of_calls_at_the_same_time_stay_apart() {
    let (client, log) = recording();
    let start = Instant::now();
    let calls = (1..=8).map(|limit| {
        let client = client.clone();
        of(limit).scope(async move {
            tokio::task::yield_now().await;
            ask(client.send(chat(false))).await
        })
    });
    futures_util::future::join_all(calls).await;
    let mut left: Vec<_> = log
        .all()
        .iter()
        .map(|request| request.extensions().get::<Deadline>().unwrap().left(start).as_secs())
        .collect();
    left.sort_unstable();
    assert_eq!(left, (1..=8).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_spawned_task_needs_the_options_of_the_scope() {
    let (client, log) = recording();
    let start = Instant::now();
    let work = async {
        let lost = client.clone();
        tokio::spawn(async move { ask(lost.send(chat(false))).await }).await.unwrap();
        assert!(log.last().extensions().get::<Deadline>().is_none());
        let kept = client.clone();
        let call = async move { ask(kept.send(chat(false))).await };
        tokio::spawn(CallOptions::current().scope(call)).await.unwrap();
    };
    of(3).scope(work).await;
    assert_eq!(deadline(&log, start), secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_read_in_a_scope_sends_its_calls_in_it() {
    let (client, log) = recording();
    let start = Instant::now();
    let calls = stream::iter(0..3).then(|_| client.send(chat(false)));
    let calls = std::pin::pin!(of(4).scope(calls));
    assert_eq!(
        calls.map(|answer| answer.unwrap().status().as_u16()).collect::<Vec<_>>().await,
        [200; 3]
    );
    assert_eq!((log.len(), deadline(&log, start)), (3, secs(4)));
}

#[tokio::test(start_paused = true)]
async fn a_streamed_answer_keeps_its_options_outside_of_the_scope() {
    // The answer is cut, and its options request that another target goes on.
    let cut = Reply::answer().with(evenkeel_testkit::Fault::Cut { words: 40 });
    let primary = Provider::new("primary").replies([cut]);
    let client = over(Client::builder(), [&primary]);
    let goes_on = Fallback::target(Target::same_host().model("n")).capabilities(
        evenkeel::fallback::Capabilities::default().prefill(evenkeel::fallback::Prefill::Message),
    );
    let options =
        CallOptions::new().mid_stream_failure(MidStreamFailure::Continue).fallbacks([goes_on]);
    let answer = options.scope(client.send(chat(true))).await.unwrap();
    let answer = crate::support::read(answer).await;
    assert!(answer.error.is_none(), "{:?}", answer.error);
    assert_eq!(models(&primary), ["m", "n"].map(Arc::from).to_vec());
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_scope_is_that_of_each_call_and_a_moment_is_one_for_all() {
    let silent = Provider::new("primary").always(Reply::hang());
    let client = over(Client::builder(), [&silent]);
    let start = Instant::now();
    let twice = async {
        for _ in 0..2 {
            assert!(client.send(chat(false)).await.unwrap_err().is_timeout());
        }
    };
    of(2).scope(twice).await;
    assert_eq!(start.elapsed(), secs(4));
    let start = Instant::now();
    let twice = async {
        for _ in 0..2 {
            assert!(client.send(chat(false)).await.is_err());
        }
    };
    CallOptions::new().deadline_at(start + secs(2)).scope(twice).await;
    assert!(start.elapsed() <= secs(2) + ms(1), "{:?}", start.elapsed());
}
