//! Credentials that expire: a token that is fetched and refreshed, or a signature that is made for each attempt.
//!
//! A [`Target`](crate::target::Target) has a fixed key, or a source: [`Target::credentials`](crate::target::Target::credentials)
//! for a token that is valid for a while (OAuth, Vertex AI, Microsoft Entra ID, a key from a vault), or
//! [`Target::signer`](crate::target::Target::signer) for APIs where each request is signed (AWS). This layer, next to the
//! transport, sets the headers of the source in what is really sent, after all edits. A [`Client`](crate::Client) has it.
//! [`guide::credentials`](crate::guide::credentials) has a program for each.
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::{BoxError, Client, credentials::Credentials, fallback::{Fallback, Target}};
//! # use evenkeel_testkit::{Hosts, Provider};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! # let transport = Hosts::new([Provider::new("api").requires("the token")]);
//! let token = || async {
//!     // Ask the identity provider.
//!     Ok::<_, BoxError>(Credentials::bearer("the token").expires_in(Duration::from_secs(3600)))
//! };
//! let client = Client::builder()
//!     .primary(Target::new("http://api/v1").credentials(token))
//!     .fallback(Fallback::canned("We are very busy."))
//!     .build_with(transport)?;
//!
//! let body = r#"{"model": "m", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#;
//! let request = http::Request::post("http://api/v1/chat/completions").body(body.into())?;
//! let response = client.send(request).await?;
//! assert!(!response.headers().contains_key("evenkeel-served-by"), "the primary has answered");
//! # Ok(()) }
//! ```
//!
//! # A token
//!
//! - It is fetched when the first attempt needs it, **once for all** attempts that wait for it, in a task of its own: a caller who
//!   leaves does not end the fetch for the others.
//! - It is refreshed **before its end**, in the background, while the old one is still used.
//! - If the provider **rejects** it (401; a 400 or 403 that names an expired or invalid token), it is fetched again, once for all
//!   attempts that were rejected, and the attempt is sent once more, within its own time. A second rejection is final, and so is
//!   the rejection of a token that was fetched just now. An upload that can be sent only once is not sent again.
//! - Shared by all targets with the same [`CredentialPolicy`].
//!
//! # A signature
//!
//! The [`RequestSigner`] gets the method, the URI, the headers and the body of each attempt, as they are sent; a retry, a second
//! copy and a fallback are each signed anew. After a rejection the request is signed and sent once more, with
//! [`SigningRequest::is_after_rejection`]; that happens for one rejection in 10 s, and for the attempts that were signed before it.
//!
//! # When the source fails
//!
//! The attempt is not sent: [`NotSent`](crate::outcome::Outcome::NotSent), with
//! [`LocalTrouble::Credentials`](crate::outcome::LocalTrouble::Credentials) in its verdict. It moves down to the next fallback at
//! once; with none it is retried. No breaker counts it, and the wait for credentials is not latency of the provider. The error of
//! the source is a [source](std::error::Error::source) of the call's [`Error`](crate::Error).
//!
//! | the source | what follows |
//! |---|---|
//! | fails, or returns headers that cannot be sent | no fetch for 1 s, doubled each time up to 60 s, less up to half at random; attempts without a valid token fail at once |
//! | hangs | an attempt waits for half of its time, at most 10 s; then the same |
//! | panics | the same; no call panics |
//! | fails while the token is still valid | nothing: the token is used until its end, and the source is asked again |
//!
//! # Where credentials go
//!
//! Only to the host of their target: if a layer of yours sends the request elsewhere, it is not sent at all. The built-in transport
//! follows no redirect. A source replaces the caller's own `authorization`, API keys and keys in the query, and may set any header
//! but those of the transport and of the body: see [`Credentials`]. The [route](crate::context::Route) of such a target has a
//! fingerprint of the source, or its [label](crate::target::Target::label), after a `~`: a refreshed token has the same breaker,
//! budget and limit, and a rejected one does not close the route.
//!
//! # Defaults
//!
//! Those of [`CredentialPolicy`]: refreshed 60 s before the end, or a tenth of the lifetime if that is less; 10 s between two
//! fetches; 10 s for a fetch.
//!
//! # Events
//!
//! [`CredentialsFetched`](crate::telemetry::EventKind::CredentialsFetched),
//! [`CredentialsFailed`](crate::telemetry::EventKind::CredentialsFailed) (a warning in `tracing`) and
//! [`CredentialsRejected`](crate::telemetry::EventKind::CredentialsRejected). None has a header, a token, or the text of an error.
//!
//! # Pitfalls
//!
//! - In a stack that you put together by hand, the [`CredentialLayer`] has to be there: without it, no credentials are sent.
//! - Give the lifetime ([`Credentials::expires_in`]) if it is known. Without it a token is used until it is rejected, which costs
//!   one extra request.
//! - The clock that is used stands still while a machine sleeps. After that, the first call finds the token rejected, and
//!   refreshes it.
//! - A source that blocks its thread blocks the other tasks there: use `tokio::task::spawn_blocking`.
//! - Each [`CredentialPolicy`] that is created is a source of its own, with its own token and route. Create it once, not for each
//!   call.
//! - A client that follows redirects itself may take these headers along: see
//!   `evenkeel::adapter::Reqwest::from_client`.

mod attempt;
mod rejection;
mod service;
mod wait;

pub use service::{CredentialLayer, CredentialService};

pub use crate::target::credentials::{
    CredentialPolicy, CredentialSource, Credentials, CredentialsFuture, RequestSigner,
    SigningRequest,
};
pub use crate::telemetry::CredentialFailure;
