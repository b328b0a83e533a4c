//! `openapi.yaml` against the listeners: the paths, the statuses and the bodies are those that are described.

use std::collections::BTreeSet;

use clap::CommandFactory;
use evenkeel_testkit::Reply;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::{
    super::{config_file::parse_yaml, health::PATHS, options::Options},
    schema::Schemas,
    support::{Models, QUICK, TestGateway, client, gateway_for, gateway_with},
};

/// The value of every variable for a key in these tests.
const TOKEN: &str = "key-of-the-target";
const DIALECTS: [&str; 6] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1beta/models/{model}:generateContent",
    "/v1beta/models/{model}:streamGenerateContent",
    "/api/chat",
];

fn openapi() -> Value {
    let text = include_str!("../../openapi.yaml");
    parse_yaml(text).unwrap_or_else(|error| panic!("{}: {}", error.line, error.what)).0
}

/// The paths in the source of a router.
fn paths_of(source: &str) -> BTreeSet<&str> {
    source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// A gateway with the operator's listener and one target, which is down.
async fn watched() -> TestGateway {
    let models = Models::default().always("down", Reply::status(503));
    let toml = format!(
        "{QUICK}[admin]\nlisten = \"127.0.0.1:0\"\ntoken_env = \"TOKEN_KEY\"\n[[target]]\nname = \"a\"\nmodel = \"down\"\n\
         base_url = \"{}/v1\"\nkey_env = \"A_KEY\"\n",
        models.serve().await
    );
    let gateway = gateway_with(&toml, &[]).await;
    for _ in 0..2 {
        gateway.chat("any", true).send().await.unwrap().bytes().await.unwrap();
    }
    gateway
}

/// Requires an answer to be one of those described for an operation, and returns its status.
async fn described(api: &Value, operation: &Value, response: reqwest::Response) -> u16 {
    let status = response.status().as_u16();
    let name = operation["operationId"].as_str().unwrap();
    let responses = operation["responses"].as_object().unwrap();
    let found = responses.get(&status.to_string()).or_else(|| responses.get("default"));
    let schemas = Schemas::new(api);
    let found = schemas.resolve(found.unwrap_or_else(|| panic!("{name}: {status}")));
    let Some(content) = found.get("content").and_then(Value::as_object) else { return status };
    let sent = response.headers()["content-type"].to_str().unwrap().split(';').next().unwrap();
    let sent = sent.to_owned();
    let described = content.get(&sent).unwrap_or_else(|| panic!("{name}: {status} in {sent}"));
    if let Some(schema) = described.get("schema") {
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        let wrong = schemas.wrong(schema, &body, name);
        assert!(wrong.is_empty(), "{status}: {wrong:#?}\n{body}");
    }
    status
}

#[test]
fn every_path_of_the_listeners_is_described_and_no_other() {
    let operator = paths_of(include_str!("../admin/paths.rs"));
    let own = paths_of(include_str!("../call/pass.rs"));
    // The other files of the page have paths like these.
    let page = ["/", "/page.css", "/page.js"];
    assert!(page.iter().all(|path| crate::admin::is_page(path)));
    let all = operator.iter().chain(&own).chain(&DIALECTS).chain(&page).chain(&PATHS);
    let all: BTreeSet<_> = all.copied().collect();
    let api = openapi();
    let described: BTreeSet<_> =
        api["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(described, all);
}

#[test]
fn every_header_of_the_help_is_described() {
    let api = openapi();
    let components = &api["components"];
    let help = Options::command().get_after_help().unwrap().to_string();
    let words = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let wanted: BTreeSet<_> = words.filter(|word| word.starts_with("evenkeel-")).collect();
    let requests = components["parameters"].as_object().unwrap().values();
    let requests = requests.filter_map(|it| it["name"].as_str());
    let answers = ["evenkeel-served-by", "evenkeel-attempts"];
    let described: BTreeSet<_> =
        requests.filter(|name| name.starts_with("evenkeel-")).chain(answers).collect();
    assert_eq!(described, wanted);
    for path in DIALECTS {
        let call = &api["paths"][path]["post"]["parameters"];
        let listed = call.as_array().unwrap().iter().filter(|it| it.get("$ref").is_some()).count();
        assert_eq!(listed, wanted.len() - answers.len(), "{path}");
    }
}

#[test]
fn the_examples_of_the_headers_are_taken_and_their_schemas_are_those_of_the_values() {
    let api = openapi();
    for header in api["components"]["parameters"].as_object().unwrap().values() {
        let name = header["name"].as_str().unwrap();
        if !name.starts_with("evenkeel-") {
            continue;
        }
        let taken = |value: &Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let value = HeaderValue::from_str(&text).unwrap();
            let headers = HeaderMap::from_iter([(name.parse::<HeaderName>().unwrap(), value)]);
            evenkeel::CallOptions::from_headers(&headers).is_ok()
        };
        assert!(taken(&header["example"]), "{name}");
        let wrong = Schemas::new(&api).wrong(&header["schema"], &header["example"], name);
        assert!(wrong.is_empty(), "{wrong:?}");
        for value in header["schema"].get("enum").and_then(Value::as_array).into_iter().flatten() {
            assert!(taken(value), "{name}: {value}");
            assert!(!taken(&"anything-else".into()), "{name}");
        }
    }
}

#[tokio::test]
async fn an_error_made_here_has_the_form_that_is_described_for_its_path() {
    let api = openapi();
    let gateway = gateway_for("http://127.0.0.1:1").await;
    for path in DIALECTS {
        let operation = &api["paths"][path]["post"];
        let url = gateway.at(&path.replace("{model}", "m"));
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        let wrong = client().post(&url).header("evenkeel-commit", "soon").body(body);
        assert_eq!(described(&api, operation, wrong.send().await.unwrap()).await, 400, "{path}");
        let response = client().post(&url).body(body).send().await.unwrap();
        let headers = &operation["responses"]["default"]["headers"];
        for (name, header) in headers.as_object().unwrap() {
            let Some(sent) = response.headers().get(name) else {
                assert_eq!(name, "retry-after", "{path}");
                continue;
            };
            let sent = sent.to_str().unwrap();
            let sent = sent.parse::<u64>().map_or_else(|_| sent.into(), Value::from);
            let schemas = Schemas::new(&api);
            let wrong = schemas.wrong(&schemas.resolve(header)["schema"], &sent, name);
            assert!(wrong.is_empty(), "{wrong:?}");
        }
        // 503 once the breaker refuses.
        let status = described(&api, operation, response).await;
        assert!(matches!(status, 502 | 503), "{path}: {status}");
    }
}

#[tokio::test]
async fn the_operators_paths_answer_as_described_with_the_token_and_without() {
    let api = openapi();
    let gateway = watched().await;
    let admin = gateway.admin.clone().unwrap();
    for (path, item) in api["paths"].as_object().unwrap() {
        if let Some(operation) = item.get("get") {
            let url = format!("{admin}{path}");
            let open = operation["security"].as_array().unwrap().len() == 1
                && operation["security"][0] == serde_json::json!({});
            let stranger = client().get(&url).send().await.unwrap();
            let status = described(&api, operation, stranger).await;
            assert_eq!(status == 401, !open, "{path}: {status}");
            let token = client().get(&url).bearer_auth(TOKEN).send().await.unwrap();
            let status = described(&api, operation, token).await;
            assert!(matches!(status, 200 | 204), "{path}: {status}");
        }
    }
    let calls = client().get(gateway.at("/healthz")).send().await.unwrap();
    assert_eq!(described(&api, &api["paths"]["/healthz"]["get"], calls).await, 200);
}

#[tokio::test]
async fn the_operators_actions_answer_as_described() {
    let api = openapi();
    let gateway = watched().await;
    let admin = gateway.admin.clone().unwrap();
    let snapshot = client().get(format!("{admin}/api/snapshot")).bearer_auth(TOKEN);
    let snapshot: Value =
        serde_json::from_slice(&snapshot.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let id = snapshot["routes"][0]["id"].as_str().unwrap();
    assert!(!snapshot["calls"].as_array().unwrap().is_empty(), "calls are described");
    let route = "/api/routes/{id}/{action}";
    let (done, unknown) = (format!("/api/routes/{id}/reset"), "/api/routes/r0/reset".to_owned());
    let drain = ("/api/drain", "/api/drain".to_owned(), 204);
    let cases = [
        (route, done, 204),
        (route, unknown, 404),
        ("/api/rehearse", "/api/rehearse".to_owned(), 200),
        ("/api/rehearse", "/api/rehearse".to_owned(), 429),
        ("/api/login", "/api/login".to_owned(), 400),
        drain,
    ];
    for (path, url, wanted) in cases {
        let operation = &api["paths"][path]["post"];
        let url = format!("{admin}{url}");
        let unmarked = client().post(&url).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(described(&api, operation, unmarked).await, 403, "{path}");
        let marked = client().post(&url).header("x-evenkeel-admin", "1");
        if path != "/api/login" {
            let stranger = marked.try_clone().unwrap().send().await.unwrap();
            assert_eq!(described(&api, operation, stranger).await, 401, "{path}");
        }
        let marked = marked.bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(described(&api, operation, marked).await, wanted, "{path}");
    }
}
