//! reqwest-middleware, with evenkeel as its only middleware. Its caller parses the answer itself.

use evenkeel::{ClientBuilder, adapter::reqwest_middleware::EvenkeelMiddleware};
use reqwest_middleware::{ClientBuilder as Build, ClientWithMiddleware};
use serde_json::Value;

use super::{Caller, How, Said, with_sources};
use crate::stage::KEY;

/// reqwest-middleware.
#[derive(Debug)]
pub struct Middleware {
    pub client: ClientWithMiddleware,
    url: String,
}

// === impl Middleware ===

impl Middleware {
    /// A client of reqwest-middleware with that middleware around it.
    pub fn client(evenkeel: EvenkeelMiddleware) -> ClientWithMiddleware {
        // reqwest's own retries of refused streams are off, so that every attempt is counted.
        let client = reqwest::Client::builder().retry(reqwest::retry::never()).build();
        Build::new(client.expect("a client without anything special")).with(evenkeel).build()
    }

    /// Sends the question.
    pub async fn post(&self, how: How) -> reqwest_middleware::Result<reqwest::Response> {
        self.client.post(&self.url).bearer_auth(KEY).body(how.body().to_string()).send().await
    }
}

impl Caller for Middleware {
    fn new(evenkeel: ClientBuilder, base: &str) -> Self {
        let evenkeel = EvenkeelMiddleware::new(evenkeel).expect("the configuration is right");
        Self { client: Self::client(evenkeel), url: format!("{base}/chat/completions") }
    }

    async fn ask(&self, how: How) -> Result<Said, String> {
        let response = self.post(how).await.map_err(with_sources)?;
        let status = response.status();
        let text = response.text().await.map_err(with_sources)?;
        if !status.is_success() {
            return Err(format!("{status} {text}"));
        }
        let mut said = Said::default();
        let mut call = (String::new(), String::new());
        if how.is_streamed() {
            let events = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
            for data in events.filter(|data| *data != "[DONE]") {
                read(
                    &serde_json::from_str(data).map_err(with_sources)?,
                    "delta",
                    &mut said,
                    &mut call,
                );
            }
        } else {
            read(
                &serde_json::from_str(&text).map_err(with_sources)?,
                "message",
                &mut said,
                &mut call,
            );
        }
        if !call.0.is_empty() {
            said.calls.push((call.0, serde_json::from_str(&call.1).map_err(with_sources)?));
        }
        Ok(said)
    }
}

fn read(json: &Value, place: &str, said: &mut Said, call: &mut (String, String)) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    said.model = text(&json["model"]);
    said.usage = json["usage"]["completion_tokens"].as_u64().or(said.usage);
    let message = &json["choices"][0][place];
    said.text += &text(&message["content"]);
    let function = &message["tool_calls"][0]["function"];
    call.0 += &text(&function["name"]);
    call.1 += &text(&function["arguments"]);
}
