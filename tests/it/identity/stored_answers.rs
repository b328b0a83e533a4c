//! No caller gets the answer of another caller, stored or in flight.

use evenkeel::{cache::CachePolicy, identity::IdentityPolicy};
use futures_util::future::join;
use http::HeaderName;

use super::*;

use crate::support::secs;

/// Headers that each distinguish callers on their own.
const PERSONAL: [&str; 20] = [
    "x-forwarded-user",
    "cf-access-jwt-assertion",
    "x-tenant-id",
    "x-user-id",
    "x-forwarded-email",
    "x-amzn-oidc-data",
    "x-amzn-oidc-identity",
    "x-ms-client-principal",
    "x-ms-client-principal-id",
    "remote-user",
    "x-consumer-username",
    "x-account-id",
    "x-goog-iap-jwt-assertion",
    "x-userinfo",
    "dpop",
    "x-jwt",
    "x-password",
    "cookie",
    "x-client-id",
    "x-impersonate-user",
];

fn caching() -> CachePolicy {
    CachePolicy::new().serve_fresh_for(secs(60)).coalesce(true)
}

fn of(header: &str, who: &str) -> Request {
    asked("", &[("authorization", "Bearer shared"), (header, who)])
}

#[tokio::test(start_paused = true)]
async fn callers_who_differ_by_a_header_alone_share_no_stored_answer() {
    for header in PERSONAL {
        let provider = Provider::new("primary");
        let client = over(Client::builder().cache(caching()), [&provider]);
        for (who, sent) in [("one", 1), ("other", 2), ("one", 2)] {
            call(&client, of(header, who)).await.unwrap().is_whole();
            assert_eq!(provider.count(), sent, "{header}: {who}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn callers_who_differ_by_a_header_alone_share_no_attempt() {
    for header in PERSONAL {
        let provider = Provider::new("primary").always(Reply::answer().head_after(secs(1)));
        let client = over(Client::builder().cache(CachePolicy::new().coalesce(true)), [&provider]);
        let (one, other) =
            join(call(&client, of(header, "one")), call(&client, of(header, "other"))).await;
        one.unwrap().is_whole();
        other.unwrap().is_whole();
        assert_eq!(provider.count(), 2, "{header}");
        let (one, same) =
            join(call(&client, of(header, "one")), call(&client, of(header, "one"))).await;
        one.unwrap().is_whole();
        same.unwrap().is_whole();
        assert_eq!(provider.count(), 3, "{header}: equal calls share one");
    }
}

#[tokio::test(start_paused = true)]
async fn headers_that_do_not_identify_the_caller_do_not_separate_answers() {
    let identity = IdentityPolicy::new().ignore(HeaderName::from_static("x-session-id"));
    let provider = Provider::new("primary");
    let client = over(Client::builder().identity(identity).cache(caching()), [&provider]);
    for header in ["x-request-id", "user-agent", "idempotency-key", "x-session-id"] {
        for n in ["1", "2"] {
            call(&client, of(header, n)).await.unwrap().is_whole();
        }
    }
    assert_eq!(provider.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_configured_header_separates_answers_and_not_routes() {
    let seat = HeaderName::from_static("x-seat");
    let identity = IdentityPolicy::new().user(seat);
    let provider = Provider::new("primary");
    let client = over(Client::builder().identity(identity).cache(caching()), [&provider]);
    for (who, sent) in [("one", 1), ("other", 2), ("one", 2)] {
        call(&client, of("x-seat", who)).await.unwrap().is_whole();
        assert_eq!(provider.count(), sent, "{who}");
    }
    assert_eq!(client.breakers().list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_cache_trusts_no_unverified_token() {
    // The same claims with another signature: a provider would reject it.
    let forged = |signature: &str| {
        let token = format!("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.{signature}");
        asked("", &[("authorization", &token)])
    };
    let provider = Provider::new("primary");
    let client = over(Client::builder().cache(caching()), [&provider]);
    for (n, signature) in ["good", "forged"].into_iter().enumerate() {
        call(&client, forged(signature)).await.unwrap().is_whole();
        assert_eq!(provider.count(), 1 + n as u64, "{signature}");
    }
}
