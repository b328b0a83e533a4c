//! The failures of one credential count for that credential only, at every target; a credential that is made for each call counts
//! as one.

use evenkeel::{breaker::CircuitState, identity::IdentityPolicy};
use http::HeaderName;

use super::*;

use crate::support::without_retries;

const WHERE: [(&str, &str); 17] = [
    ("?key={}", ""),
    ("?KEY={}", ""),
    ("?k%65y={}", ""),
    ("?api_key={}", ""),
    ("?alt=sse&access_token={}", ""),
    ("?subscription-key={}", ""),
    ("?code={}", ""),
    ("", "cookie"),
    ("", "ocp-apim-subscription-key"),
    ("", "authorization"),
    ("", "x-api-key"),
    ("", "api-key"),
    ("", "x-goog-api-key"),
    ("", "x-goog-user-project"),
    ("", "openai-organization"),
    ("", "openai-project"),
    ("", "cf-aig-authorization"),
];

fn with(credential: &str, (query, header): (&str, &str)) -> Request {
    let query = query.replace("{}", credential);
    match header {
        "" => asked(&query, &[]),
        header => asked(&query, &[(header, credential)]),
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_quota_closes_its_own_key_alone_wherever_the_key_travels() {
    for place in WHERE {
        let provider = Provider::new("primary").always(spent());
        let client = client(&provider);
        assert_eq!(status(&client, with("the-first", place)).await, 429, "{place:?}");
        provider.set(Reply::answer());
        let sent = provider.count();
        assert_eq!(status(&client, with("the-first", place)).await, 0, "{place:?} is closed");
        assert_eq!(provider.count(), sent);
        assert_eq!(status(&client, with("the-second", place)).await, 200, "{place:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_explicit_payer_has_its_own_route() {
    let seat = HeaderName::from_static("x-seat");
    let identity = IdentityPolicy::new().payer(seat.clone()).payer_query("seat");
    let provider = Provider::new("primary");
    let client = over(Client::builder().identity(identity), [&provider]);
    let routes = |query: &str, header: &str| {
        client.routes_of(&asked(query, &[("authorization", "Bearer k"), (seat.as_str(), header)]))
    };
    assert_ne!(routes("", "one"), routes("", "two"));
    assert_ne!(routes("?seat=1", "one"), routes("?seat=2", "one"));
    assert_eq!(routes("?other=1", "one"), routes("?other=2", "one"));
    // The availability before a call is the one that holds in it.
    assert_eq!(
        status(&client, asked("", &[("authorization", "Bearer k"), ("x-seat", "1")])).await,
        200
    );
    let used = client.breakers().list()[0].0.clone();
    assert_eq!(vec![used], routes("", "1"));
}

/// `{"alg":"HS256"}`, claims that all change except `sub`, and a signature.
fn token(n: usize) -> String {
    let claims = format!(r#"{{"iss":"i","sub":"caller","exp":{}}}"#, 1_900_000_000 + n);
    format!("Bearer eyJhbGciOiJIUzI1NiJ9.{}.s{n}", base64(claims.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let digits = bits.as_bytes().chunks(6).map(|six| {
        let six = std::str::from_utf8(six).unwrap();
        let digit = usize::from_str_radix(&format!("{six:0<6}"), 2).unwrap();
        char::from(DIGITS[digit])
    });
    digits.collect()
}

fn signature(n: usize) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIA1/202601{:02}/eu-west-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature={n:064x}",
        1 + n % 28
    )
}

/// The number of attempts that a provider that is down receives from 200 calls, and the number of routes.
async fn in_an_outage(
    client: &Client,
    provider: &Provider,
    headers: impl Fn(usize) -> String,
) -> (u64, usize) {
    let before = provider.count();
    for n in 0..200 {
        call(client, asked("", &[("authorization", &headers(n))])).await.ok();
    }
    let one_by_one =
        client.breakers().list().into_iter().filter(|(route, _)| route.credential() != "*");
    (provider.count() - before, one_by_one.count())
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_is_made_for_each_call_opens_its_breaker_like_one_key() {
    let provider = down();
    let (one_key, _) = in_an_outage(&client(&provider), &provider, |_| "Bearer k".into()).await;
    assert!(one_key < 30, "{one_key}");
    let each: [fn(usize) -> String; 2] = [token, signature];
    for made in each {
        let client = client(&provider);
        let (sent, routes) = in_an_outage(&client, &provider, made).await;
        assert_eq!(routes, 1, "{}", made(0));
        assert!(sent <= 2 * one_key, "{sent} attempts, {one_key} with one key: {}", made(0));
        assert!(
            client.breakers().list().iter().all(|(_, seen)| seen.state != CircuitState::Closed)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_configured_name_replaces_opaque_credentials() {
    let provider = down();
    let identity = IdentityPolicy::new().named_by(HeaderName::from_static("x-team"));
    let client = over(Client::builder().identity(identity), [&provider]);
    for n in 0..50 {
        let headers = [("authorization", &*format!("Bearer opaque-{n}")), ("x-team", "red")];
        call(&client, asked("", &headers)).await.ok();
    }
    provider.set(Reply::answer());
    let blue = asked("", &[("authorization", "Bearer opaque-51"), ("x-team", "blue")]);
    let red = asked("", &[("authorization", "Bearer opaque-50"), ("x-team", "red")]);
    assert_eq!(client.routes_of(&red), client.routes_of(&asked("", &[("x-team", "red")])));
    assert_ne!(client.routes_of(&red), client.routes_of(&blue));
    let own = client.breakers().list();
    assert!(own.iter().filter(|(route, _)| route.credential() != "*").count() <= 1, "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_closes_the_route_to_no_other_token_of_the_same_subject() {
    let provider = Provider::new("primary").always(Reply::status(401));
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    for n in 0..10 {
        assert_eq!(status(&client, asked("", &[("authorization", &token(n))])).await, 401);
    }
    provider.set(Reply::answer());
    assert_eq!(status(&client, asked("", &[("authorization", &token(11))])).await, 200);
}
