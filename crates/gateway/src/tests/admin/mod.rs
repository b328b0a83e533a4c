//! The operator's listener.

mod access;
mod events;
mod metrics;
mod outage;
mod page;
mod process;
mod rehearse;

use evenkeel_testkit::{Provider, Reply, Server};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use super::support::{QUICK, TestGateway, client, gateway_with};

/// The value of every `…_KEY` in the environment of a test.
const TOKEN: &str = "key-of-the-target";

/// A gateway with an operator's listener in front of one target, `openai`, and a canned reply, `sorry`.
struct Watched {
    gateway: TestGateway,
    provider: Provider,
    _server: Server,
}

// === impl Watched ===

impl Watched {
    /// Without a token.
    async fn new() -> Self {
        Self::with("").await
    }

    /// With a token.
    async fn guarded() -> Self {
        Self::with("[admin]\ntoken_env = \"ADMIN_KEY\"\n").await
    }

    /// With a listener of the calls that takes only so many connections.
    async fn with_connections(connections: usize) -> Self {
        Self::limited(&format!("connections = {connections}\n"), "").await
    }

    async fn with(more: &str) -> Self {
        Self::limited("", more).await
    }

    async fn limited(limits: &str, more: &str) -> Self {
        let provider = Provider::new("openai");
        let server = Server::start(provider.clone()).await.unwrap();
        let toml = format!(
            "[[target]]\nname = \"openai\"\nbase_url = \"{}/v1\"\nmodel = \"gpt-4o\"\nkey_env = \"A_KEY\"\n\
             [[canned]]\nname = \"sorry\"\ntext = \"Later.\"\n{QUICK}retries = 0\n{limits}\
             [breaker]\nconsecutive_failures = 2\n{more}",
            server.url()
        );
        let gateway = gateway_with(&toml, &["--admin", "127.0.0.1:0"]).await;
        Self { gateway, provider, _server: server }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.admin.as_ref().unwrap())
    }

    fn get(&self, path: &str) -> RequestBuilder {
        client().get(self.at(path))
    }

    /// A POST as the page sends it.
    fn post(&self, path: &str) -> RequestBuilder {
        client().request(Method::POST, self.at(path)).header("x-evenkeel-admin", "1")
    }

    async fn snapshot(&self) -> Value {
        json(self.get("/api/snapshot").send().await.unwrap()).await
    }

    async fn call(&self) -> String {
        let response = self.gateway.chat("gpt-4o", false).send().await.unwrap();
        let served_by = response.headers()["evenkeel-served-by"].to_str().unwrap().to_owned();
        response.bytes().await.unwrap();
        served_by
    }

    /// Opens the route.
    async fn outage(&self) {
        self.provider.set(Reply::status(503));
        while self.gateway.health().await["routes"][0]["state"] != "open" {
            assert_eq!(self.call().await, "sorry");
        }
    }
}

async fn json(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// The words of an error, and its status.
async fn refused(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, json(response).await["error"].as_str().unwrap().to_owned())
}
