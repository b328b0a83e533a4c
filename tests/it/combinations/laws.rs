//! Properties of all parts at once: hedges, stored answers, shared attempts, limits, equal targets, edits, continued
//! streams, waits, fallbacks and commit points of a call's own, each switched on or off at random, for concurrent and
//! sequential calls of two tenants over three hosts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::{
    Client, ClientBuilder, Error, Profile, Request,
    breaker::BreakerPolicy,
    cache::CachePolicy,
    classify::ClassifyPolicy,
    context::{Deadline, Priority},
    fallback::{Capabilities, Edit, Fallback, FallbackPolicy, Fallbacks, Prefill, Target},
    hedge::HedgePolicy,
    limit::{AdaptivePolicy, Concurrency, LimitPolicy},
    outcome::Outcome,
    retry::RetryPolicy,
    stream::{CommitPolicy, MidStreamFailure},
    telemetry::EventKind,
};
use evenkeel_testkit::{Hosts, Provider, Reply};
use futures_util::future::join_all;
use http::HeaderValue;
use proptest::prelude::*;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tower::ServiceExt;

use crate::support::{
    Answer, BUSY, Call, EventLog, any_call, any_reply, chat, check_property, in_virtual_time,
    is_whole_or_failed, ms, read, secs,
};

/// The parts that are switched on.
#[derive(Clone, Debug)]
struct Parts {
    hedge: bool,
    cache: u8,
    limit: u8,
    pool: bool,
    edit: u8,
    resume: bool,
    waits: bool,
    complete: bool,
    stored: bool,
    seed: u64,
}

fn parts() -> impl Strategy<Value = Parts> {
    let flags =
        (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (flags, 0..4_u8, 0..6_u8, 0..4_u8, any::<u64>()).prop_map(
        |((hedge, pool, resume, waits, complete, stored), cache, limit, edit, seed)| Parts {
            hedge,
            cache,
            limit,
            pool,
            edit,
            resume,
            waits,
            complete,
            stored,
            seed,
        },
    )
}

/// A call with its settings.
#[derive(Clone, Debug)]
struct Wish {
    call: Call,
    tenant: bool,
    batch: bool,
    fallbacks: bool,
    commit: Option<bool>,
    other: bool,
}

fn wish() -> impl Strategy<Value = Wish> {
    let flags =
        (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.3));
    (any_call(), flags, prop::option::weighted(0.3, any::<bool>())).prop_map(
        |(call, (tenant, batch, fallbacks, other), commit)| Wish {
            call,
            tenant,
            batch,
            fallbacks,
            commit,
            other,
        },
    )
}

const KEYS: [&str; 2] = ["Bearer the-first-key", "Bearer the-other-key"];

#[derive(Clone, Copy)]
struct Tenant(bool);

impl Parts {
    fn limit(&self) -> LimitPolicy {
        let limit = LimitPolicy::new();
        match self.limit {
            0 | 1 => limit,
            2 => limit.requests(20).burst(secs(3)),
            3 => limit.tokens(2_000),
            4 => limit.concurrency(Concurrency::Fixed(1)).max_queue(2),
            _ => {
                let adaptive = Concurrency::Adaptive(AdaptivePolicy::default());
                limit.concurrency(adaptive).cooldown_without_hint(secs(1))
            }
        }
    }

    fn profile(&self) -> Profile {
        let commit =
            if self.complete { CommitPolicy::Complete } else { CommitPolicy::FirstContent };
        let hedge =
            self.hedge.then(|| HedgePolicy::new().samples(2).quantile(0.5).budget_ratio(0.2));
        Profile::interactive()
            .classify(ClassifyPolicy::default().commit(commit))
            .retry(RetryPolicy::default().seed(self.seed))
            .limit(self.limit())
            .hedge(hedge)
    }

    fn edit(&self) -> Edit {
        match self.edit {
            0 => Edit::new(),
            1 => Edit::new().unstreamed(),
            2 => Edit::new().without_tools().without_images(),
            _ => Edit::new().fit_context(100_000),
        }
    }

    fn fallbacks(&self) -> FallbackPolicy {
        let second = Target::new("http://secondary/v1").bearer("the-second-key").model("spare");
        let third = Target::new("http://third/v1").bearer("the-third-key");
        let mut fallbacks = FallbackPolicy::new();
        if self.pool {
            let key = |key: &str| Target::new("http://primary/v1").bearer(key);
            fallbacks =
                fallbacks.primaries([key("the-pool-key-1"), key("the-pool-key-2"), third.clone()]);
        }
        let prefill = Capabilities::default().prefill(Prefill::Message);
        fallbacks =
            fallbacks.fallback(Fallback::target(second).edit(self.edit()).capabilities(prefill));
        fallbacks = fallbacks
            .fallback(Fallback::targets([third.clone(), third.model("other")]).named("thirds"));
        if self.resume {
            fallbacks = fallbacks.mid_stream_failure(MidStreamFailure::Continue);
        }
        if self.stored && self.cache > 0 {
            fallbacks = fallbacks.fallback(Fallback::stored(secs(3600)));
        }
        if self.waits {
            fallbacks = fallbacks.fallback(Fallback::wait_for_recovery());
        }
        fallbacks.fallback(Fallback::canned(BUSY))
    }

    fn builder(&self) -> ClientBuilder {
        let builder = Client::builder().profile(self.profile()).fallback_policy(self.fallbacks());
        match self.cache {
            0 => builder,
            1 => builder.cache(CachePolicy::new()),
            2 => builder.cache(CachePolicy::new().coalesce(true)),
            _ => builder.cache(CachePolicy::new().coalesce(true).serve_fresh_for(secs(20))),
        }
    }
}

/// The host and key of each attempt.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

fn wired(hosts: Hosts, seen: Seen) -> impl evenkeel::Upstream {
    tower::service_fn(move |request: Request| {
        let key = request.headers().get("authorization").map_or("", |key| key.to_str().unwrap());
        let host = request.uri().host().unwrap_or_default();
        seen.lock().unwrap().push((host.to_owned(), key.to_owned()));
        let tenant = request.extensions().get::<Tenant>().copied();
        let hosts = hosts.clone();
        async move {
            let mut response = hosts.oneshot(request).await?;
            if let Some(Tenant(tenant)) = tenant {
                let value = HeaderValue::from(u16::from(tenant));
                response.headers_mut().insert("x-tenant", value);
            }
            Ok::<_, Error>(response)
        }
    })
}

struct Came {
    /// Whether the head of an answer has arrived, or an error.
    head: Option<bool>,
    took: Duration,
    answer: Option<Result<Answer, Error>>,
}

fn request(wish: &Wish) -> Request {
    let mut request = chat(wish.call.stream);
    let key = HeaderValue::from_static(KEYS[usize::from(wish.tenant)]);
    request.headers_mut().insert("authorization", key);
    let extensions = request.extensions_mut();
    extensions.insert(Tenant(wish.tenant));
    extensions.insert(if wish.batch { Priority::Batch } else { Priority::Interactive });
    if let Some(deadline) = wish.call.deadline {
        extensions.insert(Deadline::within(deadline));
    }
    if let Some(complete) = wish.commit {
        extensions.insert(if complete {
            CommitPolicy::Complete
        } else {
            CommitPolicy::FirstContent
        });
    }
    if wish.fallbacks {
        let own = [Fallback::target(Target::same_host().model("spare"))];
        extensions.insert(Fallbacks::new(own).unwrap());
    }
    if wish.other {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        *request.body_mut() = body.replace("parcel", "order").into();
    }
    request
}

async fn make(client: &Client, wish: &Wish, at: Instant) -> Came {
    sleep_until(at).await;
    let (mut head, mut took) = (None, None);
    let work = async {
        let result = client.send(request(wish)).await;
        (head, took) = (Some(result.is_ok()), Some(at.elapsed()));
        match result {
            Ok(response) => Ok(read(response).await),
            Err(error) => Err(error),
        }
    };
    let answer = match wish.call.leaves {
        Some(leaves) => timeout(leaves, work).await.ok(),
        None => Some(work.await),
    };
    Came { head, took: took.unwrap_or(at.elapsed()), answer }
}

fn may_see(host: &str, key: &str, pool: bool) -> bool {
    match host {
        // The target that the caller addressed, with the caller's key; or a target's own key.
        "primary" if pool => key.starts_with("Bearer the-pool-key-") || KEYS.contains(&key),
        "primary" => KEYS.contains(&key),
        "secondary" => key == "Bearer the-second-key",
        _ => key == "Bearer the-third-key",
    }
}

fn count(log: &EventLog) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for name in log.names() {
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}

#[test]
fn law_of_all_parts_together() {
    let replies = || prop::collection::vec(any_reply(), 0..16);
    let calls = prop::collection::vec(wish(), 1..14);
    check_property(
        400,
        (parts(), (replies(), replies(), replies()), calls, any::<bool>()),
        |(parts, replies, calls, at_once)| {
            in_virtual_time(async {
                fastrand::seed(parts.seed);
                let primary = Provider::new("primary").replies(replies.0);
                let second = Provider::new("secondary").replies(replies.1).continues();
                let third = Provider::new("third").replies(replies.2);
                let (log, seen) = (EventLog::default(), Seen::default());
                let hosts = Hosts::new([primary.clone(), second.clone(), third.clone()]);
                let client =
                    log.attach_to(parts.builder()).build_with(wired(hosts, seen.clone())).unwrap();
                let mut at = Instant::now();
                let mut all = Vec::new();
                for wish in &calls {
                    at += if at_once { wish.call.after / 20 } else { wish.call.after };
                    all.push(make(&client, wish, at));
                }
                let came = join_all(all).await;
                for (wish, came) in calls.iter().zip(&came) {
                    let limit = wish.call.deadline.unwrap_or(secs(30));
                    prop_assert!(came.took <= limit, "{:?} of {limit:?} for {wish:?}", came.took);
                    match &came.answer {
                        None => {}
                        Some(Err(error)) => return Err(TestCaseError::fail(format!("{error:?}"))),
                        Some(Ok(answer)) => {
                            prop_assert!(is_whole_or_failed(answer), "{answer:?}");
                            if let Some(tenant) = answer.headers.get("x-tenant") {
                                let own = if wish.tenant { "1" } else { "0" };
                                prop_assert_eq!(tenant, own, "another tenant's answer");
                            }
                        }
                    }
                }
                // A probe that lost its race continues without its caller, within its own limits.
                sleep(secs(60)).await;
                let counts = count(&log);
                let of = |name: &str| counts.get(name).copied().unwrap_or_default();
                prop_assert!(of("call_started") <= calls.len() as u64);
                prop_assert_eq!(of("call_started"), of("call_ended"));
                let heads = came.iter().filter(|came| came.head == Some(true)).count() as u64;
                prop_assert_eq!(of("body_ended"), heads);
                prop_assert_eq!(of("attempt_started"), of("attempt_ended"), "{:?}", counts);
                let under_way = [&primary, &second, &third].map(Provider::in_flight);
                prop_assert_eq!(under_way, [0, 0, 0]);
                for (route, shown) in client.limits().list() {
                    prop_assert_eq!((shown.in_flight, shown.waiting), (0, 0), "{}", route);
                }
                for (host, key) in seen.lock().unwrap().iter() {
                    prop_assert!(may_see(host, key, parts.pool), "{key} at {host}");
                }
                let sent = [&primary, &second, &third].map(Provider::count).iter().sum::<u64>();
                let entered = of("fallback_entered");
                prop_assert!(sent <= entered * 6 / 5 + 10 * 8, "{sent} attempts of {entered}");
                Ok(())
            })
        },
    );
}

/// Five hundred calls with all parts switched on, most of which fail or are late.
#[tokio::test(start_paused = true)]
async fn extra_attempts_stay_within_the_budgets_with_everything_switched_on() {
    for (pool, seed) in [(false, 1), (true, 2), (false, 3), (true, 4)] {
        fastrand::seed(seed);
        let parts = Parts {
            hedge: true,
            cache: 2,
            limit: 0,
            pool,
            edit: 0,
            resume: true,
            waits: false,
            complete: seed % 2 == 0,
            stored: false,
            seed,
        };
        let bad = |n: u64| match n % 5 {
            0 => Reply::status(503),
            1 => Reply::answer().first_content_after(secs(4)),
            2 => Reply::reset(),
            3 => Reply::rate_limited(None),
            _ => Reply::answer().first_content_after(ms(300)),
        };
        let provider = |name: &str, by: u64| {
            Provider::new(name).replies((0..5000).map(|n| bad(n * by + n / 7)))
        };
        let (primary, second, third) =
            (provider("primary", 1), provider("secondary", 3), provider("third", 2));
        let log = EventLog::default();
        let hosts = Hosts::new([primary.clone(), second.clone(), third.clone()]);
        // Nothing else must hold attempts back.
        let off = BreakerPolicy::default()
            .consecutive_failures(None)
            .failure_ratio(None)
            .slow_ratio(None);
        let builder = parts.builder().profile(parts.profile().breaker(off));
        let client = log.attach_to(builder).build_with(wired(hosts, Seen::default())).unwrap();
        let start = Instant::now();
        let calls = (0..500_u32).map(|n| {
            let client = &client;
            async move {
                sleep_until(start + n * ms(400)).await;
                let mut request = chat(n % 2 == 0);
                let body = String::from_utf8(request.body().to_vec()).unwrap();
                *request.body_mut() = body.replace("parcel", &format!("parcel {n}")).into();
                read(client.send(request).await.unwrap()).await;
            }
        });
        join_all(calls).await;
        sleep(secs(60)).await;
        let mut answered = 0;
        let mut routes: BTreeMap<String, u64> = BTreeMap::new();
        for event in log.events() {
            if let EventKind::AttemptEnded { route, verdict, .. } = event {
                answered += u64::from(verdict.outcome().is_success());
                if !matches!(verdict.outcome(), Outcome::NotSent { .. }) {
                    *routes.entry(route.to_string()).or_default() += 1;
                }
            }
        }
        let sent: u64 = routes.values().sum();
        let entered = log
            .events()
            .iter()
            .filter(
                |event| matches!(event, EventKind::FallbackEntered { name, .. } if &**name != "canned"),
            )
            .count() as u64;
        println!(
            "pool {pool}: {sent} sent of {entered} asked, {} hedged, {} routes",
            log.count("hedged"),
            routes.len()
        );
        let most = entered * 6 / 5 + answered + 10 * routes.len() as u64;
        assert!(sent <= most, "{sent} of {entered}, {answered} answered");
        assert!(log.count("hedged") > 0 && sent > 500);
    }
}
