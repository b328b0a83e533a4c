//! Credentials that expire: fetched once for all, refreshed, made anew after a rejection; and sources that fail.

mod law;
mod secrets;
mod signer;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::{
    BoxError, Client, Error, Profile, Request, Upstream,
    breaker::CircuitState,
    context::{Deadline, Fallbacks},
    credentials::{CredentialFailure, CredentialLayer, CredentialPolicy, Credentials},
    fallback::{Fallback, FallbackPolicy, Target},
    outcome::{LocalTrouble, Outcome},
    telemetry::{EventKind, UserCode},
};
use evenkeel_testkit::{Hosts, Provider, Reply};
use futures_util::future::join_all;
use http::header::AUTHORIZATION;
use tokio::time::{Instant, advance, sleep, timeout};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{
    EventLog, assert_no_failure, call, chat, ms, secondary, secs, without_retries,
};

/// An identity provider: it issues `token-1`, `token-2` and so on.
#[derive(Clone)]
struct Issuer(Arc<Mutex<Issued>>);

struct Issued {
    fetches: Vec<Instant>,
    takes: Duration,
    lifetime: Option<Duration>,
    mood: Mood,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Issues,
    Repeats,
    Fails,
    Hangs,
    Panics,
    PanicsAtOnce,
    IsInvalid,
}

/// What reached the transport: host, path with query, and all values of `authorization`.
#[derive(Clone, Debug, Default)]
struct Wire(Arc<Mutex<Vec<Sent>>>);

#[derive(Clone, Debug)]
struct Sent {
    host: String,
    target: String,
    authorization: Vec<String>,
    headers: http::HeaderMap,
}

// === impl Issuer ===

impl Issuer {
    fn new(mood: Mood) -> Self {
        let issued =
            Issued { fetches: Vec::new(), takes: ms(100), lifetime: Some(secs(3600)), mood };
        Self(Arc::new(Mutex::new(issued)))
    }

    fn lifetime(self, lifetime: Option<Duration>) -> Self {
        self.0.lock().unwrap().lifetime = lifetime;
        self
    }

    fn becomes(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    fn fetches(&self) -> usize {
        self.0.lock().unwrap().fetches.len()
    }

    fn policy(&self) -> CredentialPolicy {
        let issuer = self.clone();
        CredentialPolicy::new(move || issuer.clone().issue())
    }

    #[allow(clippy::manual_async_fn)]
    fn issue(self) -> impl Future<Output = Result<Credentials, BoxError>> + Send {
        let (number, takes, lifetime, mood) = {
            let mut issued = self.0.lock().unwrap();
            issued.fetches.push(Instant::now());
            (issued.fetches.len(), issued.takes, issued.lifetime, issued.mood)
        };
        assert!(mood != Mood::PanicsAtOnce, "the source panics");
        async move {
            sleep(takes).await;
            match mood {
                Mood::Fails => return Err("invalid_client".into()),
                Mood::Hangs => std::future::pending().await,
                Mood::Panics => panic!("the source panics"),
                Mood::IsInvalid => return Ok(Credentials::bearer("")),
                Mood::Repeats => return Ok(Credentials::bearer("token-1")),
                Mood::Issues | Mood::PanicsAtOnce => (),
            }
            let token = Credentials::bearer(&format!("token-{number}"));
            Ok(lifetime.into_iter().fold(token, Credentials::expires_in))
        }
    }
}

// === impl Wire ===

impl Wire {
    fn over<const N: usize>(&self, providers: [&Provider; N]) -> impl Upstream + use<N> {
        let (log, hosts) = (self.clone(), Hosts::new(providers.map(Clone::clone)));
        service_fn(move |request: Request| {
            let (uri, headers) = (request.uri(), request.headers());
            let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
            log.0.lock().unwrap().push(Sent {
                host: uri.host().unwrap().to_owned(),
                target: uri.path_and_query().unwrap().to_string(),
                authorization: headers.get_all(AUTHORIZATION).iter().map(text).collect(),
                headers: headers.clone(),
            });
            hosts.clone().oneshot(request)
        })
    }

    fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().clone()
    }

    /// The tokens that reached that host, in order.
    fn tokens(&self, host: &str) -> Vec<String> {
        let sent = self.sent();
        let there = sent.iter().filter(|sent| sent.host == host);
        there.map(|sent| sent.authorization.join(",").replace("Bearer ", "")).collect()
    }
}

/// A client whose primary has credentials of that source, with what reaches the wire.
fn client(issuer: &Issuer, provider: &Provider) -> (Client, Wire) {
    let wire = Wire::default();
    let builder = Client::builder().primary(target("primary", &issuer.policy()));
    (builder.build_with(wire.over([provider])).unwrap(), wire)
}

fn target(host: &str, policy: &CredentialPolicy) -> Target {
    Target::new(format!("http://{host}/v1")).credentials(policy.clone())
}

fn provider() -> Provider {
    Provider::new("primary")
}

// === one fetch for all ===

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_wait_for_one_fetch() {
    let issuer = Issuer::new(Mood::Issues);
    let (client, wire) = client(&issuer, &provider());
    for answer in join_all((0..100).map(|_| call(&client, chat(false)))).await {
        answer.unwrap().is_whole();
    }
    assert_eq!(issuer.fetches(), 1);
    assert_eq!(wire.tokens("primary"), vec!["token-1"; 100]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_does_not_end_the_fetch_for_the_others() {
    let issuer = Issuer::new(Mood::Issues);
    let (client, wire) = client(&issuer, &provider());
    let first = timeout(ms(50), client.send(chat(false)));
    let (first, second) = tokio::join!(first, async {
        sleep(ms(10)).await;
        call(&client, chat(false)).await
    });
    assert!(first.is_err());
    second.unwrap().is_whole();
    assert_eq!((issuer.fetches(), wire.tokens("primary")), (1, vec!["token-1".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn the_fetch_of_a_lone_caller_who_leaves_is_there_for_the_next() {
    let issuer = Issuer::new(Mood::Issues);
    let (client, _) = client(&issuer, &provider());
    drop(timeout(ms(1), client.send(chat(false))).await);
    sleep(secs(1)).await;
    let asked = Instant::now();
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!((issuer.fetches(), asked.elapsed()), (1, Duration::ZERO));
}

#[test]
fn a_fetch_whose_runtime_was_shut_down_is_made_anew_in_the_next() {
    let issuer = Issuer::new(Mood::Issues);
    let (client, _) = client(&issuer, &provider());
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap()
    };
    let first = runtime();
    drop(first.block_on(async { timeout(ms(1), client.send(chat(false))).await }));
    drop(first);
    runtime().block_on(async { call(&client, chat(false)).await.unwrap().is_whole() });
    assert_eq!(issuer.fetches(), 2);
}

// === refreshed in time ===

#[tokio::test(start_paused = true)]
async fn a_token_is_refreshed_before_its_end_while_it_is_still_used() {
    let issuer = Issuer::new(Mood::Issues);
    let (client, wire) = client(&issuer, &provider());
    let mut slowest = Duration::ZERO;
    call(&client, chat(false)).await.unwrap().is_whole();
    for _ in 0..1_000 {
        advance(secs(10)).await;
        let asked = Instant::now();
        call(&client, chat(false)).await.unwrap().is_whole();
        slowest = slowest.max(asked.elapsed());
    }
    assert_eq!(slowest, Duration::ZERO, "no call waits for a refresh");
    assert_eq!(issuer.fetches(), 3, "one for each of the hours that have begun");
    let tokens = wire.tokens("primary");
    assert!(tokens.is_sorted() && tokens.last().unwrap() == "token-3");
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_not_sent() {
    let issuer = Issuer::new(Mood::Issues);
    let (client, wire) = client(&issuer, &provider());
    call(&client, chat(false)).await.unwrap().is_whole();
    advance(secs(3601)).await;
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!(wire.tokens("primary"), ["token-1", "token-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_before_the_end_changes_nothing_until_then() {
    let issuer = Issuer::new(Mood::Issues);
    let (client, _) = client(&issuer, &provider());
    call(&client, chat(false)).await.unwrap().is_whole();
    issuer.becomes(Mood::Fails);
    advance(secs(3580)).await;
    for _ in 0..19 {
        call(&client, chat(false)).await.unwrap().is_whole();
        sleep(secs(1)).await;
    }
    assert!((3..7).contains(&issuer.fetches()), "{} fetches", issuer.fetches());
    issuer.becomes(Mood::Issues);
    sleep(secs(60)).await;
    call(&client, chat(false)).await.unwrap().is_whole();
}

// === rejected ===

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_fetched_once_more_and_the_attempt_is_sent_again() {
    for stream in [false, true] {
        let (issuer, provider, log) = (Issuer::new(Mood::Issues), provider(), EventLog::default());
        let wire = Wire::default();
        let builder = log.attach_to(Client::builder().primary(target("primary", &issuer.policy())));
        let client = builder.build_with(wire.over([&provider])).unwrap();
        call(&client, chat(stream)).await.unwrap().is_whole();
        sleep(secs(20)).await;
        let provider = provider.requires("token-2");
        let answer = call(&client, chat(stream)).await.unwrap();
        answer.is_whole();
        assert_eq!(wire.tokens("primary"), ["token-1", "token-1", "token-2"]);
        assert_eq!((issuer.fetches(), provider.count()), (2, 3));
        assert_eq!(answer.attempt_log.unwrap().sent(), 1, "it is one attempt");
        assert_eq!(log.count("credentials_rejected"), 1);
        assert_no_failure(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn many_rejections_at_once_make_one_refresh() {
    let (issuer, provider) = (Issuer::new(Mood::Issues), provider());
    let (client, _) = client(&issuer, &provider);
    call(&client, chat(false)).await.unwrap().is_whole();
    sleep(secs(20)).await;
    let provider = provider.requires("token-2");
    for answer in join_all((0..50).map(|_| call(&client, chat(false)))).await {
        answer.unwrap().is_whole();
    }
    assert_eq!((issuer.fetches(), provider.count()), (2, 101));
}

#[tokio::test(start_paused = true)]
async fn a_second_rejection_is_final_and_costs_no_fetch_for_each_call() {
    let (issuer, provider) = (Issuer::new(Mood::Issues), provider());
    let (client, _) = client(&issuer, &provider);
    call(&client, chat(false)).await.unwrap().is_whole();
    sleep(secs(20)).await;
    let provider = provider.requires("another");
    provider.forget();
    let answer = call(&client, chat(false)).await.unwrap();
    assert_eq!((answer.status.as_u16(), provider.count(), issuer.fetches()), (401, 2, 2));
    assert_eq!(
        answer.verdict.unwrap().outcome().name(),
        Outcome::Rejected { why: evenkeel::outcome::Rejection::Credential }.name()
    );
    for _ in 0..20 {
        let answer = call(&client, chat(false)).await.unwrap();
        assert_eq!(answer.status.as_u16(), 401);
        sleep(ms(100)).await;
    }
    assert_eq!((provider.count(), issuer.fetches()), (22, 2));
    // The route is not closed: the next token may be valid.
    let _ = provider.requires("token-3");
    sleep(secs(10)).await;
    call(&client, chat(false)).await.unwrap().is_whole();
}

#[tokio::test(start_paused = true)]
async fn a_source_that_returns_the_rejected_token_again_costs_no_second_request() {
    let (issuer, provider) = (Issuer::new(Mood::Repeats), provider());
    let (client, _) = client(&issuer, &provider);
    call(&client, chat(false)).await.unwrap().is_whole();
    sleep(secs(20)).await;
    let provider = provider.requires("another");
    assert_eq!(call(&client, chat(false)).await.unwrap().status.as_u16(), 401);
    assert_eq!((provider.count(), issuer.fetches()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_stays_the_answer_if_the_source_fails_and_delays_no_other_call() {
    for mood in [Mood::Fails, Mood::Hangs, Mood::Panics, Mood::IsInvalid] {
        let (issuer, provider) = (Issuer::new(Mood::Issues), provider());
        let (client, _) = client(&issuer, &provider);
        call(&client, chat(false)).await.unwrap().is_whole();
        sleep(secs(20)).await;
        issuer.becomes(mood);
        provider.set(Reply::status(401));
        let (first, second) = tokio::join!(call(&client, chat(false)), async {
            sleep(ms(1)).await;
            provider.set(Reply::answer());
            let asked = Instant::now();
            call(&client, chat(false)).await.unwrap().is_whole();
            asked.elapsed()
        });
        assert_eq!(first.unwrap().status.as_u16(), 401, "{mood:?}");
        assert_eq!(second, Duration::ZERO, "{mood:?}");
    }
}

// === sources that fail ===

const BAD: [(Mood, CredentialFailure); 5] = [
    (Mood::Fails, CredentialFailure::Failed),
    (Mood::Hangs, CredentialFailure::TimedOut),
    (Mood::Panics, CredentialFailure::Panicked),
    (Mood::PanicsAtOnce, CredentialFailure::Panicked),
    (Mood::IsInvalid, CredentialFailure::Invalid),
];

#[tokio::test(start_paused = true)]
async fn a_call_goes_on_below_if_the_source_fails_and_no_breaker_counts_it() {
    for (mood, failure) in BAD {
        let (issuer, provider, second) =
            (Issuer::new(mood), provider(), Provider::new("secondary"));
        let (wire, log) = (Wire::default(), EventLog::default());
        let builder = Client::builder().primary(target("primary", &issuer.policy()));
        let client = log.attach_to(builder.fallback(secondary()));
        let client = client.build_with(wire.over([&provider, &second])).unwrap();
        let start = Instant::now();
        for _ in 0..100 {
            let answer = call(&client, chat(false)).await.unwrap();
            answer.is_whole();
            assert_eq!(answer.attempt_log.unwrap().sent(), 1, "{mood:?}");
            sleep(ms(10)).await;
        }
        assert_eq!((provider.count(), second.count()), (0, 100), "{mood:?}");
        assert_no_failure(&client);
        assert!(issuer.fetches() <= 5, "{mood:?}: {} fetches", issuer.fetches());
        let reasons = log.events().into_iter().filter_map(|event| match event {
            EventKind::CredentialsFailed { reason, .. } => Some(reason),
            _ => None,
        });
        assert!(reasons.clone().count() > 0 && reasons.clone().all(|it| it == failure), "{mood:?}");
        // A hung source holds up the calls that wait for its fetch, each for half of its time at most.
        assert!(start.elapsed() < secs(60), "{mood:?}: {:?}", start.elapsed());
        let panics = log.events().into_iter().filter(|event| {
            matches!(event, EventKind::Panicked { code: UserCode::Credentials, .. })
        });
        assert_eq!(panics.count(), usize::from(failure == CredentialFailure::Panicked));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_fallbacks_names_the_trouble_and_keeps_the_error_of_the_source() {
    let (issuer, provider) = (Issuer::new(Mood::Fails), provider());
    let (client, _) = client(&issuer, &provider);
    let error = call(&client, chat(false)).await.unwrap_err();
    assert_eq!(error.local_trouble(), Some(LocalTrouble::Credentials));
    assert!(error.is_refused() && !error.is_connect() && !error.is_timeout());
    assert!(error.retry_in().is_some_and(|wait| wait > Duration::ZERO));
    assert_eq!(error.to_string(), "not sent: there are no credentials for it");
    let why = std::error::Error::source(&error).unwrap();
    assert_eq!(why.to_string(), "the source of the credentials failed");
    assert_eq!(why.source().unwrap().to_string(), "invalid_client");
    assert_eq!(error.attempt_log().unwrap().sent(), 0);
    assert_eq!(issuer.fetches(), 3, "the call and its two retries");
}

#[tokio::test(start_paused = true)]
async fn a_short_failure_of_the_source_is_waited_for() {
    let (issuer, provider) = (Issuer::new(Mood::Fails), provider());
    let (client, _) = client(&issuer, &provider);
    let (answer, ()) = tokio::join!(call(&client, chat(false)), async {
        sleep(ms(300)).await;
        issuer.becomes(Mood::Issues);
    });
    answer.unwrap().is_whole();
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_waits_for_the_recovery_of_the_source() {
    let (issuer, provider) = (Issuer::new(Mood::Fails), provider());
    let builder = Client::builder().profile(Profile::pipeline());
    let builder = builder.primary(target("primary", &issuer.policy()));
    let client = builder.build_with(Hosts::new([provider.clone()])).unwrap();
    let (answer, ()) = tokio::join!(call(&client, chat(false)), async {
        sleep(secs(120)).await;
        issuer.becomes(Mood::Issues);
    });
    answer.unwrap().is_whole();
    assert!(issuer.fetches() < 20, "{} fetches", issuer.fetches());
}

#[tokio::test(start_paused = true)]
async fn a_hung_source_leaves_time_for_the_fallbacks_and_ends_no_call_late() {
    for deadline in [ms(500), secs(2), secs(30)] {
        let (issuer, second) = (Issuer::new(Mood::Hangs), Provider::new("secondary"));
        let builder = Client::builder().primary(target("primary", &issuer.policy()));
        let client = builder.fallback(secondary());
        let client = client.build_with(Hosts::new([provider(), second])).unwrap();
        let mut request = chat(false);
        request.extensions_mut().insert(Deadline::within(deadline));
        let asked = Instant::now();
        call(&client, request).await.unwrap().is_whole();
        assert!(asked.elapsed() <= deadline.min(secs(20)) / 2 + ms(1), "{:?}", asked.elapsed());
        assert_no_failure(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_token_is_not_latency_of_the_provider() {
    let issuer = Issuer::new(Mood::Issues);
    issuer.0.lock().unwrap().takes = secs(8);
    let (client, _) = client(&issuer, &provider());
    for answer in join_all((0..60).map(|_| call(&client, chat(false)))).await {
        answer.unwrap().is_whole();
    }
    for (route, shown) in client.breakers().list() {
        assert_eq!(shown.state, CircuitState::Closed, "{route}");
        assert_eq!(shown.slow_ratio.unwrap_or_default(), 0.0, "{route}");
    }
}

// === where credentials go ===

#[tokio::test(start_paused = true)]
async fn what_the_caller_has_sent_is_replaced() {
    let issuer = Issuer::new(Mood::Issues);
    let wire = Wire::default();
    let target = target("primary", &issuer.policy()).bearer("a fixed key");
    let client = Client::builder().primary(target).build_with(wire.over([&provider()])).unwrap();
    let request = http::Request::post("http://primary/v1/chat/completions?key=own&alt=sse")
        .header("authorization", "Bearer own")
        .header("x-api-key", "own")
        .header("cookie", "own")
        .body(chat(false).into_body())
        .unwrap();
    call(&client, request).await.unwrap().is_whole();
    let sent = &wire.sent()[0];
    assert_eq!(sent.authorization, ["Bearer token-1"]);
    assert_eq!(sent.target, "/v1/chat/completions?alt=sse");
    assert!(!sent.headers.values().any(|value| value.to_str().unwrap().contains("own")));
}

#[tokio::test(start_paused = true)]
async fn another_target_gets_no_token_and_a_redirect_is_not_followed() {
    let issuer = Issuer::new(Mood::Issues);
    let (wire, second) = (Wire::default(), Provider::new("secondary"));
    let moved = Reply::raw(307, "text/plain", "").header("location", "http://secondary/v1/steal");
    let provider = provider().always(moved);
    let builder = Client::builder().primary(target("primary", &issuer.policy()));
    let client = builder.fallback(Fallback::target(Target::new("http://secondary/v1")));
    let client = client.build_with(wire.over([&provider, &second])).unwrap();
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!(wire.tokens("primary"), ["token-1"]);
    assert_eq!(wire.tokens("secondary"), [""]);
    assert!(!wire.sent()[1].target.contains("steal"));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_a_layer_sends_elsewhere_gets_no_token_and_is_not_sent() {
    let (issuer, wire) = (Issuer::new(Mood::Issues), Wire::default());
    let fallbacks = FallbackPolicy::new().primary(target("primary", &issuer.policy()));
    let service = ServiceBuilder::new()
        .layer(fallbacks.build().unwrap())
        .map_request(|mut request: Request| {
            *request.uri_mut() = "http://secondary/v1/chat/completions".parse().unwrap();
            request
        })
        .layer(CredentialLayer::default())
        .service(wire.over([&provider(), &Provider::new("secondary")]));
    let error = service.oneshot(chat(false)).await.unwrap_err();
    assert!(error.is_refused() && wire.sent().is_empty() && issuer.fetches() == 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_attempt_fetches_nothing() {
    let (issuer, provider) = (Issuer::new(Mood::Issues), provider());
    let (client, _) = client(&issuer, &provider);
    let route = client.routes_of(&chat(false)).remove(0);
    client.breakers().force_open(&route);
    assert!(call(&client, chat(false)).await.unwrap_err().is_refused());
    assert_eq!(issuer.fetches(), 0);
}

// === routes ===

#[tokio::test(start_paused = true)]
async fn a_refreshed_token_is_the_same_route_and_another_source_is_another() {
    let (issuer, provider) = (Issuer::new(Mood::Issues).lifetime(Some(secs(30))), provider());
    let (client, _) = client(&issuer, &provider);
    let before = client.routes_of(&chat(false));
    for _ in 0..20 {
        call(&client, chat(false)).await.unwrap().is_whole();
        sleep(secs(31)).await;
    }
    assert_eq!(issuer.fetches(), 20);
    assert_eq!(client.routes_of(&chat(false)), before);
    let used: Vec<_> = client.breakers().list().into_iter().map(|(route, _)| route).collect();
    assert_eq!(used, before);
    assert!(before[0].credential().starts_with('~'));
    let (other, _) = self::client(&Issuer::new(Mood::Issues), &provider);
    assert_ne!(other.routes_of(&chat(false)), before);
    let labelled = target("primary", &issuer.policy()).label("team-a");
    let labelled = Client::builder().primary(labelled).build_with(provider).unwrap();
    assert_eq!(labelled.routes_of(&chat(false))[0].credential(), "~team-a");
}

#[tokio::test(start_paused = true)]
async fn equal_targets_and_fallbacks_of_a_call_share_one_token() {
    let (issuer, wire) = (Issuer::new(Mood::Issues), Wire::default());
    let hosts = ["one", "two", "three"];
    let [one, two, three] = hosts.map(|host| Provider::new(host).always(Reply::status(503)));
    let (own, policy) = (Provider::new("own"), issuer.policy());
    let builder = Client::builder().profile(without_retries());
    let builder = builder.primaries(hosts.map(|host| target(host, &policy)));
    let client = builder.build_with(wire.over([&one, &two, &three, &own])).unwrap();
    for _ in 0..12 {
        let mut request = chat(false);
        let fallbacks = Fallbacks::new([Fallback::target(target("own", &policy))]).unwrap();
        request.extensions_mut().insert(fallbacks);
        call(&client, request).await.unwrap().is_whole();
    }
    assert_eq!(issuer.fetches(), 1);
    assert!(wire.sent().iter().all(|sent| sent.authorization == ["Bearer token-1"]));
    assert_eq!(wire.tokens("own").len(), 12);
}

// === settings ===

#[test]
fn wrong_settings_and_twins_are_rejected() {
    let built = |policy: CredentialPolicy| {
        let target = target("primary", &policy);
        Client::builder().primary(target).build_with(provider()).err().map(|it| it.to_string())
    };
    let policy = || Issuer::new(Mood::Issues).policy();
    assert_eq!(built(policy()), None);
    let cases = [
        (policy().timeout(Duration::ZERO), "credentials.timeout is 0ns; allowed is 1ms to a day"),
        (
            policy().min_refresh_interval(ms(10)),
            "credentials.min_refresh_interval is 10ms; allowed is 1s to a day",
        ),
        (
            policy().refresh_before(secs(1_000_000)),
            "credentials.refresh_before is 1000000s; allowed is 0ns to a day",
        ),
    ];
    for (policy, expected) in cases {
        let error = built(policy).unwrap();
        assert!(error.ends_with(expected), "{error}");
    }
    let one = policy();
    let twins = [target("primary", &one), target("primary", &one)];
    assert!(Client::builder().primaries(twins).build_with(provider()).is_err());
    let two = [target("primary", &one), target("primary", &policy())];
    assert!(Client::builder().primaries(two).build_with(provider()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_target_without_a_source_costs_no_allocation() {
    let answer =
        |_: Request| std::future::ready(Err::<evenkeel::Response, _>(Error::new(Outcome::Empty)));
    let mut service = ServiceBuilder::new().layer(CredentialLayer::default()).service_fn(answer);
    let (first, second) = (chat(false), chat(false));
    let bare = allocation_counter::measure(|| drop(service_fn(answer).call(first)));
    let layered = allocation_counter::measure(|| drop(service.call(second)));
    assert_eq!(layered.count_total, bare.count_total);
}

#[test]
fn a_source_outside_of_a_runtime_is_a_panic_of_the_caller_and_leaves_no_lock() {
    // The clock of tokio needs its runtime as well: this is a fault of the program, and the source stays usable.
    let issuer = Issuer::new(Mood::Issues);
    let (client, _) = client(&issuer, &provider());
    let outside = catch_unwind(AssertUnwindSafe(|| {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        client.send(chat(false)).as_mut().poll(&mut context).is_pending()
    }));
    assert!(outside.is_err());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { call(&client, chat(false)).await.unwrap().is_whole() });
}
