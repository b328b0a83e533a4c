//! One prompt: the request, and what its answer says.

use bytes::Bytes;
use evenkeel::{Client, Error, Request, context::AttemptLog, outcome::Verdict};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{Failure, input::Prompt};

/// What a prompt came to: a line of the output, or one of the failures.
#[derive(Debug)]
pub(crate) enum Came {
    Answered(Value),
    Failed(Value),
}

/// The request of a prompt. Where it goes, and to which model, is for the client's targets to say.
pub(crate) fn request(prompt: &Prompt, model: &str) -> Result<Request, Failure> {
    let body = json!({"model": model, "messages": prompt.messages}).to_string();
    // The place is the first target's.
    let request = http::Request::post("http://pipeline/v1/chat/completions");
    Ok(request.header("content-type", "application/json").body(Bytes::from(body))?)
}

/// Asks, and reads the answer.
pub(crate) async fn ask(client: &Client, prompt: &Prompt, model: &str) -> Result<Came, Failure> {
    let request = request(prompt, model)?;
    let response = match client.send(request).await {
        Ok(response) => response,
        Err(error) => return Ok(Came::Failed(failed(prompt, &error.to_string(), &of(&error)))),
    };
    let attempt_log = AttemptLog::of(response.extensions());
    let (status, verdict) = (response.status(), response.extensions().get::<Verdict>().cloned());
    let body = match response.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Ok(Came::Failed(failed(prompt, &error.to_string(), &attempt_log))),
    };
    if !status.is_success() {
        let why =
            verdict.map_or_else(|| status.to_string(), |it| format!("{status}: {}", it.outcome()));
        return Ok(Came::Failed(failed(prompt, &why, &attempt_log)));
    }
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(text) = answer["choices"][0]["message"]["content"].as_str() else {
        return Ok(Came::Failed(failed(prompt, "the answer has no text", &attempt_log)));
    };
    Ok(Came::Answered(json!({
        "id": prompt.id,
        "answer": text,
        "model": answer["model"],
        "rung": attempt_log.rung().as_deref().unwrap_or("primary"),
        "attempts": attempt_log.sent(),
    })))
}

fn of(error: &Error) -> AttemptLog {
    error.attempt_log().cloned().unwrap_or_default()
}

fn failed(prompt: &Prompt, why: &str, attempt_log: &AttemptLog) -> Value {
    json!({"id": prompt.id, "error": why, "journey": attempt_log.to_string()})
}
