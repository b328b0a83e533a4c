//! reqwest through evenkeel, with a second provider and a canned reply.

use std::time::Duration;

use evenkeel::{
    Client, ResponseExt,
    fallback::{Fallback, Target},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Once, for the whole program.
    let mistral =
        Target::new("https://api.mistral.ai/v1").bearer("its key").model("mistral-small-latest");
    let client = Client::builder()
        .fallback(Fallback::target(mistral))
        .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
        .build()?;

    let request = reqwest::Client::new()
        .post("https://api.openai.com/v1/chat/completions")
        .bearer_auth("your key")
        .header("content-type", "application/json")
        .body(r#"{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#);
    let answer = client.call(request).deadline(Duration::from_secs(8)).await?.into_result()?;
    println!("{}: {}", answer.served_by(), answer.text().await?);
    Ok(())
}
