//! A rehearsal asks every target once, as a call would, and touches nothing that calls share.

use std::time::Duration;

use evenkeel::{
    Client, Profile, Rehearsal, Request,
    breaker::CircuitState,
    cache::CachePolicy,
    dialect::Operation,
    fallback::{
        Canned, Capabilities, Compatibility, Edit, Fallback, FallbackOn, FallbackPolicy, Fallbacks,
        Target,
    },
    limit::LimitPolicy,
    outcome::{Outcome, Phase},
    rehearsal::{CannedFault, Finding, RehearsedTarget, Shortfall},
    telemetry::SkipReason,
};
use evenkeel_testkit::{Hosts, Provider, Reply, Strict};
use tokio::time::Instant;

use crate::support::{
    EventLog, call, chat, ms, over, pair, secondary, secs, with_body, with_extension,
};

fn target(name: &str) -> Target {
    Target::new(format!("http://{name}/v1")).bearer(&format!("the key of {name}"))
}

fn row(rehearsal: &Rehearsal, at: usize) -> &RehearsedTarget {
    rehearsal.iter().nth(at).expect("there is such a row")
}

fn failed(target: &RehearsedTarget) -> Outcome {
    match &target.finding {
        Finding::Failed(verdict) => verdict.outcome(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_target_is_asked_once_by_its_own_url_key_and_model() {
    let providers = ["primary", "west", "east", "spare"].map(Provider::new);
    let [primary, west, east, spare] = &providers;
    let slow = Reply::answer().head_after(ms(30)).first_content_after(ms(70));
    spare.set(slow);
    let builder = Client::builder()
        .fallback(Fallback::targets([target("west"), target("east").model("big")]).named("regions"))
        .fallback(Fallback::target(target("spare").model("small")).on([FallbackOn::TooLarge]))
        .cache(CachePolicy::new())
        .fallback(Fallback::stored(secs(60)))
        .fallback(Fallback::canned("We are very busy."));
    let client = over(builder, [primary, west, east, spare]);
    let rehearsal = client.rehearse(&chat(true)).await;
    assert!(rehearsal.all_ok(), "{rehearsal}");
    let rows: Vec<_> = rehearsal.iter().map(|row| (row.fallback, &*row.name, row.target)).collect();
    let expected = [
        (0, "primary", None),
        (1, "regions", Some(0)),
        (1, "regions", Some(1)),
        (2, "small", None),
        (3, "stored", None),
        (4, "canned", None),
    ];
    assert_eq!(rows, expected);
    for (provider, model, key) in [
        (primary, "m", "Bearer the-first-key"),
        (west, "m", "Bearer the key of west"),
        (east, "big", "Bearer the key of east"),
        (spare, "small", "Bearer the key of spare"),
    ] {
        let [attempt] = &provider.attempts()[..] else {
            panic!("{} was asked once", provider.name())
        };
        assert_eq!(
            (attempt.model.as_deref(), &*attempt.path),
            (Some(model), "/v1/chat/completions")
        );
        assert!(attempt.headers.is("authorization", key), "{}", provider.name());
    }
    let spare = row(&rehearsal, 3);
    assert_eq!((spare.head_after, spare.answer_after), (Some(ms(30)), Some(ms(100))));
    assert_eq!(spare.route.as_ref().map(|route| route.model().to_owned()), Some("small".into()));
    assert!(matches!(row(&rehearsal, 4).finding, Finding::NotAsked));
    assert!(matches!(row(&rehearsal, 5).finding, Finding::Rendered));
    assert_eq!(rehearsal.into_iter().count(), 6);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_target_is_reported_and_the_others_are_asked_all_the_same() {
    let names = ["primary", "keyless", "nowhere", "silent", "gone", "fine"];
    let providers = names.map(Provider::new);
    let [_, keyless, _, silent, gone, _] = &providers;
    let keyless = keyless.clone().requires("another key");
    silent.set(Reply::hang());
    gone.set(Reply::refused());
    let nowhere = Target::new("http://nowhere/v2/api").bearer("k").endpoint("/chat/completions");
    let builder = Client::builder()
        .fallback(Fallback::target(target("keyless")))
        .fallback(Fallback::target(nowhere))
        .fallback(Fallback::target(target("silent")))
        .fallback(Fallback::target(target("gone")))
        .fallback(Fallback::target(target("fine")));
    let client =
        over(builder, [&providers[0], &keyless, &providers[2], silent, gone, &providers[5]]);
    let began = Instant::now();
    let rehearsal = client.rehearse(&chat(false)).await;
    assert!(began.elapsed() <= secs(21), "the silent target has the limit of an attempt");
    assert!(!rehearsal.all_ok());
    let ok: Vec<_> = rehearsal.iter().map(RehearsedTarget::is_ok).collect();
    assert_eq!(ok, [true, false, false, false, false, true]);
    let hints: Vec<_> = rehearsal.iter().map(RehearsedTarget::hint).collect();
    assert_eq!(hints[1], Some("check its key"));
    assert_eq!(hints[2], Some("check its base URL and its model"));
    assert_eq!(failed(row(&rehearsal, 3)), Outcome::TimedOut { phase: Phase::Attempt });
    assert_eq!(failed(row(&rehearsal, 4)), Outcome::Unreachable);
    assert_eq!(row(&rehearsal, 1).status.map(|status| status.as_u16()), Some(401));
    let table = rehearsal.to_string();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 7, "{table}");
    assert!(lines[0].starts_with("target") && lines[0].ends_with("result"), "{table}");
    assert!(lines[1].ends_with("  ok"), "{table}");
    assert!(
        lines[2].contains("invalid_api_key") && lines[2].ends_with("status 401; check its key"),
        "{table}"
    );
    assert!(lines[3].contains("status 404"), "{table}");
    // The columns are aligned.
    let at = lines[0].find("result").expect("it is the last column");
    assert!(
        lines[1..].iter().all(|line| line.is_char_boundary(at) && line.as_bytes()[at - 1] == b' '),
        "{table}"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_that_calls_share_is_asked_or_changed() {
    let (primary, other) = pair();
    let events = EventLog::default();
    let profile = Profile::interactive().limit(LimitPolicy::new().requests(1));
    let builder =
        Client::builder().profile(profile).fallback(secondary()).cache(CachePolicy::new());
    let client = over(events.attach_to(builder), [&primary, &other]);
    let routes = client.routes_of(&chat(false));
    for _ in 0..30 {
        assert!(
            client.rehearse(&chat(false)).await.all_ok(),
            "a limit of one a minute holds nothing back"
        );
    }
    assert_eq!((primary.count(), other.count()), (30, 30));
    assert!(client.breakers().list().is_empty() && client.limits().list().is_empty());
    assert!(events.events().is_empty(), "{:?}", events.events());

    // A failure counts for no breaker, and an open one refuses nothing.
    primary.set(Reply::status(503));
    for _ in 0..30 {
        assert!(!client.rehearse(&chat(false)).await.all_ok());
    }
    assert!(client.availability(&routes[0]).is_clear(), "{:?}", client.availability(&routes[0]));
    primary.set(Reply::answer());
    assert!(call(&client, chat(false)).await.unwrap().status.is_success());
    assert!(client.breakers().force_open(&routes[0]));
    let asked = primary.count();
    assert!(client.rehearse(&chat(false)).await.all_ok());
    assert_eq!(primary.count(), asked + 1);
    assert_eq!(
        client.breakers().of(&routes[0]).snapshot(Instant::now()).state,
        CircuitState::ForcedOpen
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_that_a_call_would_skip_is_not_asked_and_what_it_lacks_is_named() {
    let (primary, other) = pair();
    let small = |name: &str| Fallback::target(Target::new("http://secondary/v1").model(name));
    let builder = Client::builder()
        .fallback(small("a").capabilities(Capabilities::default().context(10).tools(false)))
        .fallback(small("b").capabilities(Capabilities::default().vision(false).json(false)))
        .fallback(small("c").edit(Edit::new().fit_context(256)));
    let client = over(builder, [&primary, &other]);
    let long = "word ".repeat(1000);
    let body = format!(
        r#"{{"model":"m","response_format":{{"type":"json_object"}},"tools":[{{"type":"function","function":{{"name":"f"}}}}],"messages":[{{"role":"user","content":[{{"type":"text","text":"{long}"}},{{"type":"image_url","image_url":{{"url":"http://x/y.png"}}}}]}}]}}"#
    );
    let rehearsal = client.rehearse(&with_body(body)).await;
    assert_eq!(other.count(), 0, "{rehearsal}");
    let lacks = |at: usize| match &row(&rehearsal, at).finding {
        Finding::Skipped { reason: SkipReason::Capability, shortfalls, .. } => shortfalls.clone(),
        other => panic!("{other:?}"),
    };
    assert!(
        matches!(lacks(1)[..], [Shortfall::Tools, Shortfall::Context { offered: 10, .. }]),
        "{:?}",
        lacks(1)
    );
    assert_eq!(lacks(2), [Shortfall::Vision, Shortfall::Json]);
    assert!(matches!(lacks(3)[..], [Shortfall::Context { offered: 256, .. }]), "{:?}", lacks(3));
    assert!(!rehearsal.all_ok());
    let line = row(&rehearsal, 2).to_string();
    assert_eq!(line, "SKIPPED: the request needs images, an answer in JSON");
}

#[tokio::test(start_paused = true)]
async fn edits_and_compatibility_are_applied_and_reported() {
    let (primary, other) = pair();
    let other = other.strict(Strict::Mistral);
    let mistral = Target::new("http://secondary/v1").compatibility(Compatibility::Mistral);
    let fallback = Fallback::target(mistral).edit(Edit::new().max_tokens(64));
    let client = over(Client::builder().fallback(fallback), [&primary, &other]);
    let body = r#"{"model":"m","store":false,"seed":1,"max_tokens":500,"messages":[{"role":"user","content":"hi"}]}"#;
    let rehearsal = client.rehearse(&with_body(body)).await;
    assert!(rehearsal.all_ok(), "{rehearsal}");
    let edits = &row(&rehearsal, 1).edits;
    assert!(edits.capped && edits.fields.iter().any(|field| &**field == "store"), "{edits:?}");
    assert_eq!(other.attempts()[0].max_tokens, Some(64));
    assert!(!row(&rehearsal, 0).edits.changed, "the first target gets the request as it came");
    assert!(
        row(&rehearsal, 1).to_string().starts_with("ok (answer limited, changed: "),
        "{rehearsal}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_first_group_is_asked_again_without_a_field_that_it_rejects_as_in_a_call() {
    let provider = Provider::new("west").strict(Strict::OpenAiReasoning);
    let both = [target("west"), target("west").label("second")];
    let client = over(Client::builder().primaries(both), [&provider]);
    let body = r#"{"model":"m","max_tokens":500,"messages":[{"role":"user","content":"hi"}]}"#;
    let rehearsal = client.rehearse(&with_body(body)).await;
    assert!(rehearsal.all_ok(), "{rehearsal}");
    assert_eq!(provider.count(), 4, "each once more");
}

#[tokio::test(start_paused = true)]
async fn a_canned_reply_is_made_and_checked() {
    let primary = Provider::new("primary");
    let json = r#"{"model":"m","response_format":{"type":"json_object"},"messages":[{"role":"user","content":"hi"}]}"#;
    let odd = || {
        let mut request: Request = chat(false);
        *request.uri_mut() = "http://primary/v1/embeddings".parse().unwrap();
        request
    };
    for (canned, request, expected) in [
        (Canned::text("busy"), chat(false), None),
        (Canned::from_request(|_| "\n".into()), chat(true), Some(CannedFault::Blank)),
        (Canned::from_request(|_| panic!("on purpose")), chat(true), Some(CannedFault::Panicked)),
        (Canned::text("busy"), with_body(json), Some(CannedFault::NotJson)),
        (Canned::text(r#"{"answer":"busy"}"#), with_body(json), None),
        (Canned::text("busy"), odd(), Some(CannedFault::Dialect)),
    ] {
        let client = over(Client::builder().fallback(Fallback::reply(canned)), [&primary]);
        let rehearsal = client.rehearse(&request).await;
        let found = match row(&rehearsal, 1).finding {
            Finding::Rendered => None,
            Finding::NotRendered(fault) => Some(fault),
            ref other => panic!("{other:?}"),
        };
        assert_eq!((found, rehearsal.all_ok()), (expected, expected.is_none()), "{rehearsal}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_number_of_silent_targets_is_asked_eight_at_a_time_each_within_its_limit() {
    let provider = Provider::new("west").always(Reply::hang());
    let targets = (0..20).map(|n| target("west").model(&format!("m{n}")));
    let client = over(Client::builder().primaries(targets), [&provider]);
    let began = Instant::now();
    let rehearsing = tokio::spawn(async move { client.rehearse(&chat(false)).await });
    tokio::time::sleep(secs(1)).await;
    assert_eq!(provider.in_flight(), 8);
    let rehearsal = rehearsing.await.unwrap();
    assert_eq!(rehearsal.iter().count(), 20);
    assert!(rehearsal.iter().all(|row| matches!(failed(row), Outcome::TimedOut { .. })));
    assert!(began.elapsed() <= secs(61), "{:?}", began.elapsed());
    let order: Vec<_> = rehearsal.iter().filter_map(|row| row.target).collect();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_that_is_dropped_ends_its_requests() {
    let provider = Provider::new("primary").always(Reply::hang());
    let client = over(Client::builder(), [&provider]);
    let request = chat(false);
    let dropped = tokio::time::timeout(secs(1), client.rehearse(&request)).await;
    assert!(dropped.is_err());
    tokio::time::sleep(ms(1)).await;
    assert_eq!((provider.in_flight(), provider.cancelled()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn of_a_stream_the_first_content_is_awaited_and_the_rest_is_left() {
    let endless = Reply::answer().with(evenkeel_testkit::Fault::Endless { every: ms(100) });
    let provider = Provider::new("primary").always(endless);
    let client = over(Client::builder(), [&provider]);
    let began = Instant::now();
    assert!(client.rehearse(&chat(true)).await.all_ok());
    assert!(began.elapsed() < secs(1), "{:?}", began.elapsed());
    assert_eq!(provider.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_fallbacks_of_a_call_and_what_it_is_bound_to_count_as_in_a_call() {
    let providers = ["primary", "own", "secondary"].map(Provider::new);
    let [primary, own, other] = &providers;
    let client = over(Client::builder().fallback(secondary()), [primary, own, other]);
    let fallbacks = Fallbacks::new([Fallback::target(target("own"))]).unwrap();
    let rehearsal = client.rehearse(&with_extension(chat(false), fallbacks)).await;
    assert_eq!(rehearsal.iter().count(), 3);
    assert_eq!((own.count(), other.count()), (1, 1));
    let mut vectors = chat(false);
    *vectors.uri_mut() = "http://primary/v1/embeddings".parse().unwrap();
    let rehearsal = client.rehearse(&vectors).await;
    let skipped = &row(&rehearsal, 1).finding;
    assert!(matches!(skipped, Finding::Skipped { reason: SkipReason::Bound, .. }), "{skipped:?}");
    assert_eq!(other.count(), 1, "another model's vectors are of no use");
    let takes = secondary().operations([Operation::Embeddings]);
    let client = over(Client::builder().fallback(takes), [primary, other]);
    client.rehearse(&vectors).await;
    assert_eq!(other.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failing_transport_is_a_finding_and_no_output_has_a_secret_or_a_text() {
    let wrong = Reply::error(400, "invalid_request_error", "SecretMark in a code?");
    let primary = Provider::new("primary").always(wrong);
    let policy = FallbackPolicy::new().first(
        Fallback::target(Target::new("http://primary/v1?key=SecretMark").bearer("SecretMark"))
            .named("first"),
    );
    let client = over(
        Client::builder().fallback_policy(policy).fallback(Fallback::target(target("nowhere"))),
        [&primary],
    );
    let body = r#"{"model":"m","messages":[{"role":"user","content":"SecretMark"}]}"#;
    let rehearsal = client.rehearse(&with_body(body)).await;
    assert_eq!(failed(row(&rehearsal, 1)), Outcome::Unreachable);
    assert_eq!(row(&rehearsal, 1).hint(), Some("check its base URL, and the network to it"));
    for text in [rehearsal.to_string(), format!("{rehearsal:?}"), format!("{client:?}")] {
        assert!(!text.contains("SecretMark"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_bounds_each_target() {
    let provider = Provider::new("primary").always(Reply::hang());
    let profile = Profile::interactive().deadline(Duration::from_millis(200));
    let client = Client::builder().profile(profile).build_with(Hosts::new([provider])).unwrap();
    let began = Instant::now();
    let rehearsal = client.rehearse(&chat(true)).await;
    assert!(matches!(failed(row(&rehearsal, 0)), Outcome::TimedOut { .. }));
    assert!(began.elapsed() <= ms(210), "{:?}", began.elapsed());
}
