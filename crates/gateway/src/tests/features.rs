//! Features of the configuration: equal targets, limits, hedges, stored answers, edits, continued streams.

use std::time::Duration;

use evenkeel_testkit::{Fault, Provider, Reply, WORDS};
use tokio::time::Instant;

use super::{
    failures::seen,
    support::{
        Models, QUICK, RecordingUpstream, TestGateway, client, gateway_of_equals, gateway_with,
    },
};

/// A gateway in front of that upstream, with these lines added to its file.
async fn with(models: &Models, toml: &str) -> TestGateway {
    let url = models.serve().await;
    gateway_with(&format!("{}\n{QUICK}", toml.replace("URL", &url)), &["--upstream", &url]).await
}

#[tokio::test]
async fn equal_targets_share_a_fallback_and_calls_of_one_key_stay_at_one_of_them() {
    let models = Models::default();
    let gateway = gateway_of_equals(&models).await;
    for n in 0..20 {
        let (status, fallback, ..) = seen(gateway.chat("any", n % 2 == 0)).await;
        assert_eq!((status, fallback.as_str()), (200, "all"));
    }
    let both = [models.of("m1").count(), models.of("m2").count()];
    assert!(both.iter().all(|count| *count > 0) && both.iter().sum::<u64>() == 20, "{both:?}");
    for _ in 0..10 {
        seen(gateway.chat("any", true).header("evenkeel-sticky", "talk-7")).await;
    }
    let more = [models.of("m1").count() - both[0], models.of("m2").count() - both[1]];
    assert!(more.contains(&10), "{more:?}");
    // The caller's own model is requested from both, too.
    for provider in [models.of("m1"), models.of("m2")] {
        provider.set(Reply::status(503));
    }
    let (status, fallback, ..) =
        seen(gateway.chat("any", true).header("evenkeel-fallbacks", "own")).await;
    assert_eq!((status, fallback.as_str()), (200, "own"));
    assert!(
        gateway.health().await["routes"].to_string().contains("t1"),
        "a key is told by its name"
    );
}

#[tokio::test]
async fn an_answer_is_stored_for_its_caller_and_given_in_an_outage() {
    let models = Models::default();
    let gateway = with(&models, "[[stored]]\nname = \"stored\"\nage = 60\n").await;
    let (_, fallback, _, first) = seen(gateway.chat("m", false)).await;
    assert_eq!((fallback.as_str(), first.as_str()), ("primary", WORDS));
    models.of("m").set(Reply::status(503));
    let (status, fallback, _, said) = seen(gateway.chat("m", false)).await;
    assert_eq!((status, fallback.as_str(), said.as_str()), (200, "stored", WORDS));
    let other = gateway.chat("m", false).header("authorization", "").bearer_auth("another-caller");
    assert_eq!(other.send().await.unwrap().status(), 503, "it is nobody else's");
}

#[tokio::test]
async fn a_fresh_answer_is_given_in_place_of_a_call() {
    let models = Models::default();
    let gateway = with(&models, "[cache]\nserve_fresh_for = 60\ncoalesce = true\n").await;
    for _ in 0..3 {
        assert_eq!(seen(gateway.chat("m", false)).await.3, WORDS);
    }
    assert_eq!(models.of("m").count(), 1);
}

#[tokio::test]
async fn a_fallback_asks_less_and_is_passed_by_where_a_call_needs_more() {
    let models = Models::default().always("m", Reply::status(503));
    let toml = "[[target]]\nname = \"blind\"\nmodel = \"blind\"\nvision = false\n[[target]]\nname = \"short\"\nmodel = \"short\"\nmax_tokens = 50\nwithout_tools = true\n";
    let gateway = with(&models, toml).await;
    let body = r#"{"model":"m","max_tokens":900,"tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]}"#;
    let (status, fallback, ..) = seen(gateway.chat("m", false).body(body)).await;
    assert_eq!((status, fallback.as_str(), models.of("blind").count()), (200, "short", 0));
    let sent = models.of("short").attempts()[0].clone();
    assert_eq!((sent.max_tokens, sent.tools), (Some(50), false));
}

#[tokio::test]
async fn a_stream_that_breaks_goes_on_at_a_target_that_takes_a_prefill() {
    let cut = Reply::answer().with(Fault::Cut { words: 40 });
    let models = Models::default().always("m", cut);
    let toml = "mid_stream_failure = \"continue\"\n[[target]]\nname = \"goes-on\"\nmodel = \"n\"\nprefill = \"message\"\n";
    let gateway = with(&models, toml).await;
    let (status, fallback, _, said) = seen(gateway.chat("m", true)).await;
    assert_eq!((status, fallback.as_str(), models.of("n").count()), (200, "primary", 1));
    assert!(said.starts_with(&WORDS[..100]) && said.len() >= WORDS.len(), "{said}");
}

#[tokio::test]
async fn a_limit_makes_calls_wait_and_is_told() {
    let slow = Reply::answer().head_after(Duration::from_millis(300));
    let models = Models::default().always("m", slow.clone()).always("n", slow);
    let toml = "[traffic]\nconcurrency = 8\n[[traffic.model]]\nname = \"m\"\nconcurrency = 1\n";
    let gateway = with(&models, toml).await;
    let begun = Instant::now();
    let (one, two) = tokio::join!(
        seen(gateway.chat("m", false)),
        seen(gateway.chat("m", false).header("evenkeel-priority", "batch"))
    );
    assert_eq!((one.0, two.0), (200, 200));
    assert!(begun.elapsed() >= Duration::from_millis(590), "one after the other");
    seen(gateway.chat("n", false)).await;
    let limits = gateway.health().await["limits"].clone();
    let of = |at: usize| (limits[at]["model"].clone(), limits[at]["concurrency"].clone());
    assert_eq!([of(0), of(1)], [("m".into(), 1.into()), ("n".into(), 8.into())]);
    assert_eq!((&limits[0]["waiting"], &limits[0]["in_flight"]), (&0.into(), &0.into()));
}

#[tokio::test]
async fn late_calls_have_a_second_copy_where_that_is_set() {
    let mut replies = vec![Reply::answer(); 25];
    replies.push(Reply::answer().head_after(Duration::from_millis(900)));
    let models = Models::default().with("m", Provider::new("m").replies(replies));
    let gateway = with(&models, "[traffic]\nhedge = 1.0\n").await;
    for _ in 0..26 {
        assert_eq!(seen(gateway.chat("m", false)).await.0, 200);
    }
    assert!(models.of("m").count() >= 27, "{}", models.of("m").count());
}

#[tokio::test]
async fn answers_at_a_path_of_the_targets_own_are_judged_in_its_dialect() {
    let error = r#"{"error":{"message":"down","type":"server_error","code":"server_error"}}"#;
    let failed = move || {
        let answer = http::Response::builder().header("content-type", "application/json");
        answer.body(error.into()).unwrap()
    };
    for (dialect, status) in [("", 200), ("dialect = \"openai-chat\"\n", 503)] {
        let url = RecordingUpstream::default().answering(failed).await;
        let toml = format!("[[target]]\nname = \"odd\"\nbase_url = \"{url}\"\n{dialect}{QUICK}");
        let gateway = gateway_with(&toml, &[]).await;
        let request = client().post(gateway.at("/custom/complete")).body(r#"{"messages":[]}"#);
        assert_eq!(request.send().await.unwrap().status(), status, "{dialect}");
    }
}
