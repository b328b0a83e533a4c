//! Who may use the operator's listener.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use tokio::time::Instant;

use super::{
    super::support::{client, setup},
    TOKEN, Watched, refused,
};

/// Everything that has data or changes something.
const GUARDED: [(Method, &str); 10] = [
    (Method::GET, "/api/snapshot"),
    (Method::GET, "/api/events"),
    (Method::GET, "/metrics"),
    (Method::GET, "/healthz"),
    (Method::GET, "/nothing"),
    (Method::POST, "/api/routes/ID/force-open"),
    (Method::POST, "/api/routes/ID/force-closed"),
    (Method::POST, "/api/routes/ID/reset"),
    (Method::POST, "/api/drain"),
    (Method::POST, "/api/rehearse"),
];

#[tokio::test]
async fn a_stranger_without_the_token_sees_nothing_and_changes_nothing() {
    let watched = Watched::guarded().await;
    watched.call().await;
    let snapshot = watched.get("/api/snapshot").bearer_auth(TOKEN).send().await.unwrap();
    let id = super::json(snapshot).await["routes"][0]["id"].as_str().unwrap().to_owned();
    for (method, path) in GUARDED {
        let request = client().request(method.clone(), watched.at(&path.replace("ID", &id)));
        let (status, words) = refused(request.header("x-evenkeel-admin", "1")).await;
        assert!(status == 401 && words.contains("token"), "{method} {path}: {status} {words}");
    }
    let wrong = watched.post("/api/drain").bearer_auth("key-of-the-targeu");
    let start = Instant::now();
    assert_eq!(refused(wrong).await.0, 401);
    assert!(start.elapsed() >= Duration::from_secs(1), "a wrong token is answered slowly");
    assert_eq!(watched.call().await, "openai");
    assert_eq!(watched.gateway.health().await["routes"][0]["state"], "closed");
    // The page and the readiness have no data.
    for path in ["/", "/page.css", "/page.js", "/favicon.ico", "/readyz"] {
        assert!(watched.get(path).send().await.unwrap().status().is_success(), "{path}");
    }
}

#[tokio::test]
async fn a_login_sets_a_cookie_that_opens_the_page_and_is_not_the_token() {
    let watched = Watched::guarded().await;
    let login = |token: &str| watched.post("/api/login").body(format!("{{\"token\":\"{token}\"}}"));
    assert_eq!(refused(login("wrong-wrong-wrong-wrong")).await.0, 401);
    assert_eq!(refused(watched.post("/api/login").body("token")).await.0, 400);
    assert_eq!(refused(login(&"x".repeat(10_000))).await.0, 400);
    let right = login(TOKEN).send().await.unwrap();
    assert_eq!(right.status(), 204);
    let set = right.headers()["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains(TOKEN));
    let cookie = set.split(';').next().unwrap();
    let seen = watched.get("/api/snapshot").header("cookie", cookie).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    let other = watched.get("/api/snapshot").header("cookie", "evenkeel-admin=1.00");
    assert_eq!(refused(other).await.0, 401);
}

#[tokio::test]
async fn a_page_of_another_origin_can_change_nothing() {
    let watched = Watched::new().await;
    let plain = client().post(watched.at("/api/drain"));
    assert_eq!(refused(plain).await.0, 403);
    let other = watched.post("/api/drain").header("origin", "http://evil.example");
    assert_eq!(refused(other).await.0, 403);
    let preflight = client().request(Method::OPTIONS, watched.at("/api/drain"));
    let preflight = preflight.header("origin", "http://evil.example").send().await.unwrap();
    assert!(!preflight.status().is_success());
    assert!(!preflight.headers().keys().any(|name| name.as_str().starts_with("access-control")));
    let own = watched.at("").trim_end_matches('/').to_owned();
    let own = watched.post("/api/routes/r/reset").header("origin", own);
    assert_eq!(refused(own).await.0, 404);
    assert_eq!(watched.call().await, "openai");
}

#[tokio::test]
async fn a_name_that_is_rebound_to_this_machine_is_refused_unless_a_token_protects() {
    let watched = Watched::new().await;
    for path in ["/", "/api/snapshot", "/healthz", "/metrics"] {
        let rebound = watched.get(path).header("host", "evil.example:9090");
        assert_eq!(refused(rebound).await.0, 403, "{path}");
    }
    let probe = watched.get("/readyz").header("host", "gateway").send().await.unwrap();
    assert_eq!(probe.status(), 200);
    let guarded = Watched::guarded().await;
    let named = guarded.get("/metrics").header("host", "gateway:9090").bearer_auth(TOKEN);
    assert_eq!(named.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn nothing_changes_by_get() {
    let watched = Watched::guarded().await;
    for (_, path) in GUARDED.iter().filter(|(method, _)| *method == Method::POST) {
        for method in [Method::GET, Method::HEAD] {
            let request = client().request(method.clone(), watched.at(path)).bearer_auth(TOKEN);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(response.headers()["allow"], "POST");
        }
    }
    let (status, words) = refused(watched.get("/api/login")).await;
    assert!(status == 405 && words.contains("method"), "{words}");
}

#[test]
fn a_listener_that_others_can_reach_needs_a_token() {
    let up = ["--upstream", "http://127.0.0.1:1", "--admin"];
    let with = |address, key| setup(&[&up[..], &[address]].concat(), key);
    for address in ["0.0.0.0:9090", "[::]:9090", "10.0.0.1:9090"] {
        let line = with(address, None).unwrap_err();
        assert!(
            line.contains("without a token; allowed is") && line.lines().count() == 1,
            "{line}"
        );
    }
    for address in ["127.0.0.1:9090", "[::1]:9090", "localhost:9090"] {
        assert!(with(address, None).unwrap().admin.is_some());
    }
    assert!(setup(&up[..2], None).unwrap().admin.is_none());
}

#[test]
fn a_token_that_is_missing_short_or_twice_is_refused_at_the_start() {
    use super::super::config::refused;
    let admin = "upstream = \"http://127.0.0.1:1\"\n[admin]\nlisten = \"0.0.0.0:9\"\n";
    let line = refused(&format!("{admin}token_env = \"NO_TOKEN\"\n"));
    assert!(line.contains("admin.token_env: is NO_TOKEN, which is not set"), "{line}");
    let line = refused(&format!("{admin}token_env = \"A_KEY\"\ntoken_file = \"x\"\n"));
    assert!(line.contains("admin.token_file: is beside token_env"), "{line}");
    let short = super::super::support::TempConfig::new("sk-short\n");
    let line = refused(&format!("{admin}token_file = \"{}\"\n", short.path()));
    assert!(line.contains("at least 16 visible ASCII characters"), "{line}");
}
