//! The metrics of a client: they add up to what callers and providers saw, their labels are bounded, and their names are those of
//! the dashboard and the alerts.

mod dashboard;
mod expressions;
mod recorded;

use std::collections::BTreeMap;

use evenkeel::{
    Client, ClientBuilder, Profile,
    breaker::CircuitState,
    cache::CachePolicy,
    context::{Fallbacks, Priority},
    fallback::{Fallback, Target},
    hedge::HedgePolicy,
    limit::{Concurrency, LimitPolicy},
    telemetry::{
        Event, EventKind, Metrics,
        metrics::{CATALOG, DURATION_BUCKETS},
    },
};
use evenkeel_testkit::{Fault, Provider, Reply};
use futures_util::future::join_all;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use recorded::Recorded;
use tokio::time::sleep;

use crate::support::{
    Answer, EventLog, call, chat, ms, over, pair, secondary, secs, state_of, with_body,
    with_extension, without_retries,
};

/// A client with metrics over a primary, a secondary named `second` and a canned reply, and the recorder of its metrics.
fn client(builder: ClientBuilder, providers: [&Provider; 2]) -> (Client, Recorded) {
    let recorded = Recorded::default();
    let builder = builder
        .observe(recorded.listener())
        .fallback(secondary().named("second"))
        .fallback(Fallback::canned("Please call us."));
    (over(builder, providers), recorded)
}

/// A client with metrics over one provider.
fn alone(builder: ClientBuilder, provider: &Provider) -> (Client, Recorded) {
    let recorded = Recorded::default();
    (over(builder.observe(recorded.listener()), [provider]), recorded)
}

// === an outage ===

/// Calls the client through a day on which first the primary and then both providers are down, and returns what callers saw.
async fn outage(client: &Client, [primary, second]: [&Provider; 2]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (phase, calls) in [20, 60, 40, 60].into_iter().enumerate() {
        let down = [[false, false], [true, false], [true, true], [false, false]][phase];
        for (provider, down) in [primary, second].into_iter().zip(down) {
            provider.set(if down { Reply::status(503) } else { Reply::answer() });
        }
        for at in 0..calls {
            answers.push(call(client, chat(at % 2 == 0)).await.unwrap());
            sleep(secs(1)).await;
        }
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_the_metrics_are_what_callers_and_attempt_logs_say() {
    let (primary, second) = pair();
    let log = EventLog::default();
    let (client, recorded) = client(log.attach_to(Client::builder()), [&primary, &second]);
    let answers = outage(&client, [&primary, &second]).await;
    let seen = recorded.snapshot();

    let mut served = BTreeMap::new();
    let mut attempts = BTreeMap::new();
    for answer in &answers {
        let log = answer.attempt_log.as_ref().unwrap();
        *served.entry(log.served_by().unwrap().to_string()).or_default() += 1.0;
        for attempt in log.attempts() {
            let name = attempt.name.unwrap().to_string();
            *attempts.entry((name, attempt.outcome.name().to_owned())).or_default() += 1.0;
        }
    }
    assert_eq!(seen.sums("evenkeel.calls", ["served_by", "outcome"]), {
        let success = |(name, count)| ((name, "success".to_owned()), count);
        served.clone().into_iter().map(success).collect::<BTreeMap<_, f64>>()
    });
    assert_eq!(seen.sums("evenkeel.attempts", ["route", "outcome"]), attempts);
    let [by_primary, by_second, canned] =
        ["primary", "second", "canned"].map(|name| served.get(name).copied().unwrap_or_default());
    assert!(by_primary >= 40.0 && by_second >= 40.0 && canned >= 30.0, "{served:?}");
    assert_eq!(seen.value("evenkeel.answers.degraded", &[("kind", "canned")]), Some(canned));
    assert_eq!(seen.count("evenkeel.call.duration"), answers.len());
    let sent = |((_, outcome), count): (&(String, String), &f64)| match outcome.as_str() {
        "refused" => 0.0,
        _ => *count,
    };
    let sent: f64 = attempts.iter().map(sent).sum();
    assert_eq!(seen.count("evenkeel.attempt.duration") as f64, sent);
    assert_eq!(sent, (primary.count() + second.count()) as f64);
    // The other listener of the same client has had every event too.
    assert_eq!(log.count("call_closed"), answers.len());
}

#[tokio::test(start_paused = true)]
async fn the_states_of_a_breaker_are_one_hot_and_follow_it() {
    let (primary, second) = pair();
    let recorded = Recorded::default();
    let builder = Client::builder().observe(recorded.listener()).fallback(secondary());
    let client = over(builder, [&primary, &second]);
    let states = |recorded: &Recorded| {
        let states = recorded.snapshot().sums("evenkeel.breaker.state", ["route", "state"]);
        let primary = states.into_iter().filter(|((route, _), _)| route == "primary");
        primary.map(|((_, state), value)| (state, value)).collect::<Vec<_>>()
    };
    primary.set(Reply::status(503));
    let mut calls = 0;
    while calls == 0 || state_of(&client, "primary") != CircuitState::Open {
        call(&client, chat(false)).await.unwrap();
        sleep(secs(1)).await;
        calls += 1;
    }
    assert_eq!(states(&recorded), [("open".to_owned(), 1.0)]);
    primary.set(Reply::answer());
    while state_of(&client, "primary") != CircuitState::Closed {
        sleep(secs(1)).await;
        call(&client, chat(false)).await.unwrap();
    }
    assert_eq!(states(&recorded), [("closed".to_owned(), 1.0)]);
    let seen = recorded.totals();
    let openings = seen.sums("evenkeel.breaker.openings", ["route", "cause"]);
    assert!(openings.keys().all(|(route, _)| route == "primary"), "{openings:?}");
    assert_eq!(openings.values().sum::<f64>(), 1.0, "{openings:?}");
}

// === before the first call ===

#[tokio::test(start_paused = true)]
async fn the_series_of_configured_targets_are_there_before_the_first_call() {
    let recorded = Recorded::default();
    let region = |host: &str| Target::new(format!("http://{host}/v1")).bearer("k");
    let builder = Client::builder()
        .observe(recorded.listener())
        .primaries(["west", "north"].map(region))
        .fallback(secondary().named("second"))
        .fallback(Fallback::canned("Please call us."));
    let _client = over(builder, [&Provider::new("west"), &Provider::new("north")]);
    let seen = recorded.snapshot();
    for route in ["primary/0", "primary/1", "second"] {
        let attempts = [("route", route), ("outcome", "unavailable"), ("hedge", "false")];
        assert_eq!(seen.value("evenkeel.attempts", &attempts), Some(0.0), "{route}");
        let state =
            |state| seen.value("evenkeel.breaker.state", &[("route", route), ("state", state)]);
        assert_eq!(["closed", "open"].map(state), [Some(1.0), Some(0.0)], "{route}");
        assert_eq!(seen.value("evenkeel.budget.left", &[("route", route)]), Some(1.0), "{route}");
    }
    let call = |served_by, outcome| {
        seen.value("evenkeel.calls", &[("served_by", served_by), ("outcome", outcome)])
    };
    assert_eq!((call("canned", "success"), call("none", "unavailable")), (Some(0.0), Some(0.0)));
    assert!(seen.labels().iter().all(|(_, value)| value != "canned/0" && value != "primary/2"));
}

#[tokio::test(start_paused = true)]
async fn each_of_several_equal_targets_is_a_route_of_its_own() {
    let providers = ["west", "north"].map(Provider::new);
    let recorded = Recorded::default();
    let region = |host: &str| Target::new(format!("http://{host}/v1")).bearer("k");
    let builder =
        Client::builder().observe(recorded.listener()).primaries(["west", "north"].map(region));
    let client = over(builder, [&providers[0], &providers[1]]);
    for _ in 0..10 {
        call(&client, chat(false)).await.unwrap();
    }
    let attempts = recorded.snapshot().sums("evenkeel.attempts", ["route", "outcome"]);
    for (at, provider) in providers.iter().enumerate() {
        let key = (format!("primary/{at}"), "success".to_owned());
        assert_eq!(attempts.get(&key).copied().unwrap_or_default(), provider.count() as f64);
    }
    assert_eq!(attempts.values().sum::<f64>(), 10.0);
}

// === what an answer is ===

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_while_it_is_read_is_no_success_and_its_tokens_are_wasted() {
    let cut = Reply::answer().words_per_event(1).with(Fault::Cut { words: 30 });
    let provider = Provider::new("primary").always(cut);
    let (client, recorded) = alone(Client::builder(), &provider);
    let answer = call(&client, chat(true)).await.unwrap();
    assert!(answer.error.is_some());
    let seen = recorded.snapshot();
    let calls = seen.sums("evenkeel.calls", ["served_by", "outcome"]);
    assert_eq!(
        calls.into_iter().collect::<Vec<_>>(),
        [(("primary".into(), "truncated".into()), 1.0)]
    );
    let attempts = seen.sums("evenkeel.attempts", ["route", "outcome"]);
    assert_eq!(attempts.into_values().sum::<f64>(), provider.count() as f64);
}

#[tokio::test(start_paused = true)]
async fn the_tokens_of_an_answer_are_counted_once() {
    for stream in [false, true] {
        let provider = Provider::new("primary");
        let (client, recorded) = alone(Client::builder(), &provider);
        call(&client, chat(stream)).await.unwrap().is_whole();
        let seen = recorded.snapshot();
        let tokens = seen.sums("evenkeel.tokens", ["route", "direction"]);
        let of = |direction: &str| tokens.get(&("primary".into(), direction.into())).copied();
        assert!(of("input") > Some(0.0) && of("output") > Some(0.0), "{tokens:?}");
        assert!(seen.sums("evenkeel.wasted_tokens", ["route", "cause"]).is_empty());
        assert_eq!(seen.count("evenkeel.first_content"), usize::from(stream));
    }
}

#[tokio::test(start_paused = true)]
async fn the_tokens_of_an_attempt_whose_answer_is_of_no_use_are_wasted() {
    let unfinished = br#"{"id":"a","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"malformed_function_call","message":{"role":"assistant","content":"x"}}],"usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":16}}"#;
    let reply = Reply::raw(200, "application/json", &unfinished[..]);
    let provider = Provider::new("primary").replies([reply]);
    let (client, recorded) = alone(Client::builder(), &provider);
    call(&client, chat(false)).await.unwrap().is_whole();
    let seen = recorded.snapshot();
    let wasted = seen.sums("evenkeel.wasted_tokens", ["route", "cause"]);
    assert_eq!(
        wasted.into_iter().collect::<Vec<_>>(),
        [(("primary".into(), "retry".into()), 16.0)]
    );
    assert!(
        seen.value("evenkeel.tokens", &[("route", "primary"), ("direction", "input")]) > Some(11.0)
    );
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_a_degraded_answer_is_counted() {
    let primary = Provider::new("primary");
    let recorded = Recorded::default();
    let profile = without_retries();
    let builder = Client::builder()
        .profile(profile)
        .observe(recorded.listener())
        .cache(CachePolicy::new())
        .fallback(Fallback::original_request().without_tools().named("no tools"))
        .fallback(Fallback::stored(secs(3600)))
        .fallback(Fallback::canned("Please call us."));
    let client = over(builder, [&primary]);
    call(&client, chat(false)).await.unwrap().is_whole();
    let kinds = |recorded: &Recorded| {
        let kinds = recorded.snapshot().sums("evenkeel.answers.degraded", ["kind", "kind"]);
        kinds.into_iter().map(|((kind, _), count)| (kind, count)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&recorded), []);
    primary.set(Reply::status(503));
    call(&client, chat(false)).await.unwrap();
    assert_eq!(kinds(&recorded), [("stale".to_owned(), 1.0)], "no stored answer counts as fresh");
    let other = with_body(r#"{"model":"m","messages":[{"role":"user","content":"another"}]}"#);
    call(&client, other).await.unwrap();
    assert_eq!(kinds(&recorded), [("canned".to_owned(), 1.0)]);
    let tools = r#"{"model":"m","messages":[{"role":"user","content":"third"}],"tools":[{"type":"function","function":{"name":"find"}}]}"#;
    let gone = Provider::new("primary").when_tool("find", Reply::status(503));
    let builder = Client::builder()
        .profile(without_retries())
        .observe(recorded.listener())
        .fallback(Fallback::original_request().without_tools().named("no tools"));
    call(&over(builder, [&gone]), with_body(tools)).await.unwrap().is_whole();
    assert_eq!(kinds(&recorded), [("edited".to_owned(), 1.0)]);
}

// === queues, budgets, rejections ===

#[tokio::test(start_paused = true)]
async fn the_queue_of_a_limit_is_counted_in_and_out_also_for_calls_that_are_cancelled() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(secs(2)));
    let limit = LimitPolicy::new().concurrency(Concurrency::Fixed(1));
    let (client, recorded) =
        alone(Client::builder().profile(Profile::interactive().limit(limit)), &provider);
    let batch = || with_extension(chat(false), Priority::Batch);
    let calls = [chat(false), chat(false), batch()].map(|request| {
        let client = client.clone();
        tokio::spawn(async move { call(&client, request).await.unwrap().is_whole() })
    });
    sleep(secs(1)).await;
    let waiting = recorded.snapshot();
    let queued = |priority| waiting.value("evenkeel.limit.queued", &[("priority", priority)]);
    assert_eq!((queued("interactive"), queued("batch")), (Some(1.0), Some(1.0)));
    let gave_up = tokio::time::timeout(ms(500), call(&client, chat(false))).await;
    assert!(gave_up.is_err(), "cancelled in the queue");
    join_all(calls).await.into_iter().for_each(|call| call.unwrap());
    // The recorder of this test forgets a gauge when it is read: what is left is the change since.
    let after = recorded.snapshot();
    let change = |priority| after.value("evenkeel.limit.queued", &[("priority", priority)]);
    assert_eq!((change("interactive"), change("batch")), (Some(-1.0), Some(-1.0)));
    assert_eq!(after.count("evenkeel.limit.waited"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_and_a_rate_limit_and_a_rejected_key_are_seen() {
    let provider = Provider::new("primary").always(Reply::status(503));
    let (client, recorded) = alone(Client::builder(), &provider);
    let calls = (0..4).map(|_| call(&client, chat(false)));
    join_all(calls).await;
    let left = recorded.snapshot().value("evenkeel.budget.left", &[("route", "primary")]).unwrap();
    assert!((0.0..0.9).contains(&left), "{left}");

    let provider = Provider::new("primary").always(Reply::rate_limited(Some(secs(40))));
    let (client, recorded) = alone(Client::builder(), &provider);
    call(&client, chat(false)).await.unwrap();
    let closed = recorded.snapshot().value("evenkeel.limit.closed", &[("route", "primary")]);
    assert_eq!(closed, Some(1.0));

    let provider = Provider::new("primary").always(Reply::error(
        401,
        "invalid_request_error",
        "invalid_api_key",
    ));
    let (client, recorded) = alone(Client::builder(), &provider);
    call(&client, chat(false)).await.unwrap();
    let seen = recorded.snapshot();
    let rejected = [("route", "primary"), ("cause", "credential")];
    assert_eq!(seen.value("evenkeel.rejections", &rejected), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_second_copy_is_an_attempt_of_its_own() {
    let provider = Provider::new("primary").always(Reply::answer().first_content_after(ms(200)));
    let profile = without_retries().hedge(HedgePolicy::default());
    let (client, recorded) = alone(Client::builder().profile(profile), &provider);
    for _ in 0..100 {
        call(&client, chat(true)).await.unwrap();
    }
    drop(provider.clone().replies([Reply::answer().first_content_after(secs(5))]));
    call(&client, chat(true)).await.unwrap().is_whole();
    let seen = recorded.snapshot();
    let hedges = seen.sums("evenkeel.attempts", ["hedge", "outcome"]);
    assert_eq!(hedges.get(&("true".into(), "success".into())), Some(&1.0), "{hedges:?}");
    assert_eq!(hedges.get(&("false".into(), "cancelled".into())), Some(&1.0), "{hedges:?}");
}

// === the conventions ===

#[tokio::test(start_paused = true)]
async fn a_call_is_in_the_metrics_of_the_conventions_once_whatever_it_took() {
    let provider = Provider::new("primary").replies([Reply::status(503)]);
    let (client, recorded) = alone(Client::builder(), &provider);
    call(&client, chat(true)).await.unwrap().is_whole();
    let seen = recorded.snapshot();
    let duration = "gen_ai.client.operation.duration";
    assert_eq!((seen.count(duration), provider.count()), (1, 2));
    assert_eq!(seen.count("gen_ai.client.operation.time_to_first_chunk"), 1);
    assert_eq!(seen.count("gen_ai.client.token.usage"), 2);
    let labels = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "m"),
        ("gen_ai.response.model", "m"),
    ];
    assert!(seen.value(duration, &labels).is_some(), "{:?}", seen.labels());
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_has_the_type_of_its_error_and_no_model_that_never_answered() {
    let provider = Provider::new("primary").always(Reply::status(503));
    let recorded = Recorded::default();
    let builder = Client::builder().observe(recorded.listener());
    call(&over(builder.clone(), [&provider]), chat(false)).await.unwrap();
    call(&over(builder.fallback(Fallback::canned("x")), [&provider]), chat(false)).await.unwrap();
    let seen = recorded.snapshot();
    let labels = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "other"),
        ("error.type", "unavailable"),
    ];
    let duration = "gen_ai.client.operation.duration";
    assert!(seen.value(duration, &labels).is_some(), "{:?}", seen.labels());
    assert_eq!(seen.count(duration), 1, "the canned reply is no operation of a provider");
}

// === labels ===

#[tokio::test(start_paused = true)]
async fn no_label_has_content_a_key_or_a_url_or_what_a_caller_named() {
    let (primary, second) = pair();
    let (client, recorded) = client(Client::builder(), [&primary, &second]);
    let secret = "sk-caller-7f";
    for at in 0..40 {
        let reply = match at % 4 {
            0 => Reply::status(503),
            1 => Reply::rate_limited(None),
            2 => Reply::error(404, "invalid_request_error", "model_not_found"),
            _ => Reply::answer(),
        };
        primary.set(reply);
        let body = format!(
            r#"{{"model":"caller-model-{at}","stream":{},"messages":[{{"role":"user","content":"my secret question"}}]}}"#,
            at % 2 == 0
        );
        let mut request = with_body(body);
        let key = format!("Bearer {secret}-{at}").parse().unwrap();
        request.headers_mut().insert("authorization", key);
        call(&client, request).await.unwrap();
    }
    let seen = recorded.snapshot();
    let models = |name: &str| name.ends_with(".model");
    let of_conventions = seen.labels().into_iter().filter(|(name, _)| models(name)).count();
    assert!(of_conventions <= 2 * 65, "{of_conventions}");
    for (name, value) in seen.labels().into_iter().filter(|(name, _)| !models(name)) {
        let forbidden =
            ["caller-model", "sk-", "secret", "question", "://", "the-second-key", "v1"];
        let found = forbidden.iter().find(|text| value.contains(**text));
        assert_eq!(found, None, "{name}=\"{value}\"");
    }
    let routes: Vec<_> = seen.values_of("route").into_iter().collect();
    assert_eq!(routes, ["primary", "second"]);
}

#[tokio::test(start_paused = true)]
async fn beyond_256_names_further_routes_are_other() {
    let (primary, second) = pair();
    let (client, recorded) = client(Client::builder(), [&primary, &second]);
    primary.set(Reply::status(400));
    let names = Metrics::MAX_ROUTES + 40;
    for at in 0..names {
        let target = Target::new("http://secondary/v1").bearer("k").model(&format!("own-{at}"));
        let own = Fallbacks::new([Fallback::target(target)]).unwrap();
        primary.set(Reply::status(503));
        call(&client, with_extension(chat(false), own)).await.unwrap();
    }
    let routes = recorded.snapshot().values_of("route");
    assert!(routes.contains("primary") && routes.contains("second"), "the configured ones");
    assert!(routes.contains("other"));
    assert_eq!(routes.len(), Metrics::MAX_ROUTES - 1 + 1, "canned has no route");
}

#[tokio::test(start_paused = true)]
async fn beyond_64_models_further_ones_are_other_and_one_that_never_answered_is_none() {
    let provider = Provider::new("primary");
    let (client, recorded) = alone(Client::builder(), &provider);
    let request = |model: String| {
        with_body(format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#))
    };
    for at in 0..100 {
        call(&client, request(format!("model-{at}"))).await.unwrap();
    }
    provider.set(Reply::status(400));
    call(&client, request("never".into())).await.unwrap();
    let models = recorded.snapshot().values_of("gen_ai.request.model");
    assert_eq!(models.len(), 64 + 1, "{models:?}");
    assert!(models.contains("other") && models.contains("model-0") && !models.contains("never"));
}

// === several clients ===

#[tokio::test(start_paused = true)]
async fn each_client_counts_and_the_worst_breaker_shows_until_its_client_is_dropped() {
    let (failing, healthy) = (Provider::new("primary"), Provider::new("primary"));
    failing.set(Reply::status(503));
    let recorded = Recorded::default();
    let client = |provider| over(Client::builder().observe(recorded.listener()), [provider]);
    let (one, other) = (client(&failing), client(&healthy));
    let mut calls = 0;
    while calls == 0 || state_of(&one, "primary") != CircuitState::Open {
        call(&one, chat(false)).await.unwrap_or_else(|error| panic!("{error}"));
        call(&other, chat(false)).await.unwrap().is_whole();
        sleep(secs(1)).await;
        calls += 1;
    }
    let seen = recorded.snapshot();
    let state = |state| [("route", "primary"), ("state", state)];
    assert_eq!(seen.value("evenkeel.breaker.state", &state("open")), Some(1.0));
    let outcomes = seen.sums("evenkeel.calls", ["outcome", "outcome"]);
    assert_eq!(outcomes.values().sum::<f64>(), f64::from(2 * calls), "{outcomes:?}");
    drop(one);
    let seen = recorded.snapshot();
    assert_eq!(seen.value("evenkeel.breaker.state", &state("closed")), Some(1.0));
    assert_eq!(seen.value("evenkeel.breaker.state", &state("open")), Some(0.0));
}

// === Prometheus ===

#[tokio::test(start_paused = true)]
async fn an_exporter_renders_the_names_that_the_catalog_says() {
    let builder = PrometheusBuilder::new()
        .with_recommended_naming(true)
        .set_buckets_for_metric(Matcher::Suffix("duration".into()), &DURATION_BUCKETS)
        .unwrap();
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    let (primary, second) = pair();
    primary.set(Reply::answer().head_after(ms(10)));
    let builder =
        Client::builder().observe(Metrics::with_recorder(recorder)).fallback(secondary()).profile(
            Profile::interactive().limit(LimitPolicy::new().concurrency(Concurrency::Fixed(1))),
        );
    let client = over(builder, [&primary, &second]);
    join_all((0..2).map(|_| call(&client, chat(true)))).await;
    let text = handle.render();
    let types: BTreeMap<_, _> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    for metric in CATALOG {
        let name = metric.prometheus_name();
        let kind = format!("{:?}", metric.kind).to_lowercase();
        let found = types.get(name.as_str()).copied();
        let matches =
            found == Some(kind.as_str()) || found == Some("summary") && kind == "histogram";
        assert!(matches, "{name}: {found:?} in {types:?}");
    }
    assert_eq!(types.len(), CATALOG.len(), "{types:?}");
    assert!(text.contains("evenkeel_call_duration_seconds_bucket{"), "{text}");
}

// === listeners ===

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_takes_none_of_the_others_along() {
    let provider = Provider::new("primary");
    let recorded = Recorded::default();
    let builder = Client::builder()
        .observe(|event: &Event| assert!(matches!(event.kind, EventKind::CacheFailed)))
        .observe(recorded.listener());
    let client = over(builder, [&provider]);
    call(&client, chat(false)).await.unwrap().is_whole();
    let calls = recorded.snapshot().sums("evenkeel.calls", ["served_by", "outcome"]);
    assert_eq!(calls.values().sum::<f64>(), 1.0);
}
