//! Local failures: resources of this machine, panics in user code, a runtime that was shut down. None of them counts against the
//! provider, and none fails a call that could succeed.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Context,
    time::Duration,
};

use evenkeel::{
    BoxError, Client, Error, Profile, Request,
    breaker::CircuitState,
    cache::{CachePolicy, Entry, Found, Key, Store},
    fallback::{Canned, Fallback},
    outcome::{LocalTrouble, Outcome},
    retry::RetryPolicy,
    telemetry::{EventKind, UserCode},
};
use evenkeel_testkit::{Fault, Provider, Reply};
use futures_util::{FutureExt, future::join_all};
use http_body_util::BodyExt;
use tokio::{runtime, time::sleep};
use tower::{ServiceExt, service_fn};

use crate::support::{EventLog, assert_no_failure, call, chat, ms, over, read, secs};

fn panics(log: &EventLog) -> Vec<UserCode> {
    let codes = log.events().into_iter().filter_map(|event| match event {
        EventKind::Panicked { code, .. } => Some(code),
        _ => None,
    });
    codes.collect()
}

// === this machine ===

/// A client over a transport that fails with this error while its switch is on, and the switch.
fn failing(why: fn() -> io::Error) -> (Client, Provider, Arc<AtomicBool>) {
    let (provider, lacks) = (Provider::new("primary"), Arc::new(AtomicBool::new(true)));
    let (upstream, lacking) = (provider.clone(), lacks.clone());
    let transport = service_fn(move |request: Request| {
        let (upstream, lacks) = (upstream.clone(), lacking.load(Ordering::SeqCst));
        async move {
            match lacks {
                true => Err(Error::new(Outcome::Unreachable).with_source(why())),
                false => upstream.oneshot(request).await,
            }
        }
    });
    (Client::builder().build_with(transport).unwrap(), provider, lacks)
}

fn no_descriptor() -> io::Error {
    io::Error::from_raw_os_error(if cfg!(unix) { 24 } else { 10024 })
}

fn forbidden() -> io::Error {
    io::ErrorKind::PermissionDenied.into()
}

fn no_resolver() -> io::Error {
    let why = "failed to lookup address information: Temporary failure in name resolution";
    io::Error::other(why)
}

#[tokio::test(start_paused = true)]
async fn a_lack_of_local_resources_opens_no_route_and_the_next_call_is_answered() {
    let troubles: [(fn() -> io::Error, _); 3] = [
        (no_descriptor, LocalTrouble::Descriptors),
        (forbidden, LocalTrouble::Permission),
        (no_resolver, LocalTrouble::Resolver),
    ];
    for (why, trouble) in troubles {
        let (client, provider, lacks) = failing(why);
        for _ in 0..60 {
            let error = call(&client, chat(false)).await.unwrap_err();
            assert_eq!((error.is_refused(), error.local_trouble()), (true, Some(trouble)));
            assert_eq!(error.to_string(), format!("not sent: {trouble}"));
            let source = std::error::Error::source(&error).unwrap();
            assert_eq!(source.to_string(), why().to_string());
            assert_eq!(error.attempt_log().unwrap().sent(), 0);
        }
        assert_no_failure(&client);
        lacks.store(false, Ordering::SeqCst);
        call(&client, chat(false)).await.unwrap().is_whole();
        assert_eq!(provider.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_lack_of_local_resources_is_waited_for() {
    let (client, provider, lacks) = failing(no_descriptor);
    let (answer, ()) = tokio::join!(call(&client, chat(true)), async {
        sleep(ms(1)).await;
        lacks.store(false, Ordering::SeqCst);
    });
    answer.unwrap().is_whole();
    assert_eq!(provider.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_connections_is_still_seen_as_down() {
    let (client, _, _) = failing(|| io::ErrorKind::ConnectionRefused.into());
    for _ in 0..20 {
        assert_eq!(call(&client, chat(false)).await.unwrap_err().local_trouble(), None);
    }
    assert_eq!(client.breakers().list()[0].1.state, CircuitState::Open);
}

/// The environment variable with the URL of the provider, for the process of the test below.
#[cfg(all(unix, feature = "reqwest"))]
const PROVIDER: &str = "EVENKEEL_TEST_PROVIDER";

/// In its own process, because the limit is for the whole process: see the next test.
#[cfg(all(unix, feature = "reqwest"))]
#[tokio::test]
#[ignore = "it is run by the next one"]
async fn under_a_low_limit_of_descriptors() {
    let url: reqwest::Url = std::env::var(PROVIDER).unwrap().parse().unwrap();
    let client = Client::builder().build().unwrap();
    rlimit::setrlimit(rlimit::Resource::NOFILE, 48, 48).unwrap();
    let ask = || async {
        let mut request = reqwest::Request::new(reqwest::Method::POST, url.clone());
        *request.body_mut() = Some(r#"{"model":"m"}"#.into());
        client.execute(request).await
    };
    let results = join_all((0..200).map(|_| ask())).await;
    let (answers, errors): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let troubles = errors.iter().filter_map(|it| it.as_ref().err()?.local_trouble());
    assert_eq!((troubles.count(), errors.is_empty()), (errors.len(), false));
    assert!(!answers.is_empty());
    drop(answers);
    assert!(ask().await.unwrap().status().is_success());
    assert_no_failure(&client);
}

#[cfg(all(unix, feature = "reqwest"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_limit_of_descriptors_opens_no_breaker() {
    let slow = Provider::new("primary").always(Reply::answer().head_after(ms(300)));
    let server = evenkeel_testkit::Server::start(slow).await.unwrap();
    let url = format!("{}/v1/chat/completions", server.url());
    let run = move || {
        let name = "local_failures::under_a_low_limit_of_descriptors";
        let arguments = ["--exact", name, "--ignored", "--test-threads=1"];
        let test = std::env::current_exe().unwrap();
        std::process::Command::new(test).args(arguments).env(PROVIDER, url).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

// === user code ===

/// A client whose listener panics at each event.
fn deaf(provider: &Provider) -> (Client, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = asked.clone();
    let builder = Client::builder().observe(move |_: &evenkeel::telemetry::Event| {
        counts.fetch_add(1, Ordering::SeqCst);
        panic!("a listener of the user's");
    });
    (over(builder, [provider]), asked)
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_fails_no_call_and_hears_the_next_event() {
    let provider = Provider::new("primary");
    let (client, asked) = deaf(&provider);
    for stream in [true, false] {
        call(&client, chat(stream)).await.unwrap().is_whole();
    }
    assert!(asked.load(Ordering::SeqCst) >= 6);
    assert_no_failure(&client);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_in_a_drop_does_not_end_the_process() {
    let provider = Provider::new("primary").replies([
        Reply::hang(),
        Reply::answer().with(Fault::stall(3)),
        Reply::hang(),
    ]);
    let (client, asked) = deaf(&provider);
    let waker = futures_util::task::noop_waker();
    // A call that its caller drops.
    let mut under_way = client.send(chat(true));
    assert!(under_way.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    drop(under_way);
    // A body.
    let mut body = client.send(chat(true)).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    // A call that is dropped while another panic unwinds: a second panic would abort the process.
    let before = asked.load(Ordering::SeqCst);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let mut under_way = client.send(chat(true));
        assert!(under_way.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        panic!("of the caller's");
    }));
    assert!(unwound.is_err() && asked.load(Ordering::SeqCst) > before);
    // No lock is poisoned.
    call(&client, chat(true)).await.unwrap().is_whole();
}

#[tokio::test(start_paused = true)]
async fn a_canned_reply_that_panics_leaves_the_providers_failure_and_emits_one_event() {
    let provider = Provider::new("primary").always(Reply::status(503));
    let log = EventLog::default();
    let canned = Canned::from_request(|_| panic!("a closure of the user's"));
    let client =
        over(log.attach_to(Client::builder().fallback(Fallback::reply(canned))), [&provider]);
    for _ in 0..2 {
        assert_eq!(call(&client, chat(true)).await.unwrap().status, 503);
    }
    assert_eq!(panics(&log), [UserCode::Canned]);
}

/// A store that panics at this point.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ConnectionLost {
    Find,
    Look,
    Keep,
}

impl Store for ConnectionLost {
    fn get(&self, _: &Key) -> Found<'_> {
        assert!(*self != Self::Find, "a store of the user's");
        let look = *self;
        Box::pin(async move {
            tokio::task::yield_now().await;
            assert!(look != Self::Look, "a store of the user's");
            Ok(None)
        })
    }

    fn put(&self, _: &Key, _: Entry) -> Result<(), BoxError> {
        assert!(*self != Self::Keep, "a store of the user's");
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_a_miss_and_emits_one_event() {
    for store in [ConnectionLost::Find, ConnectionLost::Look, ConnectionLost::Keep] {
        for coalesce in [false, true] {
            let provider = Provider::new("primary");
            let log = EventLog::default();
            let cache = CachePolicy::with_store(store).serve_fresh_for(secs(60)).coalesce(coalesce);
            let client = over(log.attach_to(Client::builder().cache(cache)), [&provider]);
            for stream in [true, false, true] {
                call(&client, chat(stream)).await.unwrap().is_whole();
            }
            assert_eq!((panics(&log).as_slice(), provider.count()), (&[UserCode::Store][..], 3));
            let stored = if store == ConnectionLost::Keep { 0 } else { 3 };
            assert_eq!(log.count("cache_stored"), stored, "{store:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_panics_ends_and_emits_one_event() {
    let unmade = RetryPolicy::new().schedule(|| -> std::iter::Once<Duration> { panic!("unmade") });
    let midway = RetryPolicy::new().schedule(|| {
        (0..).map(|n| if n == 1 { panic!("midway") } else { Duration::from_millis(100) })
    });
    for (policy, attempts) in [(unmade, 1), (midway, 2)] {
        let provider = Provider::new("primary").always(Reply::status(503));
        let log = EventLog::default();
        let profile = Profile::interactive().retry(policy);
        let client = over(log.attach_to(Client::builder().profile(profile)), [&provider]);
        assert_eq!(call(&client, chat(true)).await.unwrap().status, 503);
        assert_eq!((provider.count(), panics(&log)), (attempts, vec![UserCode::Schedule]));
    }
}

// === a runtime that was shut down ===

fn runtime() -> runtime::Runtime {
    runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_call_is_answered_although_the_runtime_of_the_joined_call_was_shut_down() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(ms(200)));
    let cache = CachePolicy::new().coalesce(true);
    let client = over(Client::builder().cache(cache), [&provider]);
    let (first, second) = (runtime(), runtime());
    let own = client.clone();
    first.spawn(async move { call(&own, chat(true)).await.map(drop) });
    second.block_on(async {
        while provider.count() == 0 {
            sleep(ms(1)).await;
        }
    });
    let waits = {
        let client = client.clone();
        second.spawn(async move { call(&client, chat(true)).await.unwrap().is_whole() })
    };
    second.block_on(async { sleep(ms(50)).await });
    first.shutdown_background();
    second.block_on(async { tokio::time::timeout(secs(10), waits).await }).unwrap().unwrap();
}

#[test]
fn equal_calls_of_one_runtime_still_share_an_attempt() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(ms(50)));
    let cache = CachePolicy::new().coalesce(true);
    let client = over(Client::builder().cache(cache), [&provider]);
    for runtime in [runtime(), runtime()] {
        let calls = (0..5).map(|_| call(&client, chat(true)));
        runtime.block_on(join_all(calls)).into_iter().for_each(|it| it.unwrap().is_whole());
    }
    assert_eq!(provider.count(), 2);
}

#[test]
fn a_shared_answer_whose_runtime_was_shut_down_ends_in_an_error_and_not_in_a_panic() {
    let provider = Provider::new("primary").always(Reply::answer().with(Fault::stall(3)));
    for coalesce in [true, false] {
        let cache = CachePolicy::new().coalesce(coalesce);
        let client = over(Client::builder().cache(cache), [&provider]);
        let (first, second) = (runtime(), runtime());
        let response = first.block_on(client.send(chat(true))).unwrap();
        drop(first);
        let answer =
            second.block_on(async { tokio::time::timeout(secs(10), read(response)).await });
        assert!(answer.unwrap().error.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_panics_is_an_error_for_all_calls_of_its_attempt() {
    let transport = service_fn(|_: Request| async {
        sleep(ms(10)).await;
        if true {
            panic!("a transport of the user's");
        }
        Err(Error::new(Outcome::Empty))
    });
    let cache = CachePolicy::new().coalesce(true);
    let client = Client::builder().cache(cache).build_with(transport).unwrap();
    let calls = join_all((0..5).map(|_| call(&client, chat(true)))).await;
    assert!(calls.into_iter().all(|result| result.is_err()));
}
