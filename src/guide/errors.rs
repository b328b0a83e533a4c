//! Failures in an application: one error for all of them, and what to do about each.
//!
//! A call fails in one of three places. All give the same [`Error`](crate::Error):
//!
//! | where | how |
//! |---|---|
//! | no answer: refused, timed out, no connection | `Err` of the call |
//! | an answer that is a failure, passed on as the provider sent it | [`into_result`](crate::ResponseExt::into_result) |
//! | a body that fails while it is read | the body's error; `?` on that of reqwest, [`Error::find`](crate::Error::find) in that of others |
//!
//! So a function that asks for an answer is three `?`, also with reqwest (`answer.text().await?`), and a bot that says sorry is a few
//! lines:
//!
//! ```
//! use bytes::Bytes;
//! use evenkeel::{Client, Error, Request, ResponseExt};
//! use http_body_util::BodyExt;
//! # use evenkeel_testkit::{Provider, Reply};
//!
//! async fn answer(client: &Client, request: Request) -> Result<Bytes, Error> {
//!     let response = client.send(request).await?.into_result()?;
//!     Ok(response.into_body().collect().await?.to_bytes())
//! }
//!
//! fn apology(error: &Error) -> &'static str {
//!     match error {
//!         it if it.is_blocked() => "I cannot help with that question.",
//!         it if it.is_too_large() => "That is too long for me. Please send less.",
//!         it if it.is_rate_limited() || it.is_refused() => "We are very busy. Please try again in a minute.",
//!         _ => "I cannot answer now. A colleague will write to you today.",
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let provider = Provider::new("api").always(Reply::content_policy_violation());
//! # let client = Client::builder().build_with(provider)?;
//! # let body = r#"{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#;
//! # let request = http::Request::post("https://api.example.com/v1/chat/completions").body(body.into())?;
//! let error = answer(&client, request).await.expect_err("the provider blocks it");
//! assert_eq!(apology(&error), "I cannot help with that question.");
//! # Ok(()) }
//! ```
//!
//! With a [canned reply](crate::fallback::Fallback::canned) as the last fallback the bot needs this only for what no fallback
//! takes: a blocked question, a wrong request.
//!
//! # What to do
//!
//! The questions are independent of the provider: [`Error`](crate::Error) has the table of the outcomes behind them.
//!
//! | question | the user | the operator |
//! |---|---|---|
//! | `is_blocked`, `is_too_large` | may ask differently | nothing |
//! | `is_rate_limited`, `is_refused`, `is_unavailable`, `is_timeout` | may try again in [`retry_in`](crate::Error::retry_in) | nothing, if it passes |
//! | `is_unauthorized`, `is_quota_exhausted` | cannot help it | replace the key, pay the bill, then [`Client::reset`](crate::Client::reset) |
//! | `is_rejected`, `is_unusable` | cannot help it | read [`read_body`](crate::Error::read_body): the request or the model is wrong |
//! | `all_failed` | cannot help it | add a fallback at another provider |
//!
//! In a pipeline, [`is_permanent`](crate::Error::is_permanent) separates what goes to a human from what is tried again tomorrow.
//!
//! # Where an answer is from
//!
//! [`ServedBy`](crate::ServedBy) says it for each answer, so that a bot can label one that is not the usual:
//!
//! ```
//! use evenkeel::{ResponseExt, ServedBy};
//!
//! fn label(response: &impl ResponseExt) -> String {
//!     match response.served_by() {
//!         ServedBy::Stored { age, stale: true, .. } => format!("As of {} minutes ago:", age.as_secs() / 60),
//!         served if served.is_degraded() => "Our usual assistant is not available.".into(),
//!         _ => String::new(),
//!     }
//! }
//! # assert_eq!(label(&http::Response::new(evenkeel::Body::empty())), "");
//! ```
//!
//! # Pitfalls
//!
//! * **An error holds its answer.** Until [`read_body`](crate::Error::read_body) or the drop of the error, the body of the answer
//!   holds its connection: do not collect errors for long.
//! * **Bodies may repeat prompts.** `Debug` and `Display` of an error never do; what `read_body` returns may.
//! * **A transparent error of yours** (`#[error(transparent)]`) hides evenkeel's from [`Error::find`](crate::Error::find).
