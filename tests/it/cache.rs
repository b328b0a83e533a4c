//! Stored answers: what is stored, when it is served, and equal calls that share an attempt.

use std::{
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use evenkeel::{
    BoxError, Client, ClientBuilder, Error, Response,
    cache::{CachePolicy, Entry, Found, Hit, Key, Memory, Store, Tenant},
    fallback::{Fallback, FallbackPolicy},
    outcome::Outcome,
    stream::BodyEnd,
    telemetry::{EventKind, MissReason, SkipReason},
};
use evenkeel_testkit::{Fault, Provider, Reply};
use futures_util::future::join_all;
use http::header;
use http_body_util::BodyExt;
use tokio::time::{advance, sleep};

use crate::support::{
    EventLog, call, chat, ms, over, pair, read, secondary, secs, with_body, with_deadline,
};

const BUSY: &str = "We are very busy.";

fn primary() -> Provider {
    Provider::new("primary")
}

fn caching(policy: CachePolicy) -> ClientBuilder {
    Client::builder().cache(policy)
}

fn hour() -> CachePolicy {
    CachePolicy::new().serve_fresh_for(secs(3600))
}

fn together() -> CachePolicy {
    CachePolicy::new().coalesce(true)
}

/// A cache whose store the test can inspect.
fn open() -> (Arc<Memory>, CachePolicy) {
    let store = Arc::new(Memory::default());
    (store.clone(), CachePolicy::with_shared_store(store))
}

/// A bot with stored answers of up to an hour, and a canned reply as the last fallback.
fn bot(policy: CachePolicy) -> ClientBuilder {
    caching(policy).fallback(Fallback::stored(secs(3600))).fallback(Fallback::canned(BUSY))
}

fn hit(response: &Response) -> Option<Hit> {
    response.extensions().get().copied()
}

// === in place of a call ===

#[tokio::test(start_paused = true)]
async fn a_fresh_stored_answer_replaces_a_call_and_is_marked() {
    let (provider, log) = (primary(), EventLog::default());
    let client = over(log.attach_to(caching(hour())), [&provider]);
    let first = call(&client, chat(false)).await.unwrap();
    first.is_whole();
    assert!(!first.headers.contains_key(header::AGE));
    advance(secs(90)).await;
    let response = client.send(chat(false)).await.unwrap();
    let found = hit(&response).unwrap();
    assert_eq!((found.age.as_secs(), found.stale), (90, false));
    let second = read(response).await;
    second.is_whole();
    assert_eq!(second.bytes(), first.bytes());
    assert_eq!(second.headers[header::AGE], "90");
    assert_eq!(second.headers["evenkeel-served-by"], "stored");
    assert_eq!(second.headers["evenkeel-attempts"], "0");
    assert_eq!(second.headers[header::CONTENT_TYPE], first.headers[header::CONTENT_TYPE]);
    let attempt_log = second.attempt_log.unwrap();
    assert_eq!((attempt_log.to_string().as_str(), attempt_log.sent()), ("stored", 0));
    assert_eq!(attempt_log.ending(), Some(BodyEnd::Done));
    assert_eq!(second.verdict.unwrap().outcome(), Outcome::Success);
    assert_eq!(provider.count(), 1);
    assert_eq!(
        (log.count("cache_hit"), log.count("cache_miss"), log.count("cache_stored")),
        (1, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_answer_is_asked_for_anew() {
    let (provider, log) = (primary(), EventLog::default());
    let client =
        over(log.attach_to(caching(CachePolicy::new().serve_fresh_for(secs(60)))), [&provider]);
    call(&client, chat(false)).await.unwrap().is_whole();
    advance(secs(61)).await;
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!(provider.count(), 2);
    assert!(
        log.events()
            .iter()
            .any(|event| matches!(event, EventKind::CacheMiss { reason: MissReason::Old, .. }))
    );
    advance(secs(59)).await;
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!(provider.count(), 2, "the newer took the place of the older");
}

#[tokio::test(start_paused = true)]
async fn no_stored_answer_replaces_a_call_unless_configured() {
    let provider = primary();
    let client = over(caching(CachePolicy::new()), [&provider]);
    for _ in 0..3 {
        call(&client, chat(false)).await.unwrap().is_whole();
    }
    assert_eq!(provider.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_given_as_json_or_as_a_stream_whichever_is_asked() {
    for stream in [true, false] {
        let provider = primary();
        let client = over(caching(hour()), [&provider]);
        call(&client, chat(stream)).await.unwrap().is_whole();
        for form in [!stream, stream] {
            let answer = call(&client, chat(form)).await.unwrap();
            answer.is_whole();
            let kind = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
            assert_eq!(kind.starts_with("text/event-stream"), form, "{kind}");
            let log = String::from_utf8(answer.bytes().to_vec()).unwrap();
            assert!(log.contains(r#""completion_tokens":60"#), "{log}");
        }
        assert_eq!(provider.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn no_tenant_is_given_the_answer_of_another() {
    let provider = primary();
    let client = over(caching(hour()), [&provider]);
    call(&client, chat(false)).await.unwrap().is_whole();
    let mut other = chat(false);
    other.headers_mut().insert("authorization", "Bearer another".parse().unwrap());
    call(&client, other).await.unwrap().is_whole();
    assert_eq!(provider.count(), 2);
    for (tenant, count) in [("a", 3), ("b", 4), ("a", 4)] {
        let mut request = chat(false);
        request.extensions_mut().insert(Tenant::new(tenant));
        call(&client, request).await.unwrap().is_whole();
        assert_eq!(provider.count(), count, "{tenant}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_can_switch_the_cache_off() {
    let provider = primary();
    let client = over(caching(hour().coalesce(true)), [&provider]);
    let saying = |word: &str| {
        let mut request = chat(false);
        request.headers_mut().insert(header::CACHE_CONTROL, word.parse().unwrap());
        request
    };
    let both =
        join_all([client.send(saying("no-store")), client.send(saying("max-age=0, No-Store"))]);
    assert_eq!((both.await.len(), provider.count()), (2, 2));
    for (word, count) in [("no-store", 3), ("no-cache", 4), ("no-cache", 5), ("max-age=60", 5)] {
        call(&client, saying(word)).await.unwrap().is_whole();
        assert_eq!(provider.count(), count, "{word}");
    }
}

// === in an outage ===

#[tokio::test(start_paused = true)]
async fn in_an_outage_the_last_good_answer_is_better_than_an_apology() {
    let (provider, log) = (primary(), EventLog::default());
    let client = over(log.attach_to(bot(CachePolicy::new())), [&provider]);
    call(&client, chat(true)).await.unwrap().is_whole();
    provider.set(Reply::status(503));
    log.clear();
    for stream in [false, true] {
        let response = client.send(chat(stream)).await.unwrap();
        assert!(hit(&response).unwrap().stale);
        let answer = read(response).await;
        answer.is_whole();
        assert_eq!(answer.headers["evenkeel-served-by"], "stored");
        assert_eq!(answer.attempt_log.unwrap().served_by().as_deref(), Some("stored"));
    }
    assert_eq!(log.count("cache_stored"), 0, "it is not stored once more");
    let other = call(&client, with_body(r#"{"model":"m","messages":[]}"#)).await.unwrap();
    assert_eq!((other.words().as_str(), other.from()), (BUSY, "canned"));
    advance(secs(3600)).await;
    assert_eq!(call(&client, chat(false)).await.unwrap().from(), "canned");
    let skipped = log.events().into_iter().filter(|event| {
        matches!(event, EventKind::FallbackSkipped { fallback: 1, reason: SkipReason::Missing, .. })
    });
    assert_eq!(skipped.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stored_answer_can_precede_another_target() {
    let (provider, second) = pair();
    let builder =
        caching(CachePolicy::new()).fallback(Fallback::stored(secs(60))).fallback(secondary());
    let client = over(builder, [&provider, &second]);
    call(&client, chat(false)).await.unwrap().is_whole();
    provider.set(Reply::status(503));
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!(second.count(), 0);
    let other = call(&client, with_body(r#"{"model":"m","messages":[]}"#)).await.unwrap();
    assert_eq!((other.from(), second.count()), ("secondary", 1));
}

#[tokio::test(start_paused = true)]
async fn a_miss_is_not_a_failure() {
    // The first target rejects the request as too large; the smaller target below is skipped, with or without a stored answer
    // between them.
    let (provider, second) = pair();
    provider.set(Reply::context_length_exceeded());
    let offers = evenkeel::fallback::Capabilities::default();
    let small = secondary().capabilities(offers.context(1000));
    let fallbacks = FallbackPolicy::new()
        .first(Fallback::original_request().capabilities(offers.context(2000)))
        .fallback(Fallback::stored(secs(60)))
        .fallback(small);
    let client = over(caching(CachePolicy::new()).fallback_policy(fallbacks), [&provider, &second]);
    assert_eq!(call(&client, chat(false)).await.unwrap().status, 400);
    assert_eq!(second.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_provider_leaves_time_for_the_stored_answer() {
    let provider = primary();
    let client = over(bot(CachePolicy::new()), [&provider]);
    call(&client, chat(false)).await.unwrap().is_whole();
    provider.set(Reply::hang());
    let request = with_deadline(chat(false), ms(500));
    assert_eq!(call(&client, request).await.unwrap().from(), "stored");
}

// === what is stored ===

#[tokio::test(start_paused = true)]
async fn only_whole_answers_of_the_first_fallback_are_stored() {
    let cut = || Reply::answer().with(Fault::Cut { words: 40 });
    let limited = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"A ship"},"finish_reason":"length"}]}"#;
    let calls = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"pay","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
    let cases = [
        ("cut", true, cut()),
        ("cut", false, cut()),
        ("down", false, Reply::status(503)),
        ("refused", false, Reply::refused()),
        ("blocked", false, Reply::content_policy_violation()),
        ("limited", false, Reply::raw(200, "application/json", limited)),
        ("calls a tool", false, Reply::raw(200, "application/json", calls)),
        ("foreign", true, Reply::raw(200, "text/event-stream", limited)),
        ("a page", false, Reply::html()),
    ];
    for (name, stream, reply) in cases {
        let (store, policy) = open();
        let (provider, second) = pair();
        provider.set(reply);
        let builder = caching(policy).fallback(secondary()).fallback(Fallback::canned(BUSY));
        let client = over(builder, [&provider, &second]);
        let _whatever = call(&client, chat(stream)).await;
        assert!(store.is_empty(), "{name}");
        second.set(Reply::status(503));
        let _canned = call(&client, chat(stream)).await;
        assert!(store.is_empty(), "{name}, canned");
        provider.set(Reply::answer());
        advance(secs(60)).await;
        call(&client, chat(stream)).await.unwrap();
        assert_eq!(store.len(), 1, "{name}, and then well");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_tool_is_stored_where_that_is_wanted() {
    let calls = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"look","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
    let (store, policy) = open();
    let provider = primary().always(Reply::raw(200, "application/json", calls));
    let client =
        over(caching(policy.store_tool_calls(true).serve_fresh_for(secs(60))), [&provider]);
    for _ in 0..2 {
        assert_eq!(call(&client, chat(false)).await.unwrap().bytes(), calls);
    }
    assert_eq!((store.len(), provider.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_stored_at_its_end_and_not_before() {
    let (store, policy) = open();
    let provider = primary();
    let client = over(caching(policy), [&provider]);
    let mut body = client.send(chat(true)).await.unwrap().into_body();
    let mut frames = 0;
    while frames < 30 {
        body.frame().await.unwrap().unwrap();
        frames += 1;
    }
    drop(body);
    assert!(store.is_empty(), "half of it was read");
    let mut body = client.send(chat(true)).await.unwrap().into_body();
    while let Some(frame) = body.frame().await {
        if frame.unwrap().data_ref().is_some_and(|data| data.ends_with(b"[DONE]\n\n")) {
            break;
        }
        assert!(store.is_empty());
    }
    // A caller that stops at the last word has received all of it.
    assert_eq!(store.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_takes_no_more_than_its_bound() {
    let store = Arc::new(Memory::new(64 * 1024));
    let provider = primary();
    let client = over(caching(CachePolicy::with_shared_store(store.clone())), [&provider]);
    for n in 0..500 {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{n}"}}]}}"#);
        call(&client, with_body(body)).await.unwrap().is_whole();
        assert!(store.weight() <= 64 * 1024);
    }
    assert!(store.weight() > 32 * 1024 && store.len() > 10, "{store:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_larger_than_the_largest_is_handed_on_and_not_stored() {
    for stream in [false, true] {
        let (store, policy) = open();
        let provider = primary();
        let client = over(caching(policy.max_entry_bytes(400)), [&provider]);
        call(&client, chat(stream)).await.unwrap().is_whole();
        assert!(store.is_empty());
    }
}

// === a store of the user's ===

enum Trouble {
    Fails,
    Hangs,
}

impl Store for Trouble {
    fn get(&self, _: &Key) -> Found<'_> {
        match self {
            Self::Fails => Box::pin(async { Err(BoxError::from("down")) }),
            Self::Hangs => Box::pin(pending()),
        }
    }

    fn put(&self, _: &Key, _: Entry) -> Result<(), BoxError> {
        Err("down".into())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_fails_no_call() {
    for (store, why) in [(Trouble::Fails, MissReason::Failed), (Trouble::Hangs, MissReason::Late)] {
        let (provider, log) = (primary(), EventLog::default());
        let policy = CachePolicy::with_store(store).serve_fresh_for(secs(60));
        let client = over(log.attach_to(bot(policy)), [&provider]);
        call(&client, chat(false)).await.unwrap().is_whole();
        provider.set(Reply::status(503));
        assert_eq!(call(&client, chat(false)).await.unwrap().from(), "canned");
        let misses = log.events().into_iter().filter_map(|event| match event {
            EventKind::CacheMiss { reason, .. } => Some(reason),
            _ => None,
        });
        assert_eq!(misses.collect::<Vec<_>>(), [why; 3]);
        assert_eq!(log.count("cache_failed"), 1);
    }
}

// === equal calls in flight ===

/// A thousand equal calls, each with its number of polls.
async fn thousand(client: &Client, stream: bool) -> (Vec<crate::support::Answer>, u64) {
    let polls = Arc::new(AtomicU64::new(0));
    let one = || counted(polls.clone(), call_of(client, stream));
    let tasks: Vec<_> = (0..1000).map(|_| tokio::spawn(one())).collect();
    let answers = join_all(tasks).await.into_iter().map(|answer| answer.unwrap().unwrap());
    (answers.collect(), polls.load(Ordering::Relaxed))
}

fn call_of(
    client: &Client,
    stream: bool,
) -> impl Future<Output = Result<crate::support::Answer, Error>> + Send + use<> {
    let client = client.clone();
    async move { call(&client, chat(stream)).await }
}

async fn counted<F: Future>(polls: Arc<AtomicU64>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        future.as_mut().poll(cx)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_thousand_equal_calls_share_one_attempt_and_none_spins() {
    for stream in [false, true] {
        let (provider, log) =
            (primary().always(Reply::answer().head_after(secs(5))), EventLog::default());
        let client = over(log.attach_to(caching(together())), [&provider]);
        let (answers, polls) = thousand(&client, stream).await;
        answers.iter().for_each(|answer| answer.is_whole());
        assert_eq!((provider.count(), log.count("coalesced")), (1, 999));
        assert!(answers.iter().all(|answer| answer.bytes() == answers[0].bytes()));
        println!("1 000 equal calls, streamed: {stream}: 1 attempt, {polls} polls of all callers");
        assert!(polls <= 1000 * 12, "{polls}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_form_has_its_own_attempt() {
    let provider = primary().always(Reply::answer().head_after(secs(1)));
    let client = over(caching(together()), [&provider]);
    let calls = [true, false, true, false].map(|stream| call_of(&client, stream));
    join_all(calls).await.into_iter().for_each(|answer| answer.unwrap().is_whole());
    assert_eq!(provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_joins_in_mid_stream_has_the_stream_from_its_beginning() {
    let provider = primary().always(Reply::answer().between_events(ms(50)));
    let client = over(caching(together()), [&provider]);
    let first = tokio::spawn(call_of(&client, true));
    sleep(ms(1000)).await;
    call(&client, chat(true)).await.unwrap().is_whole();
    first.await.unwrap().unwrap().is_whole();
    assert_eq!(provider.count(), 1);
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(provider.count(), 2, "nothing was stored to be given in place of a call");
}

#[tokio::test(start_paused = true)]
async fn when_a_caller_leaves_the_others_are_answered_by_the_same_attempt() {
    let slow = || Reply::answer().head_after(secs(2)).between_events(ms(20));
    // Before the head arrives, and in the middle of the stream.
    for gone in [ms(1000), ms(2500)] {
        for stream in [true, false] {
            let provider = primary().always(slow());
            let client = over(caching(together()), [&provider]);
            let first = tokio::spawn(call_of(&client, stream));
            tokio::task::yield_now().await;
            let others: Vec<_> = (0..99).map(|_| tokio::spawn(call_of(&client, stream))).collect();
            sleep(gone).await;
            first.abort();
            for other in others.into_iter() {
                other.await.unwrap().unwrap().is_whole();
            }
            assert_eq!((provider.count(), provider.cancelled()), (1, 0), "{gone:?} {stream}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_callers_have_left_the_attempt_is_cancelled() {
    let provider = primary().always(Reply::answer().head_after(secs(5)));
    let client = over(caching(together()), [&provider]);
    let tasks: Vec<_> = (0..3).map(|_| tokio::spawn(call_of(&client, true))).collect();
    sleep(secs(1)).await;
    tasks.iter().for_each(|task| task.abort());
    join_all(tasks).await;
    assert_eq!((provider.cancelled(), provider.in_flight()), (1, 0));
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_does_not_read_delays_no_other() {
    let provider = primary();
    let client = over(caching(together()), [&provider]);
    let (idle, other) = tokio::join!(client.send(chat(true)), client.send(chat(true)));
    let mut other = other.unwrap().into_body();
    while let Some(frame) = other.frame().await {
        if frame.unwrap().data_ref().is_some_and(|data| data.ends_with(b"[DONE]\n\n")) {
            break;
        }
    }
    drop(other);
    // An answered call is not kept for later calls, either.
    sleep(secs(60)).await;
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(provider.count(), 2);
    read(idle.unwrap()).await.is_whole();
    assert_eq!(provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn all_joined_calls_have_the_same_failure_and_none_retries_alone() {
    let replies =
        [Reply::status(503), Reply::reset(), Reply::answer().with(Fault::Cut { words: 40 })];
    for reply in replies {
        let provider = primary().always(reply.head_after(ms(100)));
        let once =
            evenkeel::Profile::interactive().retry(evenkeel::retry::RetryPolicy::new().retries(0));
        let client = over(caching(together()).profile(once), [&provider]);
        let results = join_all((0..100).map(|_| call_of(&client, true))).await;
        let log: Vec<_> = results
            .into_iter()
            .map(|result| match result {
                Ok(answer) => (
                    answer.status.as_u16(),
                    answer.error.as_ref().map(|error| error.outcome()),
                    answer.bytes(),
                ),
                Err(error) => (0, Some(error.outcome()), bytes::Bytes::new()),
            })
            .collect();
        assert!(log[0].0 == 503 || log[0].1.is_some(), "{:?}", log[0]);
        assert!(log.iter().all(|one| *one == log[0]), "{log:?}");
        assert_eq!(provider.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn each_joined_call_keeps_its_own_deadline() {
    let provider = primary().always(Reply::answer().head_after(secs(5)));
    let client = over(caching(together()), [&provider]);
    let within = |limit: Duration| with_deadline(chat(false), limit);
    let long = tokio::spawn(call_of(&client, false));
    tokio::task::yield_now().await;
    let hurried = call(&client, within(ms(300))).await.unwrap_err();
    assert!(hurried.is_timeout());
    long.await.unwrap().unwrap().is_whole();
    assert_eq!(provider.count(), 1);
    // A call with more time does not wait on the clock of a call with less.
    let (hurried, long) = tokio::join!(call(&client, within(secs(1))), call(&client, chat(false)));
    assert!(hurried.is_err());
    long.unwrap().is_whole();
    assert_eq!(provider.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_shared_attempt_is_stored_once() {
    let (store, policy) = open();
    let (provider, log) =
        (primary().always(Reply::answer().head_after(secs(1))), EventLog::default());
    let client = over(log.attach_to(caching(policy.coalesce(true))), [&provider]);
    for stream in [true, false] {
        log.clear();
        let calls = (0..20).map(|_| call_of(&client, stream));
        join_all(calls).await.into_iter().for_each(|answer| answer.unwrap().is_whole());
        assert_eq!((store.len(), log.count("cache_stored")), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_no_dialect_is_never_shared() {
    let provider = primary().always(Reply::raw(200, "application/json", "{}"));
    let client = over(caching(together().serve_fresh_for(secs(60))), [&provider]);
    let ask = || {
        let request = http::Request::post("http://primary/v1/embeddings");
        client.send(request.body(r#"{"input":"x"}"#.into()).unwrap())
    };
    let (one, other) = tokio::join!(ask(), ask());
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_future_that_wakes_itself_is_polled_in_its_turn() {
    // As a task does when its time slice is used up.
    let polls = Arc::new(AtomicU64::new(0));
    let count = polls.clone();
    let upstream = tower::service_fn(move |_: evenkeel::Request| {
        let polls = count.clone();
        async move {
            let mut left = 50;
            poll_fn(|cx| {
                polls.fetch_add(1, Ordering::Relaxed);
                left -= 1;
                cx.waker().wake_by_ref();
                if left == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            Err::<Response, _>(Error::new(Outcome::ConnectionLost))
        }
    });
    let client = tower::Layer::layer(&together().build().unwrap(), upstream);
    let calls = (0..10).map(|_| tower::ServiceExt::oneshot(client.clone(), chat(true)));
    let results = join_all(calls).await;
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().unwrap_err().outcome() == Outcome::ConnectionLost)
    );
    assert_eq!(polls.load(Ordering::Relaxed), 50);
}

/// The CPU time of a thread for a thousand waiting calls.
#[cfg(unix)]
#[tokio::test]
async fn a_thousand_calls_that_wait_cost_next_to_nothing() {
    use rustix::time::{ClockId, clock_gettime};
    let cpu = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let provider = primary().always(Reply::answer().head_after(secs(4)));
    let log = EventLog::default();
    let client = over(log.attach_to(caching(together())), [&provider]);
    let tasks: Vec<_> = (0..1000).map(|_| tokio::spawn(call_of(&client, true))).collect();
    while log.count("coalesced") < 999 {
        sleep(ms(20)).await;
    }
    sleep(ms(100)).await;
    let (start, spent) = (tokio::time::Instant::now(), cpu());
    sleep(secs(1)).await;
    let share = (cpu() - spent).as_secs_f64() / start.elapsed().as_secs_f64();
    println!("1 000 calls that wait for one attempt: {:.3} % of one core", share * 100.0);
    assert!(share < 0.01, "{share}");
    join_all(tasks).await.into_iter().for_each(|answer| answer.unwrap().unwrap().is_whole());
    assert_eq!(provider.count(), 1);
}

// === configuration ===

#[tokio::test]
async fn an_invalid_policy_is_refused() {
    let cases = [
        (Client::builder().fallback(Fallback::stored(secs(1))), "fallbacks[1]"),
        (
            caching(CachePolicy::new())
                .fallback_policy(FallbackPolicy::new().first(Fallback::stored(secs(1)))),
            "fallbacks[0]",
        ),
        (
            caching(CachePolicy::new()).fallback(Fallback::stored(Duration::ZERO)),
            "fallbacks[1].age",
        ),
        (caching(CachePolicy::new().serve_fresh_for(Duration::ZERO)), "cache.serve_fresh_for"),
        (caching(CachePolicy::new().lookup_timeout(Duration::ZERO)), "cache.lookup_timeout"),
        (caching(CachePolicy::new().max_entry_bytes(0)), "cache.max_entry_bytes"),
        (
            caching(CachePolicy::new())
                .fallback(Fallback::canned("x"))
                .fallback(Fallback::stored(secs(1))),
            "fallbacks[1]",
        ),
    ];
    for (builder, field) in cases {
        let error = builder.build_with(primary()).unwrap_err();
        assert_eq!(error.field(), field, "{error}");
    }
}

// === what is shared is no worse than one's own ===

#[tokio::test(start_paused = true)]
async fn a_call_with_less_time_than_the_shared_attempt_is_answered_by_its_own_fallbacks() {
    let provider = primary().always(Reply::answer().head_after(secs(4)));
    let builder = caching(together()).fallback(Fallback::canned(BUSY));
    let client = over(builder, [&provider]);
    let first = tokio::spawn({
        let client = client.clone();
        async move { call(&client, chat(false)).await }
    });
    sleep(ms(100)).await;
    let request = with_deadline(chat(false), secs(2));
    let start = tokio::time::Instant::now();
    let answer = call(&client, request).await.unwrap();
    assert_eq!((answer.from(), answer.words()), ("canned", BUSY.into()));
    assert!((ms(1900)..secs(2)).contains(&start.elapsed()), "{:?}", start.elapsed());
    first.await.unwrap().unwrap().is_whole();
    assert_eq!(provider.count(), 1, "nobody is asked for it");
}

#[tokio::test(start_paused = true)]
async fn without_a_fallback_of_its_own_the_call_times_out_and_no_target_is_asked() {
    let provider = primary().always(Reply::answer().head_after(secs(4)));
    let client = over(caching(together()), [&provider]);
    let first = call(&client, chat(false));
    let late = async {
        sleep(ms(100)).await;
        let request = with_deadline(chat(false), secs(2));
        call(&client, request).await.unwrap_err()
    };
    let (first, late) = tokio::join!(first, late);
    first.unwrap().is_whole();
    assert!(late.is_timeout(), "{late:?}");
    assert_eq!(provider.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_interactive_call_does_not_queue_behind_batch_calls() {
    use evenkeel::context::Priority;
    let provider = primary().always(Reply::answer().head_after(ms(500)));
    let client = over(caching(together()), [&provider]);
    let of = |priority: Priority| {
        let mut request = chat(false);
        request.extensions_mut().insert(priority);
        call(&client, request)
    };
    let (batch, person) = (Priority::Batch, Priority::Interactive);
    let all = tokio::join!(of(batch), of(person), of(batch), of(person));
    for answer in [all.0, all.1, all.2, all.3] {
        answer.unwrap().is_whole();
    }
    assert_eq!(provider.count(), 2, "the first batch call, and all who joined the first person");
}

#[tokio::test(start_paused = true)]
async fn calls_with_settings_of_their_own_share_no_attempt() {
    use evenkeel::{fallback::Fallbacks, stream::CommitPolicy};
    let provider = primary().always(Reply::answer().with(Fault::Cut { words: 5 }));
    let client = over(caching(together()), [&provider]);
    let mut whole = chat(true);
    whole.extensions_mut().insert(CommitPolicy::Complete);
    let mut own = chat(true);
    own.extensions_mut().insert(Fallbacks::new([Fallback::canned(BUSY)]).unwrap());
    let (plain, whole, own) =
        tokio::join!(call(&client, chat(true)), call(&client, whole), call(&client, own));
    assert!(plain.unwrap().error.is_some(), "cut while it is read");
    assert!(whole.map_or(true, |whole| whole.bytes().is_empty()), "no part of a stream");
    assert!(!own.unwrap().frames.is_empty());
    assert!(provider.count() >= 3);
}
