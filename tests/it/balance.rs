//! Several equal targets: the choice between them, the cost of a failing one, and the caller's view.

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, Error, Profile, Request, Upstream,
    balance::BalancePolicy,
    breaker::BreakerPolicy,
    context::{AffinityKey, AttemptLog},
    fallback::{Fallback, FallbackPolicy, Target},
    outcome::Outcome,
    retry::RetryPolicy,
    telemetry::EventKind,
};
use evenkeel_testkit::{Fault, Provider, Reply};
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use tokio::{task::JoinSet, time::Instant};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{EventLog, call, chat, ms, no_breaker, secs, with_deadline};

mod missing_model;

/// Three keys of one host.
struct Keys([Provider; 3]);

const NAMES: [&str; 3] = ["key-a", "key-b", "key-c"];

impl Keys {
    /// Three healthy providers with answers of 300 to 600 ms.
    fn new() -> Self {
        Self(NAMES.map(|name| well(Provider::new(name), 1)))
    }

    fn first(self, provider: Provider) -> Self {
        let [_, b, c] = self.0;
        Self([provider, b, c])
    }

    fn all(reply: &Reply) -> Self {
        Self(NAMES.map(|name| Provider::new(name).always(reply.clone())))
    }

    /// The key of a request decides which provider answers it.
    fn upstream(&self) -> impl Upstream + use<> {
        let providers = self.0.clone();
        service_fn(move |request: Request| {
            let bearer = request.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
            let brings = |provider: &&Provider| bearer.ends_with(provider.name());
            let provider = providers.iter().find(brings).cloned();
            provider.expect("one of the three keys").call(request)
        })
    }

    fn client(&self, builder: ClientBuilder) -> Client {
        builder.build_with(self.upstream()).unwrap()
    }

    fn counts(&self) -> [u64; 3] {
        self.0.each_ref().map(Provider::count)
    }

    fn forget(&self) {
        self.0.iter().for_each(Provider::forget);
    }
}

fn well(provider: Provider, times: u32) -> Provider {
    let latency = |n: u32| ms(300 + u64::from(n * 7919 % 301)) * times;
    provider.replies((0..6_000).map(|n| Reply::answer().head_after(latency(n))))
}

fn broken() -> Provider {
    Provider::new(NAMES[0]).always(Reply::status(503).head_after(ms(1)))
}

fn targets() -> [Target; 3] {
    NAMES.map(|name| Target::same_host().bearer(name).label(name))
}

fn three() -> ClientBuilder {
    let fallback =
        Fallback::targets(targets()).balance(BalancePolicy::new().seed(7)).named("primary");
    Client::builder().fallback_policy(FallbackPolicy::new().first(fallback))
}

/// The results of the calls in a period.
#[derive(Debug, Default)]
struct Seen {
    calls: u64,
    failed: u64,
    attempts: u64,
}

/// Makes `per_second` calls a second for `lasts`, whatever their results.
async fn drive(client: &Client, per_second: f64, lasts: Duration) -> Seen {
    let mut calls = JoinSet::new();
    let gap = Duration::from_secs_f64(1.0 / per_second);
    let end = Instant::now() + lasts;
    while Instant::now() < end {
        let client = client.clone();
        calls.spawn(async move { call(&client, chat(false)).await });
        tokio::time::sleep(gap).await;
    }
    let mut seen = Seen::default();
    while let Some(result) = calls.join_next().await {
        let result = result.unwrap();
        let good =
            result.as_ref().is_ok_and(|answer| answer.status == 200 && answer.error.is_none());
        let attempt_log = match &result {
            Ok(answer) => answer.attempt_log.clone(),
            Err(error) => error.attempt_log().cloned(),
        };
        seen.calls += 1;
        seen.failed += u64::from(!good);
        seen.attempts += u64::from(attempt_log.map_or(0, |attempt_log| attempt_log.sent()));
    }
    seen
}

/// The share of the first key in the calls after the first ten seconds, in percent, and the results.
async fn share(keys: &Keys, client: &Client, per_second: f64) -> (f64, Seen) {
    drive(client, per_second, secs(10)).await;
    keys.forget();
    let seen = drive(client, per_second, secs(120)).await;
    (100.0 * keys.counts()[0] as f64 / seen.calls as f64, seen)
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_fast_is_not_preferred() {
    let breakers = [
        (BreakerPolicy::default(), "breaker", [1.0, 10.0]),
        (no_breaker(), "no breaker", [2.0, 40.0]),
    ];
    for (breaker, name, rates) in breakers {
        for per_second in rates {
            let keys = Keys::new().first(broken());
            let profile = Profile::interactive().breaker(breaker.clone());
            let client = keys.client(three().profile(profile));
            let (share, seen) = share(&keys, &client, per_second).await;
            assert!(share <= 2.0, "{name}, {per_second} a second: {share} %");
            assert_eq!(seen.failed, 0, "{name}, {per_second} a second: {seen:?}");
        }
    }
}

/// The figures without the penalty and the ejection, which shows that the tests above can fail.
#[tokio::test(start_paused = true)]
async fn without_a_penalty_and_an_ejection_the_fast_failing_endpoint_is_preferred() {
    let keys = Keys::new().first(broken());
    let careless = BalancePolicy::new().penalty(ms(1)).consecutive_failures(u32::MAX).seed(7);
    let fallback = Fallback::targets(targets()).balance(careless);
    let profile = Profile::interactive().breaker(no_breaker());
    let builder =
        Client::builder().fallback_policy(FallbackPolicy::new().first(fallback)).profile(profile);
    let (share, _) = share(&keys, &keys.client(builder), 10.0).await;
    assert!(share > 40.0, "{share} %");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_not_preferred_however_fast_it_fails() {
    let replies = [
        Reply::status(500),
        Reply::refused(),
        Reply::reset(),
        Reply::html(),
        Reply::empty(),
        Reply::rate_limited(None),
        Reply::rate_limited(Some(ms(50))),
        Reply::hang(),
    ];
    for reply in replies {
        let keys = Keys::new().first(Provider::new(NAMES[0]).always(reply.clone()));
        let profile = Profile::interactive().breaker(no_breaker());
        let client = keys.client(three().profile(profile));
        let (share, seen) = share(&keys, &client, 10.0).await;
        assert!(share <= 2.0, "{reply:?}: {share} %");
        assert_eq!(seen.failed, 0, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_ten_times_slower_gets_a_tenth_at_most() {
    for per_second in [1.0, 10.0, 40.0] {
        let keys = Keys::new().first(well(Provider::new(NAMES[0]), 10));
        let client = keys.client(three());
        let (share, seen) = share(&keys, &client, per_second).await;
        assert!(share <= 10.0, "{per_second} a second: {share} %");
        assert_eq!(seen.failed, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn healthy_equal_targets_share_the_calls() {
    for per_second in [1.0, 10.0] {
        let keys = Keys::new();
        let seen = drive(&keys.client(three()), per_second, secs(300)).await;
        for count in keys.counts() {
            let share = count as f64 / seen.calls as f64;
            assert!((0.25..0.42).contains(&share), "{per_second}: {:?}", keys.counts());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_recovered_target_has_its_share_within_a_minute() {
    let keys = Keys::new().first(broken());
    let client = keys.client(three());
    drive(&client, 10.0, secs(120)).await;
    well(keys.0[0].clone(), 1);
    drive(&client, 10.0, secs(60)).await;
    keys.forget();
    let seen = drive(&client, 10.0, secs(60)).await;
    let share = keys.counts()[0] as f64 / seen.calls as f64;
    assert!(share > 0.25, "{:?}", keys.counts());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_rejected_or_has_no_quota_is_ejected_and_its_fallback_is_not() {
    let replies = [
        // Retried after 5, 10, 20, 40 and 60 seconds.
        (Reply::error(401, "invalid_request_error", "invalid_api_key"), 5..=8),
        (Reply::status(402), 5..=8),
        (Reply::quota_exhausted(), 1..=3),
    ];
    for (reply, times) in replies {
        let keys = Keys::new().first(Provider::new(NAMES[0]).always(reply.clone()));
        let log = EventLog::default();
        let client = keys.client(log.attach_to(three()));
        let seen = drive(&client, 10.0, secs(240)).await;
        assert_eq!(seen.failed, 0, "{reply:?}");
        // Calls in progress when the first one returned.
        assert!(times.contains(&keys.counts()[0]), "{reply:?}: {:?}", keys.counts());
        assert!(log.count("target_ejected") >= 1, "{reply:?}");
        let [_, b, c] = keys.counts();
        assert_eq!(b + c, seen.calls, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_ejected_key_is_tried_again_by_one_call_and_returns() {
    let keys = Keys::new().first(Provider::new(NAMES[0]).always(Reply::status(401)));
    let client = keys.client(three());
    drive(&client, 5.0, secs(290)).await;
    keys.forget();
    drive(&client, 5.0, secs(60)).await;
    assert_eq!(keys.counts()[0], 1, "tried once a minute by then");
    keys.0[0].set(Reply::answer().head_after(ms(400)));
    let seen = drive(&client, 5.0, secs(600)).await;
    assert!(keys.counts()[0] > seen.calls / 10, "{:?}", keys.counts());
}

#[tokio::test(start_paused = true)]
async fn another_is_asked_at_once_and_the_attempt_log_names_each() {
    let down = Reply::status(503);
    let keys = Keys::all(&down);
    keys.0[2].set(Reply::answer());
    let client = keys.client(three());
    let mut longest = 0;
    for _ in 0..6 {
        let before = Instant::now();
        let answer = call(&client, chat(false)).await.unwrap();
        answer.is_whole();
        assert_eq!(before.elapsed(), Duration::ZERO, "no wait between equals");
        let attempts = answer.attempt_log.unwrap().attempts();
        longest = longest.max(attempts.len());
        let (last, failed) = attempts.split_last().unwrap();
        assert_eq!(last.route.credential(), "key-c");
        for attempt in failed {
            assert!(["key-a", "key-b"].contains(&attempt.route.credential()));
            assert_eq!(attempt.outcome, Outcome::Unavailable { wait: None });
            assert_eq!(attempt.wait, Duration::ZERO);
        }
        let mut routes: Vec<_> = attempts.iter().map(|attempt| &attempt.route).collect();
        routes.dedup();
        assert_eq!(routes.len(), attempts.len(), "none twice");
    }
    assert!(longest > 1, "some call had to go on");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_wrong_everywhere_is_asked_once() {
    let replies = [
        Reply::error(400, "invalid_request_error", "invalid_value"),
        Reply::context_length_exceeded(),
        Reply::content_policy_violation(),
    ];
    for reply in replies {
        let keys = Keys::all(&reply);
        let client = keys.client(three());
        for n in 1..=10 {
            assert_eq!(call(&client, chat(false)).await.unwrap().status, 400);
            assert_eq!(keys.counts().iter().sum::<u64>(), n, "{reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_are_ejected_the_next_fallback_answers_at_once() {
    let keys = Keys::all(&Reply::status(401));
    let client = keys.client(three().fallback(Fallback::canned("busy")));
    for n in 0..20 {
        let before = Instant::now();
        let answer = call(&client, chat(false)).await.unwrap();
        assert_eq!(answer.words(), "busy");
        assert_eq!(before.elapsed(), Duration::ZERO);
        let sent = answer.attempt_log.unwrap().sent();
        assert!(n == 0 || sent <= 1, "one of them is asked, not all: {sent}");
        // Two rejections in a row open the breaker of a key.
        assert!(n < 6 || sent == 0, "{n}: {sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_next_fallback_the_caller_sees_the_providers_answer() {
    let keys = Keys::all(&Reply::error(401, "invalid_request_error", "invalid_api_key"));
    let client = keys.client(three());
    for _ in 0..2 {
        let answer = call(&client, chat(false)).await.unwrap();
        assert_eq!(answer.status, 401);
        assert!(String::from_utf8_lossy(&answer.bytes()).contains("invalid_api_key"));
    }
    // Two rejections in a row open the breaker of a key, for seconds.
    let mut last = call(&client, chat(false)).await;
    for _ in 0..4 {
        last = call(&client, chat(false)).await;
    }
    let refused = last.unwrap_err();
    assert!(refused.is_refused() && refused.retry_in().unwrap() < secs(13), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_its_breaker_refuses_costs_no_attempt_no_budget_and_no_failure() {
    let keys = Keys::new();
    let log = EventLog::default();
    let profile = Profile::interactive().retry(RetryPolicy::new().retries(0));
    let client = keys.client(log.attach_to(three().profile(profile)));
    drive(&client, 5.0, secs(2)).await;
    let refused = client.breakers().list();
    let (route, _) = refused.iter().find(|(route, _)| route.credential() == "key-a").unwrap();
    client.breakers().force_open(route);
    keys.forget();
    let seen = drive(&client, 5.0, secs(60)).await;
    assert_eq!((seen.failed, seen.attempts), (0, seen.calls));
    assert_eq!(keys.counts()[0], 0);
    let asked = log.count("breaker_refused");
    assert!((1..=20).contains(&asked), "not asked again and again: {asked}");
    client.breakers().reset(route);
    drive(&client, 5.0, secs(60)).await;
    assert!(keys.counts()[0] > 50, "{:?}", keys.counts());
}

#[tokio::test(start_paused = true)]
async fn in_a_total_outage_what_is_sent_stays_within_the_budgets() {
    for breaker in [BreakerPolicy::default(), no_breaker()] {
        let keys = Keys::all(&Reply::status(503));
        let client = keys.client(three().profile(Profile::interactive().breaker(breaker)));
        let seen = drive(&client, 10.0, secs(600)).await;
        let sent: u64 = keys.counts().iter().sum();
        assert_eq!(seen.failed, seen.calls);
        assert_eq!(seen.attempts, sent);
        assert!(sent as f64 <= 1.2 * seen.calls as f64 + 30.0, "{sent} of {}", seen.calls);
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_whatever_the_equals_do() {
    let keys = Keys::all(&Reply::hang());
    let client = keys.client(three().fallback(Fallback::canned("busy")));
    for limit in [2, 12, 30] {
        let before = Instant::now();
        let request = with_deadline(chat(true), secs(limit));
        assert_eq!(call(&client, request).await.unwrap().words(), "busy");
        assert!(before.elapsed() <= secs(limit), "{limit}: {:?}", before.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_silent_target_another_is_asked_while_there_is_time() {
    let keys = Keys::new().first(Provider::new(NAMES[0]).always(Reply::hang()));
    let client = keys.client(three());
    let mut waited = 0;
    for _ in 0..6 {
        let answer = call(&client, chat(true)).await.unwrap();
        answer.is_whole();
        waited += u32::from(answer.attempt_log.unwrap().attempts().len() > 1);
    }
    assert!((1..=2).contains(&waited), "{waited} calls waited for the silent one");
}

fn stuck(key: &str) -> Request {
    let mut request = chat(false);
    request.extensions_mut().insert(AffinityKey::new(key));
    request
}

async fn home(client: &Client, key: &str) -> String {
    let answer = call(client, stuck(key)).await.unwrap();
    answer.is_whole();
    let last = answer.attempt_log.unwrap().attempts().pop().unwrap();
    last.route.credential().to_owned()
}

#[tokio::test(start_paused = true)]
async fn sticky_calls_stay_at_one_target_in_every_process() {
    let (keys, others) = (Keys::new(), Keys::new());
    let (client, other) = (keys.client(three()), others.client(three()));
    let mut homes = Vec::new();
    for n in 0..30 {
        let key = format!("conversation {n}");
        let first = home(&client, &key).await;
        for _ in 0..5 {
            assert_eq!(home(&client, &key).await, first);
        }
        assert_eq!(home(&other, &key).await, first, "another process agrees");
        homes.push(first);
    }
    for name in NAMES {
        let has = homes.iter().filter(|home| *home == name).count();
        assert!((4..=18).contains(&has), "{name} has {has} of 30");
    }
}

#[tokio::test(start_paused = true)]
async fn sticky_calls_move_when_their_target_is_ejected_and_return() {
    let keys = Keys::new();
    let client = keys.client(three());
    let key = "a conversation";
    let first = home(&client, key).await;
    let provider = keys.0.iter().find(|provider| provider.name() == first).unwrap();
    provider.set(Reply::status(503));
    let mut moved = Vec::new();
    for _ in 0..20 {
        moved.push(home(&client, key).await);
    }
    let next = moved[0].clone();
    assert!(next != first && moved.iter().all(|home| *home == next), "{moved:?}");
    assert!(provider.count() <= 5, "{}", provider.count());
    provider.set(Reply::answer().head_after(ms(400)));
    let mut after = Vec::new();
    for _ in 0..200 {
        after.push(home(&client, key).await);
    }
    assert!(after[120..].iter().all(|home| *home == first), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_target_hands_some_of_its_conversations_on() {
    let keys = Keys::new();
    let client = keys.client(three());
    let calls: Vec<_> = (0..30).map(|_| client.send(stuck("one"))).collect();
    futures_util::future::join_all(calls).await;
    let mut counts = keys.counts();
    counts.sort_unstable();
    // Twice its fair share of 30, and the rest to the next in the key's order.
    assert_eq!(counts, [0, 10, 20]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_is_no_longer_in_flight() {
    let open = Reply::answer().with(Fault::Endless { every: secs(1) });
    let keys = Keys::all(&open);
    let client = keys.client(three());
    let mut held = Vec::new();
    for _ in 0..30 {
        held.push(client.send(chat(true)).await.unwrap());
    }
    let [a, b, c] = keys.counts();
    assert!([a, b, c].iter().all(|count| (8..=12).contains(count)), "{:?}", keys.counts());
    // The first key's responses are dropped: the next calls go there until all keys have equal load.
    held.retain(|response| {
        let attempts = AttemptLog::of(response.extensions()).attempts();
        attempts[0].route.credential() != "key-a"
    });
    keys.forget();
    for _ in 0..8 {
        held.push(client.send(chat(true)).await.unwrap());
    }
    assert!(keys.counts()[0] >= 4, "{:?}", keys.counts());
    assert!(keys.0[0].in_flight() as u64 == keys.counts()[0]);
}

#[tokio::test(start_paused = true)]
async fn alone_the_layer_spreads_calls_over_its_own_targets() {
    let keys = Keys::new();
    let layer = BalancePolicy::new().seed(1).build(targets()).unwrap();
    let service = layer.layer(keys.upstream());
    for _ in 0..60 {
        let response = service.clone().oneshot(chat(false)).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    assert!(keys.counts().iter().all(|count| *count >= 10), "{:?}", keys.counts());
}

#[tokio::test(start_paused = true)]
async fn each_attempt_starts_from_the_callers_own_request() {
    let sent = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = sent.clone();
    let upstream = service_fn(move |request: Request| {
        let headers = request.headers();
        let has = |name: &str| headers.contains_key(name);
        log.lock().unwrap().push((
            request.uri().host().unwrap().to_owned(),
            headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned()),
            has("x-api-key"),
            String::from_utf8_lossy(request.body()).contains("\"spare\""),
        ));
        async { Err::<evenkeel::Response, _>(Error::new(Outcome::Unreachable)) }
    });
    let one = Target::new("http://one.example/v1")
        .credential(http::HeaderName::from_static("x-api-key"), "key one")
        .model("spare");
    let two = Target::same_host();
    let two = two.bearer("key two");
    let client = Client::builder().primaries([one, two]).build_with(upstream).unwrap();
    client.send(chat(false)).await.unwrap_err();
    let mut sent = sent.lock().unwrap().clone();
    sent.truncate(2);
    sent.sort();
    assert_eq!(
        sent,
        [
            ("one.example".to_owned(), None, true, true),
            ("primary".to_owned(), Some("Bearer key two".to_owned()), false, false),
        ]
    );
}

#[test]
fn equal_targets_that_cannot_be_distinguished_are_refused_by_name() {
    let build = |targets: Vec<Target>| {
        let fallbacks = FallbackPolicy::new().first(Fallback::targets(targets));
        fallbacks.build().err().map(|error| error.to_string())
    };
    let here = |key: &str| Target::same_host().bearer(key);
    assert_eq!(build(vec![here("a"), here("b")]), None);
    assert_eq!(build(vec![here("a"), here("a").model("m")]), None);
    assert_eq!(build(vec![here("a"), Target::new("https://x.example/v1").bearer("a")]), None);
    let twins = build(vec![here("a-secret"), here("b"), here("a-secret")]).unwrap();
    assert!(twins.starts_with("fallbacks[0].target[2] is"), "{twins}");
    assert!(twins.contains("target[0]") && !twins.contains("a-secret"), "{twins}");
    let labels = build(vec![here("a").label("team"), here("b").label("team")]).unwrap();
    assert!(labels.starts_with("fallbacks[0].target[1] is"), "{labels}");
    assert!(build(vec![]).unwrap().starts_with("fallbacks[0].targets is 0"));
    let many = (0..65).map(|n| here(&n.to_string())).collect();
    assert!(build(many).unwrap().starts_with("fallbacks[0].targets is 65"));
    let blank = build(vec![here("a"), here(" ")]).unwrap();
    assert!(blank.starts_with("fallbacks[0].target[1].credential"), "{blank}");
}

#[test]
fn invalid_values_are_refused_by_name() {
    let refused =
        |policy: BalancePolicy| policy.build(targets()).err().map(|error| error.field().to_owned());
    let new = BalancePolicy::new;
    assert_eq!(refused(new()), None);
    assert_eq!(refused(new().penalty(Duration::ZERO)).unwrap(), "balance.penalty");
    assert_eq!(refused(new().half_life(Duration::MAX)).unwrap(), "balance.half_life");
    assert_eq!(refused(new().ejection(secs(2)..=secs(1))).unwrap(), "balance.ejection");
    assert_eq!(
        refused(new().permanent_failure_ejection(Duration::ZERO)).unwrap(),
        "balance.permanent_failure_ejection"
    );
    assert_eq!(refused(new().consecutive_failures(0)).unwrap(), "balance.consecutive_failures");
    assert_eq!(
        refused(new().bounded_load_factor(f64::NAN)).unwrap(),
        "balance.bounded_load_factor"
    );
}

#[test]
fn no_debug_output_shows_a_secret() {
    let layer = BalancePolicy::new().build([Target::same_host().bearer("a-secret")]).unwrap();
    let fallback = Fallback::targets([
        Target::same_host().bearer("a-secret"),
        Target::same_host().bearer("b-secret"),
    ]);
    let sticky = AffinityKey::new("a-secret");
    for shown in [format!("{layer:?}"), format!("{fallback:?}"), format!("{sticky:?}")] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_event_of_an_ejected_target_names_its_route() {
    let keys = Keys::new().first(Provider::new(NAMES[0]).always(Reply::status(401)));
    let log = EventLog::default();
    let client = keys.client(log.attach_to(three()));
    drive(&client, 5.0, secs(5)).await;
    let out = log.events().into_iter().find_map(|event| match event {
        EventKind::TargetEjected { route, lasts, .. } => {
            Some((route.credential().to_owned(), lasts))
        }
        _ => None,
    });
    assert_eq!(out, Some(("key-a".to_owned(), secs(5))));
}
