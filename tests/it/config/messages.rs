//! What cannot work is refused, in words that say what is right: configuration by configuration, with the whole message.

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, Profile,
    balance::BalancePolicy,
    cache::CachePolicy,
    classify::ClassifyPolicy,
    fallback::{Capabilities, Edit, Fallback, Prefill, Target},
    hedge::HedgePolicy,
    limit::{Concurrency, LimitPolicy},
    retry::RetryPolicy,
    stream::MidStreamFailure,
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::Provider;
use http::{HeaderName, header};
use proptest::prelude::*;

use super::{breaker, fallbacks, limit, of, refused, retry, timeout};
use crate::support::{secondary, secs};

const BASE: &str = "https://api.example.com/v1";
const URL: &str = "an http or https URL with a host, such as https://api.example.com/v1";
const NO_CALL: &str = "the base of the API without the path of a call, such as https://api.example.com/v1; an unusual path is \
    named by endpoint()";
const OTHER: &str = "another host, model, credential, label or edit than fallbacks[1] has: it would repeat a request that has \
    just failed, which RetryPolicy::retries is for";

fn to(target: Target) -> ClientBuilder {
    fallbacks(Fallback::target(target))
}

fn at(base: &str) -> ClientBuilder {
    to(Target::new(base))
}

fn bearer(key: &str) -> ClientBuilder {
    to(Target::new(BASE).bearer(key))
}

fn interactive() -> Profile {
    Profile::interactive()
}

/// Asserts the whole message of each.
#[track_caller]
fn messages<const N: usize>(cases: [(ClientBuilder, &str, String); N]) {
    for (builder, found, allowed) in cases {
        assert_eq!(refused(builder).to_string(), format!("{found}; allowed is {allowed}"));
    }
}

#[test]
fn a_base_url_that_no_call_would_arrive_at_is_refused() {
    let value = |url: &str| format!("fallbacks[1].base_url is {url:?}");
    for (url, allowed) in [
        ("https://api.example.com/v1/chat/completions", NO_CALL),
        ("https://api.example.com/v1/chat/completions/", NO_CALL),
        ("https://api.example.com/v1/chat", NO_CALL),
        ("https://api.example.com/v1/embeddings", NO_CALL),
        ("https://api.example.com/v1/models", NO_CALL),
        ("https://api.example.com/v1/responses", NO_CALL),
        ("https://api.example.com/v1/messages", NO_CALL),
        ("https://api.example.com/messages", NO_CALL),
        ("http://localhost:11434/api/chat", NO_CALL),
        ("https://api.example.com/v1beta/models/gemini-3:generateContent", NO_CALL),
        ("https://api.example.com/v1beta/models/gemini-3", NO_CALL),
        ("api.example.com/v1", URL),
        ("/v1", URL),
        ("", URL),
        ("https://", URL),
        ("ftp://api.example.com/v1", URL),
        ("wss://api.example.com/v1", URL),
        (" https://api.example.com/v1", URL),
        ("https://api.example.com/v1\n", URL),
        (
            "https://api.example.com/{deployment}/v1",
            "a URL without placeholders, such as https://api.example.com/v1",
        ),
    ] {
        let message = refused(at(url)).to_string();
        assert_eq!(message, format!("{}; allowed is {allowed}", value(url)));
    }
    messages([
        (
            at("https://api.example.com/v1#chat"),
            r#"fallbacks[1].base_url is "https://api.example.com/v1" with a fragment"#,
            "a URL without a fragment (#…): a fragment is never sent".into(),
        ),
        (
            at("https://me:secret@api.example.com/v1"),
            r#"fallbacks[1].base_url is "https://…@api.example.com/v1""#,
            "a URL without a user: set the credential by bearer() or credential()".into(),
        ),
    ]);
}

#[test]
fn a_base_url_of_any_real_provider_is_taken() {
    for base in [
        "https://api.openai.com/v1",
        "https://api.anthropic.com",
        "https://generativelanguage.googleapis.com/v1beta",
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        "https://name.services.ai.azure.com/models",
        "https://name.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
        "https://models.github.ai/inference",
        "https://openrouter.ai/api/v1",
        "https://api.groq.com/openai/v1",
        "https://integrate.api.nvidia.com/v1",
        "http://localhost:11434",
        "http://chat.internal/chat",
    ] {
        let built = at(base).build_with(Provider::new("primary"));
        assert!(built.is_ok(), "{base}: {:?}", built.err());
    }
}

#[test]
fn a_key_that_no_provider_accepts_is_refused() {
    let credential = |name, secret: &str| to(Target::new(BASE).credential(name, secret));
    let key = HeaderName::from_static("x-api-key");
    messages([
        (
            bearer(""),
            "fallbacks[1].credential is blank (authorization)",
            "a key that is not blank: check that its environment variable is set".into(),
        ),
        (
            bearer("sk-1\n"),
            "fallbacks[1].credential is not printable ASCII (authorization)",
            "printable ASCII without line breaks: check the end of the file that the key is read from".into(),
        ),
        (
            bearer("ключ"),
            "fallbacks[1].credential is not printable ASCII (authorization)",
            "printable ASCII without line breaks: check the end of the file that the key is read from".into(),
        ),
        (
            bearer("Bearer sk-1"),
            r#"fallbacks[1].credential is already with "Bearer " (authorization)"#,
            "the key alone: bearer() adds the scheme".into(),
        ),
        (
            bearer("\"sk-1\""),
            "fallbacks[1].credential is in quotes (authorization)",
            "the key without quotes around it".into(),
        ),
        (
            credential(key.clone(), " sk-1"),
            "fallbacks[1].credential is surrounded by spaces (x-api-key)",
            "the key without spaces around it".into(),
        ),
        (
            credential(key, "${MISTRAL_API_KEY}"),
            "fallbacks[1].credential is the name of a variable (x-api-key)",
            "the value of the variable: nothing is expanded here".into(),
        ),
        (
            credential(header::HOST, "sk-1"),
            r#"fallbacks[1].credential is "host""#,
            "a header that carries a credential, such as authorization or x-api-key".into(),
        ),
    ]);
}

#[test]
fn fallbacks_that_would_be_of_no_use_are_refused() {
    let model = |model: &str| to(Target::same_host().model(model));
    let name = "the name of a model, not blank, without spaces around it and without line breaks";
    let small = || Fallback::target(Target::new(BASE).bearer("key").model("small"));
    let twins = [Target::new(BASE).bearer("key"), Target::new(BASE).bearer("key")];
    messages([
        (model(" "), r#"fallbacks[1].model is " ""#, name.into()),
        (model("gpt-4o "), r#"fallbacks[1].model is "gpt-4o ""#, name.into()),
        (fallbacks(small()).fallback(small()), r#"fallbacks[2] is "small""#, OTHER.into()),
        (
            fallbacks(small()).primary(Target::new("https://api.example.com/v1/").bearer("key").model("small")),
            r#"fallbacks[1] is "small""#,
            OTHER.replace("[1]", "[0]"),
        ),
        (
            fallbacks(Fallback::original_request()),
            r#"fallbacks[1] is "primary""#,
            OTHER.replace("[1]", "[0]"),
        ),
        (
            fallbacks(Fallback::targets(twins)),
            r#"fallbacks[1].target[1] is "api.example.com""#,
            "another host, model, credential or label than target[0]".into(),
        ),
        (
            fallbacks(Fallback::targets([])),
            "fallbacks[1].targets is 0",
            "1 to 64 targets".into(),
        ),
        (fallbacks(Fallback::canned(" \n")), "fallbacks[1].text is blank", "a text for the user".into()),
        (
            fallbacks(Fallback::canned("busy")).fallback(Fallback::canned("very busy")),
            r#"fallbacks[1] is "canned""#,
            "a canned reply only as the last fallback: it never fails, so nothing below it is ever asked".into(),
        ),
        (
            fallbacks(Fallback::canned("busy").edit(Edit::new().max_tokens(100))),
            "fallbacks[1].edit is set",
            "no edit: a canned reply sends no request".into(),
        ),
        (
            fallbacks(Fallback::stored(secs(60))),
            r#"fallbacks[1] is "stored""#,
            "a stored answer only with a cache: Client::builder().cache(CachePolicy::new())".into(),
        ),
        (
            fallbacks(secondary()).mid_stream_failure(MidStreamFailure::Continue),
            "mid_stream_failure is Continue",
            "Error, or Continue with a fallback whose Capabilities::prefill declares that it continues an answer".into(),
        ),
        (
            fallbacks(Fallback::wait_for_recovery()).fallback(secondary()),
            r#"fallbacks[1] is "wait""#,
            "a fallback that waits only as the last, or above a canned reply: it waits for those above it".into(),
        ),
        (
            fallbacks(secondary().reserve(secs(30))),
            "fallbacks[1].reserve is 30s",
            "less than the deadline of 30s".into(),
        ),
        (
            (0..33).fold(Client::builder(), |builder, _| builder.fallback(secondary())),
            "fallbacks is 34",
            "at most 32 fallbacks".into(),
        ),
        (
            fallbacks(Fallback::targets(["https://a.example/v1", "https://b.example/v1"].map(Target::new)).balance(
                BalancePolicy::new().ejection(secs(9)..=secs(8)),
            )),
            "fallbacks[1].balance.ejection is 8s",
            "at least the start of the range, 9s, at most a day".into(),
        ),
    ]);
}

#[test]
fn numbers_that_cannot_be_meant_are_refused() {
    let none = Duration::ZERO;
    let share = "above 0, at most 1";
    messages([
        (of(interactive().deadline(none)), "profile.deadline is 0ns", "longer than zero".into()),
        (
            of(interactive().connect(secs(31))),
            "profile.connect is 31s",
            "at most the deadline of 30s".into(),
        ),
        (
            timeout(TimeoutPolicy::new().attempt(secs(31))),
            "timeout.attempt is 31s",
            "at most the deadline, 30s".into(),
        ),
        (timeout(TimeoutPolicy::new().idle(none)), "timeout.idle is 0ns", "more than 0".into()),
        (retry(RetryPolicy::new().retries(250)), "retry.retries is 250", "at most 100".into()),
        (
            retry(RetryPolicy::new().base(secs(5))),
            "retry.base is 5s",
            "more than 0 and at most retry.max_backoff, 4s".into(),
        ),
        (
            retry(RetryPolicy::new().budget_ratio(1.5)),
            "retry.budget_ratio is 1.5",
            "more than 0, at most 1".into(),
        ),
        (breaker(|it| it.failure_ratio(50.0)), "breaker.failure_ratio is 50.0", share.into()),
        (breaker(|it| it.slow_ratio(-0.1)), "breaker.slow_ratio is -0.1", share.into()),
        (breaker(|it| it.min_calls(0)), "breaker.min_calls is 0", "1 or more".into()),
        (
            breaker(|it| it.open_backoff(secs(9)..=secs(8))),
            "breaker.open_backoff is 8s",
            "9s or more".into(),
        ),
        (limit(|it| it.requests(0)), "limit.requests is 0", "at least 1, or none".into()),
        (
            limit(|it| it.concurrency(Concurrency::Fixed(0))),
            "limit.concurrency is 0",
            "at least 1".into(),
        ),
        (
            limit(|it| it.cooldown_without_hint(none)),
            "limit.cooldown_without_hint is 0ns",
            "longer than zero, at most 30s".into(),
        ),
        (
            limit(|it| it.model(" ", LimitPolicy::new())),
            r#"limit.model is " ""#,
            "the name of a model".into(),
        ),
        (
            of(interactive().hedge(HedgePolicy::new().budget_ratio(0.0))),
            "hedge.budget_ratio is 0.0",
            "more than 0, at most 1".into(),
        ),
        (
            of(interactive().hedge(HedgePolicy::new().quantile(95.0))),
            "hedge.quantile is 95.0",
            "0.5 to 0.999".into(),
        ),
        (
            of(interactive().classify(ClassifyPolicy::default().hold_events(0))),
            "classify.hold_events is 0",
            "1 or more".into(),
        ),
        (
            Client::builder().cache(CachePolicy::new().serve_fresh_for(none)),
            "cache.serve_fresh_for is 0ns",
            "longer than zero".into(),
        ),
    ]);
}

#[test]
fn the_same_target_may_be_asked_for_another_thing() {
    let small = || Fallback::target(Target::new(BASE).bearer("key").model("small"));
    let labelled = |label: &str| Target::new(BASE).bearer("key").model("small").label(label);
    for (one, other) in [
        (small(), small().edit(Edit::new().max_tokens(100))),
        (small(), small().without_tools()),
        (small(), small().operations([evenkeel::dialect::Operation::Embeddings])),
        (Fallback::target(labelled("a")), Fallback::target(labelled("b"))),
        (Fallback::target(labelled("a")), Fallback::targets(["a", "b"].map(labelled))),
        (
            small(),
            Fallback::target(Target::new("https://other.example/v1").bearer("key").model("small")),
        ),
        (
            small(),
            Fallback::target(Target::new(BASE).bearer("key").model("small").endpoint("/other")),
        ),
    ] {
        let built = fallbacks(one).fallback(other).build_with(Provider::new("primary"));
        assert!(built.is_ok(), "{:?}", built.err());
    }
}

#[test]
fn continuing_needs_one_fallback_that_can() {
    let able = secondary().capabilities(Capabilities::default().prefill(Prefill::Message));
    let builder = fallbacks(able).mid_stream_failure(MidStreamFailure::Continue);
    assert!(builder.build_with(Provider::new("primary")).is_ok());
}

#[test]
fn a_target_at_https_needs_a_reqwest_with_tls() {
    let at = |base: &str| fallbacks(Fallback::target(Target::new(base)));
    // The tests are built without TLS.
    for refused in [at(BASE).build(), at(BASE).build_with_reqwest(reqwest::Client::new())] {
        assert_eq!(
            refused.expect_err("no call could be sent").to_string(),
            "fallbacks[1].base_url is an https URL, and reqwest is built without TLS; allowed is https with a feature of reqwest \
             for TLS, such as reqwest = { features = [\"rustls\"] } in Cargo.toml"
        );
    }
    let group = Fallback::targets([Target::new("http://a.example"), Target::new(BASE)]);
    let error = Client::builder().fallback(group).build().expect_err("no call could be sent");
    assert_eq!(error.field(), "fallbacks[1].target[1].base_url");
    assert!(at("http://a.example").build().is_ok());
    assert!(at(BASE).build_with(Provider::new("a foreign transport")).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn law_any_deadline_alone_is_accepted(nanos in prop_oneof![
        1..1_000_000_u64,
        1_000_000..60_000_000_000_u64,
        1_000_000_000..3_600_000_000_000_u64,
    ]) {
        let deadline = Duration::from_nanos(nanos);
        for profile in [Profile::interactive(), Profile::pipeline()] {
            for hedge in [None, Some(HedgePolicy::new())] {
                let profile = profile.clone().deadline(deadline).hedge(hedge);
                let builder = of(profile)
                    .cache(CachePolicy::new())
                    .fallback(secondary())
                    .fallback(Fallback::stored(secs(60)))
                    .fallback(Fallback::canned("busy"));
                let built = builder.build_with(Provider::new("primary"));
                prop_assert!(built.is_ok(), "{deadline:?}: {:?}", built.err());
            }
        }
    }
}

#[test]
fn a_set_value_is_never_changed_silently() {
    let deadline = |policy| of(interactive().deadline(secs(8)).timeout(policy));
    messages([(
        deadline(TimeoutPolicy::new().first_event(secs(9))),
        "timeout.first_event is 9s",
        "at most the deadline, 8s".into(),
    )]);
    let whole = deadline(TimeoutPolicy::new().stream_total(secs(9)));
    assert!(whole.build_with(Provider::new("primary")).is_ok(), "the default gives way first");
}
