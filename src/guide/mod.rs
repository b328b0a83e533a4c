//! How to use evenkeel with each client, a page for each; [an outage, step by step](outage); [how to test](testing) what your bot
//! does in one; and [how to watch it](telemetry).
//!
//! | your client | page | what you write |
//! |---|---|---|
//! | reqwest | [`reqwest`] | `client.call(request).await` |
//! | reqwest-middleware | [`reqwest_middleware`] | `.with(EvenkeelMiddleware::new(…)?)` |
//! | async-openai | [`async_openai`] | `.with_http_service(EvenkeelService::new(client))` |
//! | rig | [`rig`] | reqwest-middleware under rig |
//! | hyper | [`hyper`] | `HttpService::new(…)` under `build_with` |
//! | an axum server | [`axum`] | `State(client)`, `Body::new(answer.into_body())` |
//! | a Tower stack | [`tower`] | the layers you want, in a `ServiceBuilder` |
//! | keys that expire | [`credentials`] | `Target::new(…).credentials(fetch)` |
//! | genai, ollama-rs, another language | [`elsewhere`] | a base URL |
//!
//! [`errors`] is about failures in an application, and where an answer is from.
//!
//! # Rules for all clients
//!
//! **One layer retries.** Retries inside retries multiply: 3 attempts of a client around 3 of evenkeel are 9 requests for one
//! call, just when the provider is in trouble. Let evenkeel be that layer: it knows the provider's hints, the deadline and the
//! budget. To check whether another layer retries, count: give the client a provider that always fails, and compare. The crate
//! [`evenkeel-testkit`](https://docs.rs/evenkeel-testkit) has one:
//!
//! ```
//! use evenkeel_testkit::{Provider, Reply, Server};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Provider::new("primary").always(Reply::status(503));
//! let server = Server::start(provider.clone()).await?;
//! // Point your client at `server.url()`, call it once, and count the attempts: 3 with the interactive profile.
//! println!("{} attempts", provider.count());
//! # Ok(()) }
//! ```
//!
//! **One clock ends a call.** A total timeout of the client kills healthy long streams, and one that ends at the head never sees
//! a stall. Turn the client's off: evenkeel bounds connecting, the first content, silences and the whole call (see
//! [`timeout`](crate::timeout)). A timeout of a single request becomes that call's deadline.
//!
//! **Each call may have settings of its own**: a deadline, fallbacks, a priority. [`call_options`](crate::call_options) has them
//! for every client.
//!
//! **One client for the whole program.** Clones share breakers, budgets and connections; a client created for every call starts
//! without any state.
//!
//! **TLS is yours.** evenkeel enables no TLS feature of reqwest: your own dependency on `reqwest = "0.13"` decides, by its
//! default features or one of its TLS features. Without any, calls to `https://` are unreachable.
//!
//! **The answer shows its source.** An answer that is not the first target's has the headers `evenkeel-served-by` and
//! `evenkeel-attempts`. If a client hides the response, [listen](crate::ClientBuilder::observe) to the events.

#[cfg(feature = "async-openai")]
pub mod async_openai;
pub mod axum;
#[cfg(feature = "reqwest")]
pub mod credentials;
pub mod elsewhere;
pub mod errors;
#[cfg(feature = "hyper")]
pub mod hyper;
pub mod outage;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
#[cfg(feature = "reqwest-middleware")]
pub mod rig;
pub mod telemetry;
pub mod testing;
#[cfg(feature = "cache")]
pub mod tower;
