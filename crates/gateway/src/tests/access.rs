//! Who may use the gateway: hosts, web pages, paths.

use axum::body::Body;
use http::Response;
use serde_json::Value;

use super::{
    config::refused,
    support::{Models, QUICK, RecordingUpstream, TestGateway, client, gateway_for, gateway_with},
};

/// One request over a new connection, head by head: method, target, headers. Returns status and the whole answer.
async fn ask(
    gateway: &TestGateway,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> (u16, String) {
    let mut head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = if method == "POST" { r#"{"model":"m","messages":[]}"# } else { "" };
    let answer =
        super::pass::raw(gateway, &format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
            .await;
    (answer[9..12].parse().unwrap(), answer)
}

/// The error code in an answer, in any dialect.
fn code(answer: &str) -> String {
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
    let error = &body["error"];
    let code = [&error["code"], &error["details"][0]["reason"], &error["status"], &error["type"]];
    let code = code.into_iter().find_map(Value::as_str);
    code.or_else(|| error.as_str()).unwrap_or_default().to_owned()
}

/// A gateway whose first target has a key, in front of an upstream that records requests.
async fn keyed(seen: &RecordingUpstream, toml: &str) -> TestGateway {
    let url = seen.answering(|| Response::new(Body::from(ANSWER))).await;
    let target =
        format!("[[target]]\nname = \"a\"\nbase_url = \"{url}/v1\"\nkey_env = \"A_KEY\"\n");
    gateway_with(&format!("{toml}\n{target}{QUICK}"), &[]).await
}

/// A chat that any client can read.
const ANSWER: &str = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;
const CHAT: &str = "/v1/chat/completions";

#[tokio::test]
async fn a_host_that_a_page_can_have_is_refused_in_the_dialect_of_the_caller_where_a_target_has_a_key()
 {
    let seen = RecordingUpstream::default();
    let gateway = keyed(&seen, "allow_hosts = [\"gateway.internal\"]").await;
    for path in [CHAT, "/v1/messages", "/v1beta/models/m:generateContent", "/api/chat", "/healthz"]
    {
        let (status, answer) = ask(&gateway, "POST", path, &[("host", "evil.test:8080")]).await;
        assert_eq!(status, 421, "{answer}");
        assert!(answer.contains("allow_hosts") && !answer.contains("evil"), "{answer}");
        assert!(answer.contains("evenkeel-attempts: 0"), "{answer}");
    }
    let (status, answer) =
        ask(&gateway, "POST", "http://evil.test/v1/messages", &[("host", "localhost")]).await;
    assert_eq!(status, 421, "{answer}");
    for headers in [&[][..], &[("host", "localhost"), ("host", "localhost")]] {
        let (status, answer) = ask(&gateway, "POST", CHAT, headers).await;
        assert_eq!((status, &*code(&answer)), (400, "evenkeel_bad_host"), "{headers:?}");
    }
    assert!(seen.all().is_empty());
    let own = gateway.url.trim_start_matches("http://");
    for host in [own, "localhost", "localhost:9", "gateway", "gateway.internal", "[::1]:1"] {
        let (status, answer) = ask(&gateway, "POST", CHAT, &[("host", host)]).await;
        assert_eq!(status, 200, "{host}: {answer}");
        assert_eq!(ask(&gateway, "GET", "/healthz", &[("host", host)]).await.0, 200, "{host}");
    }
}

#[tokio::test]
async fn without_a_key_hosts_pages_and_paths_are_limited_only_where_the_configuration_says_so() {
    let seen = RecordingUpstream::default();
    let url = seen.answering(|| Response::new(Body::from(ANSWER))).await;
    let foreign = [("host", "any.test"), ("origin", "https://page.test"), ("cookie", "c=1")];
    let gateway = gateway_for(&url).await;
    assert_eq!(ask(&gateway, "POST", "/v1/anything", &foreign).await.0, 200);
    let (parts, _) = seen.all().pop().unwrap();
    assert_eq!(
        (&parts.headers["origin"], &parts.headers["cookie"]),
        (&"https://page.test".parse().unwrap(), &"c=1".parse().unwrap())
    );
    for (toml, status) in [
        ("allow_hosts = [\"one.test\"]", 421),
        ("allow_origins = [\"https://one.test\"]", 403),
        ("allow_paths = [\"/v1/files/*\"]", 403),
    ] {
        let gateway = gateway_with(&format!("{toml}\n{QUICK}"), &["--upstream", &url]).await;
        assert_eq!(ask(&gateway, "POST", "/v1/anything", &foreign).await.0, status, "{toml}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_and_an_allowed_one_gets_cors_headers() {
    let seen = RecordingUpstream::default();
    let gateway = keyed(&seen, "allow_origins = [\"https://chat.example.com\"]").await;
    let host = ("host", "localhost");
    for page in
        [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        for (method, path) in
            [("POST", CHAT), ("GET", "/v1/models"), ("GET", "/healthz"), ("OPTIONS", CHAT)]
        {
            let (status, answer) = ask(&gateway, method, path, &[host, page]).await;
            assert_eq!(
                (status, &*code(&answer)),
                (403, "evenkeel_foreign_origin"),
                "{page:?} {path}"
            );
            assert!(!answer.contains("access-control-"), "{answer}");
        }
    }
    assert!(seen.all().is_empty());
    let page = [host, ("origin", "https://chat.example.com"), ("sec-fetch-site", "cross-site")];
    let asked = [
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,x-a"),
    ];
    let (status, answer) = ask(&gateway, "OPTIONS", CHAT, &[&page[..], &asked].concat()).await;
    assert_eq!(status, 204, "{answer}");
    for header in [
        "access-control-allow-origin: https://chat.example.com\r\n",
        "access-control-allow-headers: authorization,x-a\r\n",
        "vary: origin\r\n",
    ] {
        assert!(answer.contains(header), "{answer}");
    }
    assert!(seen.all().is_empty(), "no preflight is forwarded");
    let (status, answer) = ask(&gateway, "POST", CHAT, &page).await;
    assert!(
        status == 200
            && answer.contains("access-control-allow-origin: https://chat.example.com\r\n")
    );
    let (parts, _) = seen.all().pop().unwrap();
    assert!(!parts.headers.contains_key("origin"));
    // The page can read why it was refused.
    let (status, answer) = ask(&gateway, "GET", "/v1/files", &page).await;
    assert!(status == 403 && answer.contains("access-control-allow-origin: "), "{answer}");
}

#[tokio::test]
async fn only_paths_of_the_apis_are_sent_with_a_key_of_the_operator() {
    let seen = RecordingUpstream::default();
    let gateway = keyed(&seen, "allow_paths = [\"/v1/files/*\"]").await;
    let host = [("host", "localhost")];
    for (method, path) in [
        ("POST", CHAT),
        ("GET", "/v1/models"),
        ("POST", "/v1/embeddings"),
        ("GET", "/v1/files/f/content"),
        ("DELETE", "/v1/files/f"),
    ] {
        assert_eq!(ask(&gateway, method, path, &host).await.0, 200, "{method} {path}");
        let (parts, _) = seen.all().pop().unwrap();
        assert_eq!(parts.headers["authorization"], "Bearer key-of-the-target");
    }
    let sent = seen.all().len();
    for (method, path) in [
        ("GET", "/v1/organization/admin_api_keys"),
        ("GET", "/v1/batches"),
        ("DELETE", "/v1/models/m"),
        ("GET", "/v1/responses/r"),
        ("POST", "/custom"),
    ] {
        let dialect = [host[0], ("evenkeel-dialect", "openai-chat")];
        for headers in [&host[..], &dialect] {
            let (status, answer) = ask(&gateway, method, path, headers).await;
            assert_eq!(
                (status, &*code(&answer)),
                (403, "evenkeel_path_not_allowed"),
                "{method} {path}"
            );
            assert!(answer.contains("allow_paths"), "{answer}");
        }
    }
    // Clients that prefer WebSockets are told the protocol, at any path.
    let upgrade = [host[0], ("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(ask(&gateway, "GET", "/v1/responses", &upgrade).await.0, 426);
    assert_eq!(seen.all().len(), sent);
}

#[tokio::test]
async fn a_path_that_servers_understand_in_different_ways_is_refused_with_a_key_and_passed_on_without()
 {
    let seen = RecordingUpstream::default();
    let url = seen.answering(|| Response::new(Body::from(ANSWER))).await;
    let (guarded, open) = (keyed(&seen, "allow_paths = [\"/*\"]").await, gateway_for(&url).await);
    for path in [
        "/v1/../admin",
        "/v1/%2e%2E/admin",
        "//v1/models",
        "/v1/a%2fb",
        "/v1/a%5Cb",
        "/v1/a%00",
        "/healthz/..",
        "/%",
    ] {
        let sent = seen.all().len();
        let (status, answer) = ask(&guarded, "GET", path, &[("host", "localhost")]).await;
        assert_eq!((status, &*code(&answer)), (400, "evenkeel_bad_path"), "{path}");
        assert_eq!(seen.all().len(), sent, "{path}");
        // Without a key it reaches the upstream as it came, as without the gateway.
        assert_eq!(ask(&open, "GET", path, &[("host", "localhost")]).await.0, 200, "{path}");
        assert_eq!(seen.all().pop().unwrap().0.uri.path(), path);
    }
    let (status, _) =
        ask(&guarded, "GET", "/v1/models/vendor%2Fname", &[("host", "localhost")]).await;
    assert_eq!((status, seen.all().pop().unwrap().0.uri.path()), (200, "/v1/models/vendor%2Fname"));
}

#[tokio::test]
async fn cookies_and_names_of_organisations_stay_home_where_a_key_of_the_operator_is_used() {
    let seen = RecordingUpstream::default();
    let private = [
        ("cookie", "of-the-caller"),
        ("openai-organization", "of-the-caller"),
        ("openai-project", "of-the-caller"),
        ("anthropic-workspace-id", "of-the-caller"),
        ("x-goog-user-project", "of-the-caller"),
        ("authorization", "Bearer of-the-caller"),
        ("x-api-key", "of-the-caller"),
    ];
    // A header that identifies no caller is not the provider's either.
    let ignored = "[identity]\nignore = [\"cookie\", \"openai-organization\"]\n";
    for toml in ["", ignored] {
        let gateway = keyed(&seen, toml).await;
        let headers = [&[("host", "localhost")], &private[..]].concat();
        assert_eq!(
            ask(&gateway, "POST", &format!("{CHAT}?key=of-the-caller"), &headers).await.0,
            200
        );
        let (parts, _) = seen.all().pop().unwrap();
        let sent = format!("{} {:?}", parts.uri, parts.headers);
        assert!(!sent.contains("of-the-caller"), "{sent}");
    }
}

#[test]
fn keys_of_access_that_are_wrong_are_refused_with_line_and_field() {
    const UP: &str = "upstream = \"http://127.0.0.1:1\"\n";
    let caller = |rest: &str| format!("[[caller]]\nname = \"a\"\n{rest}");
    let hash = format!("token_sha256 = \"{}\"", "0a".repeat(32));
    let twins = format!("{}\n[[caller]]\nname = \"b\"\n{hash}", caller(&hash));
    let cases = [
        (
            "allow_hosts = [\"http://a\"]".into(),
            "2: allow_hosts[0]: is \"http://a\"; allowed is a host",
        ),
        (
            "allow_origins = [\"*\"]".into(),
            "2: allow_origins[0]: is \"*\", and every web page would be allowed; allowed",
        ),
        ("allow_paths = [\"v1\"]".into(), "2: allow_paths[0]: is \"v1\"; allowed is a path"),
        (caller(""), "2: caller[0].token_env: is missing; allowed is one of token_env"),
        (caller("token_env = \"NOPE\""), "4: caller[0].token_env: is NOPE, which is not set"),
        (caller("token_env = \"sk-1234\""), "4: caller[0].token_env: is not shown here"),
        (
            caller("token_sha256 = \"sk-1234\""),
            "4: caller[0].token_sha256: is no hash, and not shown",
        ),
        (caller("token_file = \"/nowhere/sk-1234\""), "4: caller[0].token_file: cannot be used"),
        (
            caller(&format!("{hash}\ntoken_file = \"f\"")),
            "4: caller[0].token_sha256: is beside another token",
        ),
        (
            caller(&format!("{hash}\nfallbacks = [\"x\"]")),
            "5: caller[0].fallbacks[0]: is \"x\"; allowed are the fallbacks",
        ),
        (
            caller(&format!("{hash}\npriority = \"urgent\"")),
            "5: caller[0].priority: is \"urgent\"; allowed is interactive or batch",
        ),
        (caller(&format!("{hash}\ndeadline = 0")), "5: caller[0].deadline: is 0"),
        (caller(&format!("{hash}\nlimits = {{ requests = 0 }}")), "5: caller[0].limits.requests"),
        (
            caller(&format!("{hash}\nlimits = [1]")),
            "5: caller[0].limits: is a list; allowed is a table",
        ),
        (twins, "6: caller[1].name: has the token of \"a\"; allowed is a token of its own"),
        (
            "[tls]\ncertificate = \"/nowhere/sk-1\"\nkey = \"/nowhere\"".into(),
            "3: tls.certificate: cannot be used",
        ),
        ("[tls]\ncertificate = \"a\"".into(), "2: tls.key: is missing"),
    ];
    for (toml, expected) in cases {
        let line = refused(&format!("{UP}{toml}"));
        assert!(line.starts_with(expected), "{toml:?}: {line}");
    }
}

#[tokio::test]
async fn a_call_with_the_key_of_its_caller_first_keeps_its_paths_and_is_checked_for_pages() {
    let models = Models::default();
    let url = models.serve().await;
    let second =
        format!("[[target]]\nname = \"b\"\nbase_url = \"{url}/v1\"\nkey_env = \"A_KEY\"\n");
    let gateway = gateway_with(&format!("{second}{QUICK}"), &["--upstream", &url]).await;
    let sent = client().get(gateway.at("/v1/files/any")).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let page = client().get(gateway.at("/v1/models")).header("origin", "https://evil.test");
    assert_eq!(page.send().await.unwrap().status(), 403);
}
