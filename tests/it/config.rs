//! Invalid configurations are refused when the client is built, with the field, the value and what is allowed.

mod messages;

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, ConfigError, Profile,
    breaker::{AnswerTimes, BreakerPolicy},
    classify::ClassifyPolicy,
    fallback::{Canned, Fallback, FallbackPolicy, Target},
    limit::{AdaptivePolicy, Concurrency, LimitPolicy},
    retry::{Budget, RetryPolicy},
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{Fault, Provider, Reply};
use http::HeaderName;

use crate::support::{call, chat, ms, over, secondary, secs};

const ZERO: Duration = Duration::ZERO;

fn refused(builder: ClientBuilder) -> ConfigError {
    builder.build_with(Provider::new("primary")).expect_err("it is refused")
}

/// Asserts that each is rejected, with the field, the value, and a part of what is allowed.
#[track_caller]
fn all_refused<const N: usize>(cases: [(ClientBuilder, &str, &str, &str); N]) {
    for (builder, field, value, allowed) in cases {
        let error = refused(builder);
        let text = error.to_string();
        assert_eq!(error.field(), field, "{text}");
        let (is, may) = text.split_once("; allowed is ").expect("both are told");
        assert!(is.ends_with(&format!(" is {value}")), "{text}, not {value}");
        assert!(may.contains(allowed), "{text}, not {allowed}");
    }
}

fn of(profile: Profile) -> ClientBuilder {
    Client::builder().profile(profile)
}

fn timeout(policy: TimeoutPolicy) -> ClientBuilder {
    of(Profile::interactive().timeout(policy))
}

fn retry(policy: RetryPolicy) -> ClientBuilder {
    of(Profile::interactive().retry(policy))
}

fn breaker(set: impl FnOnce(BreakerPolicy) -> BreakerPolicy) -> ClientBuilder {
    of(Profile::interactive().breaker(set(BreakerPolicy::default())))
}

fn classify(set: impl FnOnce(ClassifyPolicy) -> ClassifyPolicy) -> ClientBuilder {
    of(Profile::interactive().classify(set(ClassifyPolicy::default())))
}

fn fallbacks(fallback: Fallback) -> ClientBuilder {
    Client::builder().fallback(fallback)
}

fn target(base: &str) -> ClientBuilder {
    fallbacks(Fallback::target(Target::new(base)))
}

fn limit(set: impl FnOnce(LimitPolicy) -> LimitPolicy) -> ClientBuilder {
    of(Profile::interactive().limit(set(LimitPolicy::new())))
}

#[test]
fn limits_that_let_nothing_through_are_refused() {
    let fixed = |most| limit(|it| it.concurrency(Concurrency::Fixed(most)));
    let adaptive = AdaptivePolicy::default().initial(0);
    let other = LimitPolicy::new().requests(0);
    all_refused([
        (fixed(0), "limit.concurrency", "0", "at least 1"),
        (limit(|it| it.requests(0)), "limit.requests", "0", "at least 1"),
        (limit(|it| it.tokens(0)), "limit.tokens", "0", "at least 1"),
        (limit(|it| it.burst(secs(61))), "limit.burst", "61s", "a minute"),
        (limit(|it| it.max_queue(1 << 21)), "limit.max_queue", "2097152", "at most 1048576"),
        (limit(|it| it.batch_share(1.0)), "limit.batch_share", "1.0", "at most 0.5"),
        (limit(|it| it.batch_share(0.0)), "limit.batch_share", "0.0", "above 0"),
        (limit(|it| it.batch_share(f64::NAN)), "limit.batch_share", "NaN", "above 0"),
        (
            limit(|it| it.cooldown_without_hint(ZERO)),
            "limit.cooldown_without_hint",
            "0ns",
            "longer than zero",
        ),
        (limit(|it| it.model("m", other)), "limit.requests", "0", "at least 1"),
        (
            limit(|it| it.concurrency(Concurrency::Adaptive(adaptive))),
            "limit.adaptive.initial",
            "0",
            "1 to 1000",
        ),
    ]);
}

#[test]
fn both_profiles_are_valid_unchanged() {
    for profile in [Profile::interactive(), Profile::pipeline(), Profile::default()] {
        let builder = of(profile).fallback(secondary()).fallback(Fallback::canned("busy"));
        assert!(builder.build_with(Provider::new("primary")).is_ok());
    }
}

#[test]
fn limits_on_time_have_to_fit_together() {
    let new = TimeoutPolicy::new;
    let interactive = Profile::interactive;
    all_refused([
        (of(interactive().deadline(ZERO)), "profile.deadline", "0ns", "longer than zero"),
        (of(interactive().connect(ZERO)), "profile.connect", "0ns", "longer than zero"),
        (of(interactive().connect(secs(31))), "profile.connect", "31s", "deadline of 30s"),
        (timeout(new().attempt(secs(31))), "timeout.attempt", "31s", "30s"),
        (timeout(new().first_event(secs(31))), "timeout.first_event", "31s", "30s"),
        (timeout(new().attempt(ZERO)), "timeout.attempt", "0ns", "more than 0"),
        (timeout(new().first_event(ZERO)), "timeout.first_event", "0ns", "more than 0"),
        (timeout(new().idle(ZERO)), "timeout.idle", "0ns", "more than 0"),
        (timeout(new().stream_total(secs(9))), "timeout.stream_total", "9s", "first_event, 20s"),
    ]);
}

#[test]
fn a_deadline_alone_is_enough_and_clamps_limits_that_were_not_set() {
    for profile in [Profile::interactive(), Profile::pipeline()] {
        for deadline in [secs(299), secs(19), secs(8), secs(2), Duration::from_millis(100)] {
            let built = of(profile.clone().deadline(deadline)).build_with(Provider::new("p"));
            assert!(built.is_ok(), "{deadline:?}: {:?}", built.err());
        }
    }
}

#[test]
fn retries_have_to_be_possible_and_bounded() {
    let new = RetryPolicy::new;
    all_refused([
        (retry(new().base(ZERO)), "retry.base", "0ns", "more than 0"),
        (retry(new().base(secs(5))), "retry.base", "5s", "retry.max_backoff, 4s"),
        (retry(new().max_backoff(secs(90_000))), "retry.max_backoff", "90000s", "a day"),
        (retry(new().factor(0.99)), "retry.factor", "0.99", "1 to 100"),
        (retry(new().factor(f64::NAN)), "retry.factor", "NaN", "1 to 100"),
        (retry(new().max_hint(ms(49))), "retry.max_hint", "49ms", "50ms or more"),
        (retry(new().min_attempt_time(secs(30))), "retry.min_attempt_time", "30s", "30s"),
        (retry(new().budget_ratio(-0.2)), "retry.budget_ratio", "-0.2", "more than 0"),
        (retry(new().budget_ratio(-0.0)), "retry.budget_ratio", "-0.0", "more than 0"),
        (retry(new().budget_ratio(1.01)), "retry.budget_ratio", "1.01", "at most 1"),
        (retry(new().budget_ratio(f64::NAN)), "retry.budget_ratio", "NaN", "more than 0"),
        (retry(new().budget_reserve(0)), "retry.budget_reserve", "0", "1 to 10000"),
        (
            retry(new().budget_reserve(Budget::MAX_RESERVE + 1)),
            "retry.budget_reserve",
            "10001",
            "1 to 10000",
        ),
    ]);
}

#[test]
fn a_breaker_has_to_be_able_to_open_and_to_recover() {
    all_refused([
        (breaker(|it| it.max_probes(0)), "breaker.max_probes", "0", "1 to 8"),
        (breaker(|it| it.max_probes(9)), "breaker.max_probes", "9", "1 to 8"),
        (breaker(|it| it.probe_successes(0)), "breaker.probe_successes", "0", "1 or more"),
        (
            breaker(|it| it.consecutive_failures(0)),
            "breaker.consecutive_failures",
            "0",
            "1 or more",
        ),
        (breaker(|it| it.min_calls(0)), "breaker.min_calls", "0", "1 or more"),
        (
            breaker(|it| it.failure_ratio(-0.5)),
            "breaker.failure_ratio",
            "-0.5",
            "above 0, at most 1",
        ),
        (breaker(|it| it.failure_ratio(0.0)), "breaker.failure_ratio", "0.0", "above 0"),
        (breaker(|it| it.failure_ratio(f64::NAN)), "breaker.failure_ratio", "NaN", "above 0"),
        (breaker(|it| it.failure_ratio(1.5)), "breaker.failure_ratio", "1.5", "at most 1"),
        (breaker(|it| it.slow_ratio(f64::INFINITY)), "breaker.slow_ratio", "inf", "at most 1"),
        (breaker(|it| it.jitter(-0.1)), "breaker.jitter", "-0.1", "below 1"),
        (breaker(|it| it.jitter(1.0)), "breaker.jitter", "1.0", "below 1"),
        (breaker(|it| it.jitter(f64::NAN)), "breaker.jitter", "NaN", "below 1"),
        (breaker(|it| it.ramp(secs(20), 0.0)), "breaker.ramp", "0.0", "above 0"),
        (breaker(|it| it.ramp(secs(20), f64::NAN)), "breaker.ramp", "NaN", "above 0"),
        (breaker(|it| it.window(ZERO)), "breaker.window", "0ns", "10ms or more"),
        (
            breaker(|it| it.open_backoff(ZERO..=secs(1))),
            "breaker.open_backoff",
            "0ns",
            "1ms or more",
        ),
        (
            breaker(|it| it.open_backoff(secs(9)..=secs(8))),
            "breaker.open_backoff",
            "8s",
            "9s or more",
        ),
        (breaker(|it| it.quota_backoff(secs(4)..=secs(9))), "breaker.quota_backoff", "4s", "5s"),
        (breaker(|it| it.quota_backoff(secs(9)..=secs(8))), "breaker.quota_backoff", "8s", "9s"),
        (breaker(|it| it.probe_timeout(secs(15))), "breaker.probe_timeout", "15s", "20s or more"),
    ]);
}

#[test]
fn a_bound_of_zero_is_refused() {
    all_refused([
        (classify(|it| it.hold_events(0)), "classify.hold_events", "0", "1 or more"),
        (classify(|it| it.hold_bytes(0)), "classify.hold_bytes", "0", "1 or more"),
        (classify(|it| it.collect(0)), "classify.collect", "0", "1 or more"),
    ]);
}

#[test]
fn a_fallback_needs_a_target() {
    let url = "an http or https URL with a host";
    all_refused([
        (target("/v1"), "fallbacks[1].base_url", r#""/v1""#, url),
        (target("https://"), "fallbacks[1].base_url", r#""https://""#, url),
        (target("https:///v1"), "fallbacks[1].base_url", r#""https:///v1""#, url),
        (target(""), "fallbacks[1].base_url", r#""""#, url),
        (target("ftp://host/v1"), "fallbacks[1].base_url", r#""ftp://host/v1""#, url),
        (target("api.example.com/v1"), "fallbacks[1].base_url", r#""api.example.com/v1""#, url),
        (target("api.example.com"), "fallbacks[1].base_url", r#""api.example.com""#, url),
        (target("https://host:port/v1"), "fallbacks[1].base_url", r#""https://host:port/v1""#, url),
        (target("https://[::1]:99999"), "fallbacks[1].base_url", r#""https://[::1]:99999/""#, url),
        (
            target("https://u:p@host/v1"),
            "fallbacks[1].base_url",
            r#""https://…@host/v1""#,
            "bearer()",
        ),
        (
            fallbacks(Fallback::target(Target::same_host())),
            "fallbacks[1].target",
            "empty",
            "at least one",
        ),
        (
            fallbacks(Fallback::target(Target::same_host().model(" "))),
            "fallbacks[1].model",
            r#"" ""#,
            "name",
        ),
        (
            fallbacks(Fallback::canned("a")).fallback(secondary()),
            "fallbacks[1]",
            r#""canned""#,
            "only as the last fallback",
        ),
        (
            fallbacks(Fallback::canned("a").named("")),
            "fallbacks[1].name",
            r#""""#,
            "printable ASCII",
        ),
        (
            fallbacks(Fallback::canned("a").named("é")),
            "fallbacks[1].name",
            r#""é""#,
            "printable ASCII",
        ),
        (
            fallbacks(secondary().reserve(secs(30))),
            "fallbacks[1].reserve",
            "30s",
            "less than the deadline of 30s",
        ),
        (
            Client::builder().fallback_policy(
                FallbackPolicy::new().first(Fallback::original_request().reserve(secs(31))),
            ),
            "fallbacks[0].reserve",
            "31s",
            "less than the deadline",
        ),
        (fallbacks(Fallback::canned(" ")), "fallbacks[1].text", "blank", "a text for the user"),
        (
            Client::builder().primary(Target::new("https://a.example/v1/chat/completions")),
            "fallbacks[0].base_url",
            r#""https://a.example/v1/chat/completions""#,
            "without the path of a call",
        ),
        (
            Client::builder().primary(Target::new("nowhere/at/all")),
            "fallbacks[0].base_url",
            r#""nowhere/at/all""#,
            url,
        ),
        (
            (0..32).fold(Client::builder(), |builder, _| builder.fallback(secondary())),
            "fallbacks",
            "33",
            "at most 32",
        ),
    ]);
}

#[test]
fn every_way_to_write_a_host_is_allowed() {
    for base in ["http://localhost:8080", "https://[::1]:8080/v1", "http://[::1]", "HTTPS://a.B.c/"]
    {
        assert!(target(base).build_with(Provider::new("primary")).is_ok(), "{base}");
    }
}

#[test]
fn a_blank_key_is_refused_when_the_client_is_built() {
    let base = || Target::new("https://two.example/v1");
    for blank in ["", " ", "\t"] {
        let name = HeaderName::from_static("x-api-key");
        for target in [base().bearer(blank), base().credential(name, blank)] {
            let error = refused(fallbacks(Fallback::target(target)));
            assert_eq!(error.field(), "fallbacks[1].credential");
            assert!(error.to_string().contains("not blank"), "{error}");
        }
    }
}

#[test]
fn no_refusal_shows_a_secret() {
    let target = |base: &str| Fallback::target(Target::new(base));
    for fallback in [
        target("https://user:SecretMark@host/v1"),
        target("ftp://user:SecretMark@host/v1"),
        target("https://host:port/v1?key=SecretMark"),
        target("ftp://host/v1?key=SecretMark"),
        target("user:SecretMark@host"),
        Fallback::target(Target::new("https://host/v1").bearer("Secret\nMark")),
    ] {
        let error = refused(fallbacks(fallback));
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("SecretMark") && !text.contains("Secret\\nMark"), "{text}");
        }
    }
}

#[test]
fn reqwest_builders_refuse_the_same() {
    let wrong = || of(Profile::interactive().deadline(ZERO));
    assert_eq!(wrong().build().unwrap_err().field(), "profile.deadline");
    let with = wrong().build_with_reqwest(reqwest::Client::new());
    assert_eq!(with.unwrap_err().field(), "profile.deadline");
}

#[tokio::test(start_paused = true)]
async fn the_largest_and_the_smallest_values_that_are_allowed_break_nothing() {
    let (most, least) = (Duration::MAX, Duration::from_nanos(1));
    let large = Profile::interactive()
        .deadline(most)
        .connect(most)
        .timeout(TimeoutPolicy::new().attempt(most).first_event(most).idle(most).stream_total(most))
        .retry(
            RetryPolicy::new()
                .min_attempt_time(secs(1))
                .max_hint(most)
                .retries(3)
                .budget_reserve(10_000),
        )
        .breaker(
            BreakerPolicy::default()
                .consecutive_failures(2)
                .window(most)
                .open_backoff(most..=most)
                .quota_backoff(most..=most)
                .slow_after(AnswerTimes { first_event: most, whole_answer: most })
                .probe_timeout(most)
                .max_hint(most)
                .ramp(most, 1.0),
        );
    let small = Profile::interactive()
        .deadline(ms(1))
        .connect(least)
        .timeout(TimeoutPolicy::new().attempt(least).first_event(least).idle(least))
        .retry(
            RetryPolicy::new()
                .base(least)
                .max_backoff(least)
                .max_hint(ms(50))
                .min_attempt_time(ZERO),
        )
        .breaker(
            BreakerPolicy::default()
                .consecutive_failures(1)
                .window(ms(10))
                .open_backoff(ms(1)..=ms(1))
                .quota_backoff(ms(1)..=ms(1))
                .slow_after(AnswerTimes { first_event: ZERO, whole_answer: ZERO })
                .probe_timeout(ms(1))
                .max_hint(ZERO)
                .ramp(ZERO, 1.0),
        )
        .classify(ClassifyPolicy::default().hold_events(1).hold_bytes(1).collect(1));
    for profile in [large, small] {
        let replies = [
            Reply::status(503).retry_after(secs(86_400)),
            Reply::status(503),
            Reply::quota_exhausted(),
            Reply::answer().with(Fault::Cut { words: 9 }),
            Reply::answer(),
        ];
        let primary = Provider::new("primary").replies(replies);
        let builder = of(profile).fallback(Fallback::reply(Canned::text("busy")));
        let client = over(builder, [&primary]);
        for n in 0..8 {
            let answer = call(&client, chat(n % 2 == 0)).await.unwrap();
            assert!(answer.status.is_success(), "{answer:?}");
            tokio::time::sleep(ms(3)).await;
        }
    }
}
