//! reqwest-middleware with evenkeel as its first middleware.

use evenkeel::{Client, adapter::reqwest_middleware::EvenkeelMiddleware, fallback::Fallback};
use reqwest_middleware::ClientBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let evenkeel = EvenkeelMiddleware::new(
        Client::builder().fallback(Fallback::canned("We are very busy. Please write to us.")),
    )?;
    let client = ClientBuilder::new(reqwest::Client::new()).with(evenkeel).build();

    let request = client
        .post("https://api.openai.com/v1/chat/completions")
        .bearer_auth("your key")
        .header("content-type", "application/json")
        .body(r#"{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#);
    println!("{}", request.send().await?.text().await?);
    Ok(())
}
