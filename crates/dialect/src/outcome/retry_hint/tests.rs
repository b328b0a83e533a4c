use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// 2023-09-29 16:26:37 GMT, the time at which the rows were made.
fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_696_004_797)
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

fn read(pairs: &[(&str, &str)]) -> RetryHints {
    RetryHints::read(&headers(pairs), InBody::default(), then())
}

fn asked(pairs: &[(&str, &str)]) -> Option<Duration> {
    read(pairs).asked
}

fn said(message: &str) -> Option<Duration> {
    RetryHints::read(&HeaderMap::new(), InBody { message, ..InBody::default() }, then()).asked
}

fn secs(seconds: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(seconds))
}

#[test]
fn the_official_clients_read_the_same_seconds() {
    let rows = include_str!("../../../tests/data/retry_headers.jsonl");
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let pairs: Vec<_> = row["headers"].as_object().unwrap().iter().collect();
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str().unwrap())).collect();
        let read = in_headers(&headers(&pairs), then()).next();
        for client in ["openai", "anthropic"] {
            let parsed = &row[client]["parsed_s"];
            let parsed = parsed.as_str().map_or(parsed.as_f64(), |word| word.parse().ok());
            let same = match (read, parsed) {
                (Some(a), Some(b)) => a == b || (a.is_nan() && b.is_nan()),
                (a, b) => a == b,
            };
            assert!(same, "{pairs:?}: {read:?}, not {parsed:?}");
        }
    }
    assert_eq!(rows.lines().count(), 47);
}

#[test]
fn fractions_and_milliseconds_are_read_and_zero_is_no_hint() {
    assert_eq!(asked(&[("retry-after", "0.25")]), secs(0.25));
    assert_eq!(asked(&[("retry-after-ms", "1500")]), secs(1.5));
    for none in ["0", "-10", "inf", "-inf", "nan", "", "abc", "5s", "0x10", "-0.0"] {
        assert_eq!(asked(&[("retry-after", none)]), None, "{none}");
    }
}

#[test]
fn a_hint_is_at_least_the_floor_and_at_most_a_day() {
    assert_eq!(asked(&[("retry-after-ms", "1")]), Some(FLOOR));
    assert_eq!(asked(&[("retry-after", "1e-300")]), Some(FLOOR));
    assert_eq!(asked(&[("retry-after", "99999999999999999999999999999999999")]), Some(MOST));
    assert_eq!(asked(&[("retry-after", "1e308")]), Some(MOST));
    assert_eq!(asked(&[("retry-after", "121")]), secs(121.0));
}

#[test]
fn the_first_source_that_can_be_used_holds() {
    let all = [
        ("retry-after-ms", "1000"),
        ("x-ms-retry-after-ms", "2000"),
        ("x-amz-retry-after", "3000"),
        ("retry-after", "4"),
    ];
    for at in 0..all.len() {
        assert_eq!(asked(&all[at..]), secs(at as f64 + 1.0));
    }
    assert_eq!(asked(&[("retry-after-ms", "0"), ("retry-after", "20")]), secs(20.0));
    assert_eq!(asked(&[("retry-after-ms", "nan"), ("retry-after", "20")]), secs(20.0));
    let body = InBody { delay: Some(5.0), message: "Please try again in 6s", renewal: None };
    assert_eq!(RetryHints::read(&headers(&all[3..]), body, then()).asked, secs(4.0));
    assert_eq!(RetryHints::read(&HeaderMap::new(), body, then()).asked, secs(5.0));
    let body = InBody { delay: Some(-5.0), ..body };
    assert_eq!(RetryHints::read(&HeaderMap::new(), body, then()).asked, secs(6.0));
}

#[test]
fn a_moment_in_the_place_of_a_span_is_read_as_a_moment() {
    for later in ["1696004857", "1696004857000"] {
        assert_eq!(asked(&[("retry-after", later)]), secs(60.0), "{later}");
    }
    assert_eq!(asked(&[("retry-after-ms", "1696004857000")]), secs(60.0));
    assert_eq!(asked(&[("retry-after", "1696004000")]), None);
}

#[test]
fn a_date_is_read_in_every_spelling() {
    for date in [
        "Fri, 29 Sep 2023 16:26:57 GMT",
        "Friday, 29-Sep-23 16:26:57 GMT",
        "Fri Sep 29 16:26:57 2023",
        "Zun, 29 Sep 2023 16:26:57 GMT",
        "29 Sep 2023 18:26:57 +0200",
        "Fri, 29 Sep 2023 12:26:57 -0400",
        "Fri, 29 Sep 2023 16:26:57",
        "Fri, 29 Sep 2023 16:26:57 UT",
    ] {
        assert_eq!(asked(&[("retry-after", date)]), secs(20.0), "{date}");
    }
    for none in ["Fri, 29 Sep 2023 16:26:27 GMT", "Fri, 31 Feb 2023 16:26:27 GMT", "tomorrow", ","]
    {
        assert_eq!(asked(&[("retry-after", none)]), None, "{none}");
    }
}

#[test]
fn a_message_says_when() {
    for (message, seconds) in [
        ("Rate limit reached on requests. Please try again in 1.5s. Visit us.", 1.5),
        ("Please try again in 120ms.", 0.12),
        ("Please try again in 6m0s.", 360.0),
        ("Please retry in 10h17m5.72s.", 37025.72),
        ("Please retry in 38.92s", 38.92),
        ("Please retry after 37 seconds. To increase", 37.0),
        ("Please retry after 86400 seconds", 86400.0),
        ("please retry after 1 second.", 1.0),
        ("Rate limit is exceeded. Try again in 5 seconds.", 5.0),
        ("Try again in 1 minute and 3 seconds", 63.0),
        ("Your quota will reset after 5h59m59s.", 21599.0),
        ("retry after 2 hours, 5 minutes", 7500.0),
        ("Please try again in a moment. Please retry after 4 seconds", 4.0),
        ("You will regain access on 2023-09-29 at 17:00 UTC.", 2003.0),
    ] {
        assert_eq!(said(message), secs(seconds), "{message}");
    }
    for message in [
        "Please try again later",
        "Please try again in a few minutes",
        "Please try again in 0s",
        "Please try again in 5",
        "Please try again in 5 parsecs",
        "Please try again in ..s",
        "Please try again in",
        "You will regain access on",
        "You will regain access on 2023-09-28 at 00:00 UTC.",
        "You will regain access on 2023-99-99 at 00:00 UTC.",
        "You will regain access on ä at ääää",
    ] {
        assert_eq!(said(message), None, "{message}");
    }
}

#[test]
fn a_reset_counts_only_when_nothing_is_left() {
    let openai = |left: &'static str, reset: &'static str| {
        read(&[("x-ratelimit-remaining-requests", left), ("x-ratelimit-reset-requests", reset)])
    };
    assert_eq!(openai("0", "6m0s").reset, secs(360.0));
    assert_eq!(openai("0", "6m0s").asked, None);
    for left in ["1", "-1", "", "many"] {
        assert_eq!(openai(left, "6m0s").reset, None, "{left}");
    }
    assert_eq!(read(&[("x-ratelimit-reset-requests", "6m0s")]).reset, None);
}

#[test]
fn a_reset_is_read_in_every_spelling() {
    for (reset, seconds) in [
        ("1s", 1.0),
        ("20ms", 0.05),
        ("1h2m3s", 3723.0),
        ("2m59.56s", 179.56),
        ("500us", 0.05),
        ("1m0.5s", 60.5),
        ("59", 59.0),
        ("1696004857", 60.0),
        ("1696004857000", 60.0),
        ("2023-09-29T16:27:37Z", 60.0),
        ("2023-09-29T18:27:37.5+02:00", 60.5),
    ] {
        let hint =
            read(&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", reset)]);
        assert_eq!(hint.reset, secs(seconds), "{reset}");
    }
    for none in ["", "soon", "0s", "-5", "1696004797", "1696004000", "2023-09-29T16:26:37Z", "1s2"]
    {
        let hint =
            read(&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", none)]);
        assert_eq!(hint.reset, None, "{none}");
    }
}

#[test]
fn of_several_empty_buckets_the_last_to_fill_holds() {
    let hints = read(&[
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", "2023-09-29T16:26:47Z"),
        ("anthropic-ratelimit-output-tokens-remaining", "0"),
        ("anthropic-ratelimit-output-tokens-reset", "2023-09-29T16:27:07Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "7"),
        ("anthropic-ratelimit-input-tokens-reset", "2023-09-29T16:36:37Z"),
    ]);
    assert_eq!(hints.reset, secs(30.0));
    for (left, reset) in BUCKETS {
        assert_eq!(read(&[(left, "0"), (reset, "7")]).reset, secs(7.0), "{reset}");
    }
}

fn spelling() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "[-+0-9.eE_ ]{0,20}",
        "[0-9.]{0,6}(ns|us|µs|ms|s|m|h|d| seconds)([0-9.]{0,6}(ms|s|m|h))?",
        "[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{1,8} (GMT|[+-][0-9]{4})",
        "[-+]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,12})?(Z|[+-][0-9:]{5})",
        Just("inf".to_owned()),
        Just("nan".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_hint_panics_and_each_is_within_its_bounds(
        name in 0..20_usize,
        value in spelling(),
        lead in 0..6_usize,
        delay in any::<Option<f64>>(),
        now in any::<u32>(),
        before in any::<bool>(),
    ) {
        let now = Duration::from_secs(now.into());
        let epoch = SystemTime::UNIX_EPOCH;
        let now = if before { epoch - now } else { epoch + now };
        let direct = ["retry-after-ms", "x-ms-retry-after-ms", "x-amz-retry-after", "retry-after"];
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            match direct.get(name) {
                Some(name) => { headers.insert(*name, value); }
                None => {
                    let (left, reset) = BUCKETS[name % BUCKETS.len()];
                    headers.insert(left, HeaderValue::from_static("0"));
                    headers.insert(reset, value);
                }
            }
        }
        let leads = ["try again in ", "Please retry in ", "RETRY AFTER ", "regain access on ", "regain access on x at ", ""];
        let message = format!("ä{}{value}", leads[lead]);
        let hints = RetryHints::read(&headers, InBody { delay, message: &message, renewal: None }, now);
        for hint in [hints.asked, hints.reset].into_iter().flatten() {
            prop_assert!((FLOOR..=MOST).contains(&hint), "{hint:?}");
        }
    }
}

#[test]
fn moments_are_read_by_the_clock_of_the_provider() {
    let wait = |date: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("date", date.parse().unwrap());
        headers.insert("retry-after", "Fri, 29 Sep 2023 16:28:17 GMT".parse().unwrap());
        RetryHints::read(&headers, InBody::default(), provider_time(&headers, then())).asked
    };
    let secs = |secs| Some(Duration::from_secs(secs));
    // Our clock is at 16:26:37.
    assert_eq!(wait("Fri, 29 Sep 2023 16:28:07 GMT"), secs(10), "ours is 90 s behind");
    for date in ["", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 29 Sep 2023 16:26:38 GMT"] {
        assert_eq!(wait(date), secs(100), "{date}");
    }
}
