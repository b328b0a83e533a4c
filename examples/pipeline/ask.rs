//! Sends one prompt and reads its answer.

use bytes::Bytes;
use evenkeel::{Client, Error, Request, context::AttemptLog, outcome::Verdict};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{BoxError, input::Prompt};

/// The result of a prompt: a line of the output, or a line of the list of failures.
#[derive(Debug)]
pub(crate) enum PromptResult {
    Answered(Value),
    Failed(Value),
}

/// An answer with its text.
struct Answer {
    text: String,
    model: Value,
    attempt_log: AttemptLog,
}

/// The reason why a prompt has no answer.
struct PromptFailure {
    reason: String,
    attempt_log: AttemptLog,
}

/// The request for a prompt. The targets of the client replace the URL and, where they set one, the model.
pub(crate) fn request(prompt: &Prompt, model: &str) -> Result<Request, BoxError> {
    let body = json!({"model": model, "messages": prompt.messages}).to_string();
    // The base URL of the first target replaces this host.
    let request = http::Request::post("http://pipeline/v1/chat/completions");
    Ok(request.header("content-type", "application/json").body(Bytes::from(body))?)
}

/// Sends a prompt and reads its answer. An error means that no request can be built.
pub(crate) async fn ask(
    client: &Client,
    prompt: &Prompt,
    model: &str,
) -> Result<PromptResult, BoxError> {
    let request = request(prompt, model)?;
    Ok(match send(client, request).await {
        Ok(Answer { text, model, attempt_log }) => PromptResult::Answered(json!({
            "id": prompt.id,
            "answer": text,
            "model": model,
            "fallback": attempt_log.served_by().as_deref().unwrap_or("primary"),
            "attempts": attempt_log.sent(),
        })),
        Err(PromptFailure { reason, attempt_log }) => PromptResult::Failed(json!({
            "id": prompt.id,
            "error": reason,
            "attempt_log": attempt_log.to_string(),
        })),
    })
}

async fn send(client: &Client, request: Request) -> Result<Answer, PromptFailure> {
    let response = client.send(request).await.map_err(|error| PromptFailure {
        reason: error.to_string(),
        attempt_log: attempt_log(&error),
    })?;
    let attempt_log = AttemptLog::of(response.extensions());
    let failure = |reason| PromptFailure { reason, attempt_log: attempt_log.clone() };
    let (status, verdict) = (response.status(), response.extensions().get::<Verdict>().cloned());
    let body = response.into_body().collect().await.map_err(|error| failure(error.to_string()))?;
    if !status.is_success() {
        let reason = verdict.map_or_else(
            || status.to_string(),
            |verdict| format!("{status}: {}", verdict.outcome()),
        );
        return Err(failure(reason));
    }
    let answer: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    let Some(text) = answer["choices"][0]["message"]["content"].as_str() else {
        return Err(failure("the answer has no text".into()));
    };
    Ok(Answer { text: text.into(), model: answer["model"].clone(), attempt_log })
}

fn attempt_log(error: &Error) -> AttemptLog {
    error.attempt_log().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use evenkeel_testkit::{Provider, Reply, WORDS};

    use super::*;

    async fn ask_provider(reply: Reply) -> PromptResult {
        let provider = Provider::new("primary").always(reply);
        let client = Client::builder().build_with(provider).unwrap();
        let messages = json!([{"role": "user", "content": "x"}]);
        ask(&client, &Prompt { id: "a".into(), messages }, "m").await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_names_its_prompt_and_its_attempts() {
        let PromptResult::Answered(line) = ask_provider(Reply::answer()).await else {
            panic!("no answer");
        };
        assert_eq!((&line["id"], &line["answer"]), (&json!("a"), &json!(WORDS)));
        assert_eq!((&line["fallback"], &line["attempts"]), (&json!("primary"), &json!(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_names_its_prompt_its_reason_and_its_attempt_log() {
        let PromptResult::Failed(line) = ask_provider(Reply::status(400)).await else {
            panic!("an answer");
        };
        assert_eq!(line["id"], "a");
        assert!(line["error"].as_str().unwrap().starts_with("400"), "{line}");
        assert!(line["attempt_log"].as_str().unwrap().contains("rejected"), "{line}");
        assert_eq!(line.as_object().unwrap().len(), 3, "{line}");
    }
}
