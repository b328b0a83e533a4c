//! Some layers of evenkeel in a Tower stack.

use std::time::Duration;

use evenkeel::{
    adapter::Reqwest, breaker::BreakerPolicy, classify::ClassifyPolicy, retry::RetryPolicy,
    timeout::TimeoutPolicy,
};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = ServiceBuilder::new()
        .layer(RetryPolicy::default().build()?)
        .layer(BreakerPolicy::default().build()?)
        .layer(TimeoutPolicy::default().first_event(Duration::from_secs(5)).build()?)
        .layer(ClassifyPolicy::default().build()?)
        .service(Reqwest::new(Duration::from_secs(5))?);

    let request = http::Request::post("https://api.openai.com/v1/chat/completions")
        .header("authorization", "Bearer your key")
        .header("content-type", "application/json")
        .body(r#"{"model": "gpt-4o-mini", "messages": []}"#.into())?;
    println!("{}", service.oneshot(request).await?.status());
    Ok(())
}
