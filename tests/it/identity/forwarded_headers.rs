//! Headers and query parameters that are forwarded to another origin.

use evenkeel::{
    Body, Error, Response,
    fallback::{Fallback, Target},
    identity::IdentityPolicy,
    outcome::Outcome,
};
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

use super::*;

use crate::support::without_retries;

/// The URI and the headers that the second origin received.
type Seen = Arc<Mutex<String>>;

/// A client whose calls go on to a second origin, and what that received.
fn to_another(identity: Option<IdentityPolicy>) -> (Client, Seen) {
    let seen = Seen::default();
    let of = seen.clone();
    let upstream = tower::service_fn(move |request: Request| {
        let other = request.uri().host() != Some("primary");
        if other {
            *of.lock().unwrap() = format!("{} \n{}", request.uri(), plain(&request));
        }
        async move {
            match other {
                true => Ok::<Response, Error>(Response::new(Body::from(ANSWER))),
                false => Err(Error::new(Outcome::Unreachable)),
            }
        }
    });
    let builder = Client::builder().profile(without_retries());
    let builder = identity.into_iter().fold(builder, evenkeel::ClientBuilder::identity);
    let builder =
        builder.fallback(Fallback::target(Target::new("http://other/v1").bearer("of-the-other")));
    (builder.build_with(upstream).unwrap(), seen)
}

const ANSWER: &str =
    r#"{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}"#;

/// The headers with their values, and whether they are marked as sensitive, one on each line.
fn plain(request: &Request) -> String {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let line = |(name, value)| format!("{name}: {}\n", text(value));
    request.headers().iter().map(line).collect()
}

async fn sent(client: &Client, seen: &Seen, request: Request) -> String {
    seen.lock().unwrap().clear();
    client.send(request).await.unwrap();
    let text = seen.lock().unwrap().clone();
    assert!(text.starts_with("http://other/v1/chat/completions"), "{text}");
    text
}

#[tokio::test(start_paused = true)]
async fn credentials_of_the_caller_stay_at_their_origin_whatever_the_header() {
    let headers = [
        "cf-access-jwt-assertion",
        "x-amzn-oidc-data",
        "x-ms-client-principal",
        "dpop",
        "x-jwt",
        "x-password",
        "referer",
        "x-forwarded-for",
        "x-nobody-has-heard-of-it",
    ];
    let (client, seen) = to_another(None);
    for header in headers {
        let text = sent(&client, &seen, asked("", &[(header, "the-mark")])).await;
        assert!(!text.contains("the-mark") && text.contains("of-the-other"), "{header}: {text}");
    }
    for query in ["code", "pwd", "k%65y", "KEY", "sv", "nobody-has-heard-of-it"] {
        let text = sent(&client, &seen, asked(&format!("?{query}=the-mark&alt=sse"), &[])).await;
        assert!(!text.contains("the-mark") && text.contains("?alt=sse "), "{query}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn common_and_allowed_headers_are_forwarded() {
    let identity = IdentityPolicy::new()
        .forward(HeaderName::from_static("x-experiment"))
        .forward_query("Region");
    let (client, seen) = to_another(Some(identity));
    let along = [
        "accept",
        "user-agent",
        "traceparent",
        "x-request-id",
        "anthropic-version",
        "x-stainless-lang",
        "x-experiment",
    ];
    let headers = along.map(|name| (name, "goes"));
    let text = sent(&client, &seen, asked("?region=eu&other=1", &headers)).await;
    for name in along {
        assert!(text.contains(&format!("\n{name}: goes\n")), "{name}: {text}");
    }
    assert!(text.contains("?region=eu "), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_marked_as_sensitive_is_never_forwarded() {
    let named = HeaderName::from_static("x-experiment");
    let (client, seen) = to_another(Some(IdentityPolicy::new().forward(named.clone())));
    for name in [named, http::header::USER_AGENT] {
        let mut request = asked("", &[]);
        let mut mark = HeaderValue::from_static("the-mark");
        mark.set_sensitive(true);
        request.headers_mut().insert(name.clone(), mark);
        assert!(!sent(&client, &seen, request).await.contains("the-mark"), "{name}");
    }
}

#[test]
fn forwarding_a_payer_is_refused_by_name() {
    let refused = |identity: IdentityPolicy| identity.build().unwrap_err().to_string();
    let said = refused(IdentityPolicy::new().forward(http::header::AUTHORIZATION));
    assert!(said.starts_with("identity.forward is \"authorization\""), "{said}");
    let own = HeaderName::from_static("x-seat");
    refused(IdentityPolicy::new().payer(own.clone()).forward(own));
    let said = refused(IdentityPolicy::new().forward_query("API_KEY"));
    assert!(said.starts_with("identity.forward_query is \"api_key\""), "{said}");
    refused(IdentityPolicy::new().payer_query(" "));
}

#[test]
fn settings_that_contradict_each_other_are_refused_by_name() {
    let seat = HeaderName::from_static("x-seat");
    let ignoring = |header: &HeaderName| IdentityPolicy::new().ignore(header.clone());
    for (wrong, what) in [
        // It is still a credential when it is ignored.
        (
            ignoring(&http::header::AUTHORIZATION).forward(http::header::AUTHORIZATION),
            "identity.forward is \"authorization\"",
        ),
        (ignoring(&seat).payer(seat.clone()), "identity.ignore is \"x-seat\""),
        (ignoring(&seat).user(seat.clone()), "identity.ignore is \"x-seat\""),
        (ignoring(&seat).named_by(seat.clone()), "identity.ignore is \"x-seat\""),
    ] {
        let said = wrong.build().unwrap_err().to_string();
        assert!(said.starts_with(what), "{said}");
    }
    ignoring(&seat).forward(seat).build().expect("it says nothing, so that it may go along");
}

/// Header names: of known secrets, and arbitrary ones.
fn header() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "authorization",
        "x-api-key",
        "api-key",
        "cookie",
        "x-goog-api-key",
        "openai-organization",
        "x-amz-security-token",
        "dpop",
        "referer",
        "x-forwarded-for",
        "x-ms-client-principal",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "x-[a-z]{1,12}(-[a-z]{1,8}){0,3}"]
}

/// Query keys, some of them encoded.
fn key() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "key",
        "api_key",
        "code",
        "pwd",
        "sig",
        "token",
        "access_token",
    ]);
    let text = prop_oneof![known.prop_map(str::to_owned), "[a-zA-Z_]{1,10}"];
    (text, any::<u16>()).prop_map(|(text, encoded)| {
        let odd = |at: usize| encoded >> (at % 16) & 1 == 1;
        let bytes = text.bytes().enumerate();
        bytes
            .map(|(at, b)| if odd(at) { format!("%{b:02x}") } else { char::from(b).into() })
            .collect()
    })
}

/// The key as a server decodes it, in lower case.
fn decoded(key: &str) -> String {
    let mut parts = key.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        text.push(char::from(u8::from_str_radix(digits, 16).unwrap()));
        text.push_str(rest);
    }
    text.to_ascii_lowercase()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn law_no_secret_of_one_origin_reaches_another(
        headers in proptest::collection::vec(header(), 0..8),
        keys in proptest::collection::vec(key(), 0..6),
    ) {
        let known = ["alt", "$alt", "api-version", "beta", "stream"];
        let keys: Vec<_> = keys.into_iter().filter(|key| !known.contains(&&*decoded(key))).collect();
        let known = ["x-request-id", "x-client-request-id", "x-goog-api-client"];
        let mine = |name: &&String| !known.contains(&&***name) && !name.starts_with("x-stainless-");
        let headers: Vec<_> = headers.iter().filter(mine).map(|name| (&**name, "the-mark")).collect();
        let pairs: Vec<_> = keys.iter().map(|key| format!("{key}=the-mark")).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let text = runtime.block_on(async {
            let (client, seen) = to_another(None);
            sent(&client, &seen, asked(&query, &headers)).await
        });
        prop_assert!(!text.contains("the-mark"), "{}", text);
        prop_assert!(text.contains("of-the-other"));
    }
}
