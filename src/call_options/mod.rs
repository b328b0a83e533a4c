//! Settings of one call, in every client.
//!
//! [`CallOptions`] hold them. A call gets them in the way that its client has:
//!
//! | client | how |
//! |---|---|
//! | reqwest, hyper, Tower | [`client.call(request)`](crate::Client::call)`.deadline(…).fallback_models(…).await` |
//! | a `http::Request` that goes to [`send`](crate::Client::send) | a `CallOptions`, or a single value, in its extensions |
//! | reqwest-middleware | `request.with_extension(options)`, or a single value |
//! | async-openai, rig, any other | [`options.scope(call)`](CallOptions::scope)`.await` |
//! | another language, by the gateway | headers of the request |
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::{CallOptions, Client, context::Priority};
//! # use evenkeel_testkit::Provider;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = Client::builder().build_with(Provider::new("api"))?;
//! let night_shift = CallOptions::new().priority(Priority::Batch).fallback_models(["gpt-4o-mini"]);
//! let body = r#"{"model": "gpt-4o", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#;
//! let request = http::Request::post("https://api.example.com/v1/chat/completions").body(body)?;
//!
//! // The options of the scope, and a deadline for this call.
//! let call = client.call(request).deadline(Duration::from_secs(8)).send();
//! let answer = night_shift.scope(call).await?;
//! # assert!(answer.status().is_success());
//! # Ok(()) }
//! ```
//!
//! # The settings
//!
//! | field | value in the extensions | header of the gateway | default |
//! |---|---|---|---|
//! | [`deadline`](CallOptions::deadline), [`deadline_at`](CallOptions::deadline_at) | [`Deadline`] | `evenkeel-deadline-ms: 8000` | the profile's |
//! | [`priority`](CallOptions::priority) | [`Priority`] | `evenkeel-priority: interactive` or `batch` | interactive |
//! | [`fallbacks`](CallOptions::fallbacks) | [`Fallbacks`] | | none |
//! | [`fallback_models`](CallOptions::fallback_models) | | `evenkeel-fallbacks: gpt-4o-mini,o3` | none |
//! | [`allowed_fallbacks`](CallOptions::allowed_fallbacks) | [`AllowedFallbacks`] | | all |
//! | [`affinity`](CallOptions::affinity) | [`AffinityKey`] | `evenkeel-affinity: KEY`, 1 to 256 characters; `evenkeel-sticky` is its older spelling | by load |
//! | [`commit`](CallOptions::commit) | [`CommitPolicy`] | `evenkeel-commit: first-content` or `complete` | the profile's |
//! | [`tenant`](CallOptions::tenant) | [`Tenant`] | `evenkeel-tenant: NAME`, 1 to 256 characters, within the credential of the caller | the credential |
//! | [`mid_stream_failure`](CallOptions::mid_stream_failure) | [`MidStreamFailure`] | `evenkeel-mid-stream-failure: error` or `continue` | the client's |
//! | [`dialect`](CallOptions::dialect) | [`Dialect`] | `evenkeel-dialect: openai-chat`, `openai-responses`, `anthropic`, `gemini` or `ollama` | by the path |
//!
//! [`CallOptions::from_headers`] parses the headers for a service of your own.
//!
//! # Precedence
//!
//! Each field by itself, the first that is set:
//!
//! 1. the call: [`Client::call`](crate::Client::call) and its setters
//! 2. a single value in the extensions of the request, such as a [`Deadline`]
//! 3. a `CallOptions` in the extensions of the request
//! 4. the scope, the inner one before the outer ones
//! 5. the client and its profile
//!
//! In reqwest-middleware the extensions are those of its request. The timeout of a reqwest request is not an option but a bound:
//! it applies as well, if it is sooner.
//!
//! A wrong value is refused before anything is sent: the call ends with an [`Error`](crate::Error) whose source is a
//! [`ConfigError`](crate::ConfigError) that names field, value and what is allowed. [`CallOptions::check`] finds it earlier.
//!
//! # Scopes
//!
//! [`CallOptions::scope`] makes options those of all calls of evenkeel, by any client, that a future makes while it runs, or a
//! stream while it is read. A scope inside of another is merged with it field by field. A `deadline` counts for each of the calls
//! from its own start; a [`deadline_at`](CallOptions::deadline_at) is one moment for all of them.
//!
//! A call has its options from the moment at which it is sent. So an answer that is streamed keeps them if it is read outside
//! of the scope. A stream that sends its request only when it is read, such as that of rig, belongs into a scope itself:
//! `options.scope(stream)` is a stream.
//!
//! A scope belongs to a task. `tokio::spawn` inside of it starts a task without one; give it the options of the scope:
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::CallOptions;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let options = CallOptions::new().deadline(Duration::from_secs(8));
//! let task = options.scope(async { tokio::spawn(CallOptions::current().scope(async { /* calls */ })) }).await;
//! # task.await.expect("it ends");
//! # }
//! ```
//!
//! # Pitfalls
//!
//! A client or a Tower stack that runs calls in tasks of its own, such as `tower::buffer`, loses a scope in the same way: set the
//! options in the extensions of the request instead.
//!
//! A call with fallbacks of its own shares no attempt with equal calls.
//!
//! [`Deadline`]: crate::context::Deadline
//! [`Priority`]: crate::context::Priority
//! [`Fallbacks`]: crate::fallback::Fallbacks
//! [`AllowedFallbacks`]: crate::context::AllowedFallbacks
//! [`AffinityKey`]: crate::context::AffinityKey
//! [`CommitPolicy`]: crate::stream::CommitPolicy
//! [`Tenant`]: crate::cache::Tenant
//! [`Tenant::of_caller`]: crate::cache::Tenant::of_caller
//! [`MidStreamFailure`]: crate::stream::MidStreamFailure
//! [`Dialect`]: crate::dialect::Dialect

mod apply;
mod bounds;
#[cfg(feature = "reqwest-middleware")]
mod carry;
mod headers;
mod models;
mod options;
mod scope;

pub(crate) use apply::OptionSources;
#[cfg(feature = "reqwest-middleware")]
pub(crate) use carry::carry;
pub use options::CallOptions;
pub(crate) use scope::Scope;
pub use scope::Scoped;
