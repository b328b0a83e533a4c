//! Answers a customer while the primary provider is down: `cargo run --example quickstart`.
//!
//! Both providers are embedded, so the example needs no API key and no server.

use std::error::Error;

use evenkeel::Client;
use evenkeel::context::AttemptLog;
use evenkeel::fallback::{Fallback, Target};
use evenkeel_testkit::{Provider, Reply, Server};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Two providers on this machine: the primary answers every request with 503, the secondary is healthy.
    let primary = Server::start(Provider::new("primary").always(Reply::status(503))).await?;
    let answer = Reply::answer().text("It left our warehouse today and is with you tomorrow.");
    let secondary = Server::start(Provider::new("secondary").always(answer)).await?;

    // One client for the whole program. Its fallbacks are the secondary and a canned reply.
    let client = Client::builder()
        .fallback(Fallback::target(Target::new(secondary.url()).model("small")).named("secondary"))
        .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
        .build()?;

    // A request to the primary, built with reqwest and executed by evenkeel.
    let question = "Where is my parcel?";
    let body = json!({"model": "large", "messages": [{"role": "user", "content": question}]});
    let request = reqwest::Client::new().post(format!("{}/v1/chat/completions", primary.url()));
    let response = client.execute(request.body(body.to_string()).build()?).await?;

    // The response carries the log of its attempts.
    let attempt_log = AttemptLog::of(response.extensions());
    let answer: Value = serde_json::from_str(&response.text().await?)?;
    println!("customer:    {question}");
    println!("bot:         {}", answer["choices"][0]["message"]["content"]);
    println!("answered by: {}", attempt_log.served_by().unwrap_or_default());
    println!("attempt log: {attempt_log}");
    Ok(())
}
