//! async-openai over evenkeel.

use async_openai::config::OpenAIConfig;
use evenkeel::{Client, adapter::async_openai::EvenkeelService, fallback::Fallback};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let evenkeel = Client::builder()
        .fallback(Fallback::canned("We are very busy. Please write to us."))
        .build()?;
    let client = async_openai::Client::with_config(OpenAIConfig::new())
        .with_http_service(EvenkeelService::new(evenkeel));
    // `client.chat().create(…)` and `create_stream(…)` stay as they are.
    drop(client);
    Ok(())
}
