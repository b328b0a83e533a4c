//! With async-openai: one `with_http_service`.
//!
//! ```no_run
//! use async_openai::{Client, config::OpenAIConfig};
//! use evenkeel::{adapter::async_openai::EvenkeelService, fallback::{Fallback, Target}};
//!
//! # fn run(other_key: &str) -> Result<(), evenkeel::ConfigError> {
//! let evenkeel = evenkeel::Client::builder()
//!     .fallback(Fallback::target(Target::new("https://api.mistral.ai/v1").bearer(other_key).model("mistral-small-latest")))
//!     .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
//!     .build()?;
//! let client = Client::with_config(OpenAIConfig::new())
//!     .with_http_service(EvenkeelService::new(evenkeel));
//! # drop(client); Ok(())
//! # }
//! ```
//!
//! `client.chat().create(…)` and `create_stream(…)` stay as they are. The key in the configuration is that of the first target;
//! it is removed from every request to another host.
//!
//! # Settings of one call
//!
//! The client passes no extensions along: set the options of a call by a [scope](crate::call_options#scopes).
//!
//! ```no_run
//! # use std::time::Duration;
//! # use async_openai::{Client, config::OpenAIConfig, error::OpenAIError};
//! # use evenkeel::CallOptions;
//! # async fn create(client: &Client<OpenAIConfig>) -> Result<(), OpenAIError> { Ok(()) }
//! # async fn run(client: &Client<OpenAIConfig>) -> Result<(), OpenAIError> {
//! let options = CallOptions::new().deadline(Duration::from_secs(8)).fallback_models(["gpt-4o-mini"]);
//! // `create` is any call, such as client.chat().create(…) or client.chat().create_stream(…).
//! options.scope(create(client)).await
//! # }
//! ```
//!
//! A stream that `create_stream` has returned keeps them, wherever it is read.
//!
//! # Results
//!
//! See [the adapter](crate::adapter::async_openai#errors). One match covers it:
//!
//! ```
//! use async_openai::error::OpenAIError;
//!
//! fn tell(error: &OpenAIError) -> String {
//!     match error {
//!         // The answer of the provider: the status is always there, even if the body is a page.
//!         OpenAIError::ApiError(error) => format!("{}", error.status_code),
//!         // No connection, or one that broke.
//!         OpenAIError::Reqwest(error) => format!("transport: {error}"),
//!         // The error of evenkeel: a timeout, a refusal by a breaker, an empty answer.
//!         OpenAIError::Boxed(error) => match error.downcast_ref::<evenkeel::Error>() {
//!             Some(error) => format!("{}, again in {:?}", error.outcome(), error.retry_in()),
//!             None => error.to_string(),
//!         },
//!         other => other.to_string(),
//!     }
//! }
//! # let _ = tell;
//! ```
//!
//! # Pitfalls
//!
//! * **Double retries.** Every other constructor of the client has a retry layer of its own, so that a 500 is requested four
//!   times. `with_http_service` removes it; `with_http_client` **after** it restores it and silently drops evenkeel. Leave
//!   `OpenAIRetryLayer` and `SimpleRetryPolicy` out of stacks around the service, too: around three attempts of evenkeel they
//!   make twelve.
//! * **Streams.** By itself the client takes a stream that ends too early for a whole one, and waits for a stalled one for ever.
//!   Through evenkeel both are errors: a `StreamError` at the end, whose text is the transport's. For the outcome,
//!   [listen](crate::ClientBuilder::observe) to the events. To get no partial answers at all, commit when complete:
//!   [`CommitPolicy::Complete`](crate::stream::CommitPolicy::Complete).
//! * **Timeouts.** The client has none; a Tower timeout around the service ends at the head. evenkeel's timeouts cover the body
//!   to its last byte.
//! * **TLS.** The client's `rustls` and `native-tls` features select that of the same `reqwest`, so evenkeel has it as well.
//! * **Uploads** (multipart forms) are sent once.
//! * **Sync.** The client requires a service that is `Sync`. `EvenkeelService` is; a boxed stack around it has to be a
//!   `BoxCloneSyncService`.
