//! In an axum server: a handler that streams an answer to a browser, and stops when the browser is gone.
//!
//! The [`Client`](crate::Client) is the state of the router: a handle, cloned for each request, with one set of breakers for the
//! whole server. The body of an answer is an `http_body::Body`, so that axum can send it as it arrives.
//!
//! ```
//! use std::time::Duration;
//! use axum::{
//!     Router,
//!     body::Body,
//!     extract::State,
//!     http::{Request, StatusCode, header},
//!     response::{IntoResponse, Response},
//!     routing::post,
//! };
//! use bytes::Bytes;
//! use evenkeel::{Client, Error, ResponseExt, dialect::RequestInfo, fallback::Fallback, stream::ErrorTailBody};
//! # use evenkeel_testkit::{Provider, Reply};
//! # use http_body_util::BodyExt;
//! # use tower::ServiceExt;
//!
//! async fn chat(State(client): State<Client>, question: String) -> Result<Response, Failed> {
//!     let question = serde_json::json!({
//!         "model": "gpt-4o-mini", "stream": true, "messages": [{"role": "user", "content": question}],
//!     });
//!     let request = Request::post("https://api.openai.com/v1/chat/completions")
//!         .header(header::AUTHORIZATION, "Bearer the key, which stays here")
//!         .header(header::CONTENT_TYPE, "application/json")
//!         .body(Bytes::from(question.to_string()))
//!         .map_err(|_| Failed(StatusCode::BAD_REQUEST))?;
//!     let info = RequestInfo::read(&request);
//!     let answer = client.send(request).await?.into_result()?;
//!     // A browser cannot see the error of a body: here it is the last event.
//!     let events = Body::new(ErrorTailBody::new(answer.into_body(), &info));
//!     // Of the provider's headers nothing is passed on.
//!     Ok(([(header::CONTENT_TYPE, "text/event-stream")], events).into_response())
//! }
//!
//! /// What the browser gets instead of an answer.
//! struct Failed(StatusCode);
//!
//! impl From<Error> for Failed {
//!     fn from(error: Error) -> Self {
//!         Self(match () {
//!             () if error.is_blocked() || error.is_too_large() => StatusCode::UNPROCESSABLE_ENTITY,
//!             () if error.is_rate_limited() || error.is_refused() => StatusCode::SERVICE_UNAVAILABLE,
//!             () => StatusCode::BAD_GATEWAY,
//!         })
//!     }
//! }
//!
//! impl IntoResponse for Failed {
//!     fn into_response(self) -> Response {
//!         (self.0, "I cannot answer now. A colleague will write to you today.").into_response()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let slow = Reply::answer().between_events(Duration::from_millis(50));
//! # let provider = Provider::new("api").always(slow);
//! # let transport = provider.clone();
//! let client = Client::builder()
//!     .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
//!     .build_with(transport)?;
//! let router: Router = Router::new().route("/chat", post(chat)).with_state(client);
//! // let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! // axum::serve(listener, router).await?;
//! # let ask = || Request::post("/chat").body(Body::from("Where is my parcel?"));
//! # let whole = router.clone().oneshot(ask()?).await?.into_body().collect().await?.to_bytes();
//! # assert!(std::str::from_utf8(&whole)?.ends_with("data: [DONE]\n\n"));
//! # // The browser leaves in the middle of the answer.
//! # let mut left = router.clone().oneshot(ask()?).await?.into_body();
//! # left.frame().await.expect("the first event")?;
//! # assert_eq!(provider.in_flight(), 1);
//! # drop(left);
//! # tokio::time::sleep(Duration::from_millis(1)).await;
//! # assert_eq!((provider.in_flight(), provider.cancelled()), (0, 1));
//! # // And before it.
//! # provider.set(Reply::hang());
//! # let early = tokio::time::timeout(Duration::from_millis(20), router.clone().oneshot(ask()?)).await;
//! # assert!(early.is_err() && provider.in_flight() == 0);
//! # provider.set(Reply::content_policy_violation());
//! # assert_eq!(router.oneshot(ask()?).await?.status(), 422);
//! # Ok(()) }
//! ```
//!
//! When the browser leaves, axum drops the handler, or the body if the answer has begun; evenkeel cancels the attempt with it,
//! and the provider stops to generate. The call is recorded as cancelled, which is no failure of the provider.
//!
//! # Pitfalls
//!
//! * **Do not spawn the call** in a task of its own: it would outlive the browser, and cost the whole answer.
//! * **Do not forward headers** of the browser to the provider, nor those of the provider to the browser: cookies and account
//!   names are among them.
//! * **A router is also an upstream**: [`HttpService`](crate::adapter::HttpService) takes one, for a provider of your own in
//!   tests.
//! * **Compression layers** hold events back until a block is full: leave `text/event-stream` out of them, as tower-http's does.
