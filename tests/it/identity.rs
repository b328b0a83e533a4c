//! The identity of a caller: routes, stored answers and shared attempts use the same one, and nothing of one caller reaches
//! another caller or another origin.

mod credentials;
mod forwarded_headers;
mod many_credentials;
mod route_names;
mod stored_answers;

use evenkeel::{Client, Profile, Request};
use evenkeel_testkit::{Provider, Reply};

use crate::support::{PRIMARY, call, over};

/// A chat request to the primary with these headers and that query.
fn asked(query: &str, headers: &[(&str, &str)]) -> Request {
    let request = http::Request::post(format!("{PRIMARY}{query}"));
    let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
    let body = r#"{"model":"m","messages":[{"role":"user","content":"where is my parcel?"}]}"#;
    request.header("content-type", "application/json").body(body.into()).unwrap()
}

fn bearer(key: &str) -> Request {
    asked("", &[("authorization", &format!("Bearer {key}"))])
}

fn spent() -> Reply {
    let body =
        r#"{"error":{"message":"You exceeded your current quota.","code":"insufficient_quota"}}"#;
    Reply::raw(429, "application/json", body)
}

fn down() -> Provider {
    Provider::new("primary").always(Reply::status(503))
}

/// A client without waits for retries.
fn client(provider: &Provider) -> Client {
    over(Client::builder(), [provider])
}

async fn status(client: &Client, request: Request) -> u16 {
    match call(client, request).await {
        Ok(answer) => answer.status.as_u16(),
        Err(_) => 0,
    }
}
