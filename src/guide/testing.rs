//! How to test what your bot does while its provider is down: with a provider that fails on purpose, in virtual time.
//!
//! ```sh
//! cargo add --dev evenkeel-testkit
//! cargo add --dev tokio --features macros,rt,test-util
//! ```
//!
//! [`evenkeel-testkit`](https://docs.rs/evenkeel-testkit) has a `Provider` that answers in process. It takes the place of the
//! transport: `build_with(provider)` instead of `build()`. In a test with `start_paused = true` no wait takes real time, so that
//! timeouts, breakers and whole outages are tested at once.
//!
//! # Your bot on 4 June
//!
//! On 4 June 2024 ChatGPT was down twice, for four hours and for two. Here that day is a test: 708 minutes and 4 000 calls, in seconds.
//!
//! ```
//! use evenkeel::{Client, Upstream, fallback::{Fallback, Target}};
//! use evenkeel_testkit::{Incident, Scenario};
//!
//! // Your bot's client. The program builds it over reqwest, the test over the transport of the scenario.
//! fn client(transport: impl Upstream) -> Client {
//!     let builder = Client::builder()
//!         .fallback(Fallback::target(Target::new("http://secondary").model("small")).named("secondary"))
//!         .fallback(Fallback::canned("We are very busy. A colleague will write to you today."));
//!     builder.build_with(transport).expect("the settings are valid")
//! }
//!
//! // In your code: #[tokio::test(start_paused = true)] async fn every_customer_is_answered_on_4_june()
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! let scenario = Scenario::new(Incident::openai_2024_06_04()).rate(6.0).stream(false);
//! let harness = scenario.harness();
//! let figures = scenario.play("my bot", &harness, client(harness.hosts())).await;
//! assert_eq!((figures.error, figures.late, figures.hung), (0, 0, 0));
//! assert!(figures.secondary > 0 && figures.canned > 0, "{figures:?}");
//! // The primary was spared while it was down.
//! assert!(figures.attempts_primary_down < figures.calls_down / 2);
//! # }
//! ```
//!
//! Without `.stream(false)` the calls ask for streams, and each answer that breaks off after its first words is an error. If your
//! bot must not show one, let it [hand on complete answers](crate::stream::CommitPolicy::Complete) or
//! [continue](crate::stream::MidStreamFailure::Continue) them, and assert on that.
//!
//! The primary is `http://primary` and the secondary `http://secondary`; `play` sends chat completions to the primary. Other days
//! are built in, and your own is [a JSON file](https://docs.rs/evenkeel-testkit/latest/evenkeel_testkit/incident/): put the last
//! outage of your provider there.
//!
//! # The same day through your own router
//!
//! What a customer gets depends on your own code as well. `each_call` plays the day against any code; here against an axum router,
//! called through [`tower::ServiceExt::oneshot`], without a socket:
//!
//! ```
//! use axum::{Router, extract::State, routing::post};
//! use evenkeel::{Client, fallback::Fallback};
//! use evenkeel_testkit::{Incident, Scenario};
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//!
//! // Your bot.
//! fn bot(client: Client) -> Router {
//!     Router::new().route("/ask", post(ask)).with_state(client)
//! }
//!
//! async fn ask(State(client): State<Client>, question: String) -> Result<axum::body::Body, StatusCode> {
//!     let body = serde_json::json!({ "model": "large", "messages": [{ "role": "user", "content": question }] });
//!     let request = Request::post("http://primary/v1/chat/completions").body(body.to_string().into());
//!     let request = request.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
//!     let answer = client.send(request).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
//!     if answer.status().is_success() { Ok(axum::body::Body::new(answer.into_body())) } else { Err(StatusCode::BAD_GATEWAY) }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! let scenario = Scenario::new(Incident::openai_2024_06_04()).rate(6.0);
//! let harness = scenario.harness();
//! let client = Client::builder().fallback(Fallback::canned("We are very busy.")).build_with(harness.hosts()).unwrap();
//! let bot = bot(client);
//! let calls = scenario.each_call(&harness, |_| bot.clone().oneshot(Request::post("/ask").body("Where is my parcel?".to_string()).unwrap()));
//! for call in calls.await {
//!     let answer = call.answer.expect("no customer waits for two minutes").expect("a router does not fail");
//!     assert_eq!(answer.status(), StatusCode::OK, "call {} at {:?}", call.number, call.at);
//!     assert!(call.took.as_secs() <= 30, "call {} took {:?}", call.number, call.took);
//! }
//! # }
//! ```
//!
//! # One failure at a time
//!
//! A `Reply` describes one answer of the provider, with its faults: a status, a cut, silence, an invalid event, a refused
//! connection. The provider counts every attempt that it receives, so that a test sees what your settings cost it:
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::{Client, Error, Response, Profile, fallback::Fallback};
//! use evenkeel_testkit::{Provider, Reply};
//! use tokio::time::Instant;
//!
//! async fn ask(client: &Client) -> Result<Response, Error> {
//!     let body = r#"{"model": "large", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#;
//!     client.send(http::Request::post("http://primary/v1/chat/completions").body(body.into()).expect("valid")).await
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Two failures, then answers: retried, so that the customer notices nothing.
//! let provider = Provider::new("primary").replies([Reply::status(503), Reply::reset()]);
//! let client = Client::builder().build_with(provider.clone())?;
//! assert_eq!(ask(&client).await?.status(), 200);
//! assert_eq!(provider.count(), 3);
//!
//! // Silence: not retried, and the canned reply is there at the deadline.
//! let provider = Provider::new("primary").always(Reply::hang());
//! let client = Client::builder()
//!     .profile(Profile::interactive().deadline(Duration::from_secs(8)))
//!     .fallback(Fallback::canned("We are very busy."))
//!     .build_with(provider.clone())?;
//! let asked = Instant::now();
//! assert_eq!(ask(&client).await?.headers()["evenkeel-served-by"], "canned");
//! assert!(asked.elapsed() <= Duration::from_secs(8));
//! assert_eq!((provider.count(), provider.in_flight()), (1, 0));
//! # Ok(()) }
//! ```
//!
//! | to test | write |
//! |---|---|
//! | one failure, then recovery | `Provider::new(…).replies([Reply::status(503)])` |
//! | a rate limit with a wait | `.replies([Reply::rate_limited(Some(wait))])` |
//! | an exhausted quota, a rejected key | `.always(Reply::quota_exhausted())`, `.requires("key")` |
//! | an outage of a minute | `.during(zero..minute, Reply::status(503))` |
//! | an outage that begins and ends in the test | `provider.set(Reply::status(503))`, later `provider.set(Reply::answer())` |
//! | a provider that is slow | `.always(Reply::answer().first_content_after(time))` |
//! | a provider with too many customers | `.capacity(Capacity::PerSecond(5.0), Reply::rate_limited(None))` |
//! | a tool that fails | `.when_tool("web_search", Reply::status(500))` |
//! | a key or a region that fails, of several | `Hosts::new([one, other])`: a transport to several providers, by their names |
//!
//! # A stream that breaks off, and a customer who leaves
//!
//! After the first words a failure cannot be hidden any more. Test that your bot reports it, instead of showing half an answer as a
//! whole one; and that it stops to ask when its customer has left:
//!
//! ```
//! use evenkeel::Client;
//! use evenkeel_testkit::{Fault, Provider, Reply};
//! use http_body_util::BodyExt;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Provider::new("primary").replies([Reply::answer().with(Fault::Cut { words: 20 })]);
//! let client = Client::builder().build_with(provider.clone())?;
//! let request = || http::Request::post("http://primary/v1/chat/completions").body(r#"{"model": "large", "stream": true}"#.into());
//!
//! let broken = client.send(request()?).await?.into_body().collect().await.unwrap_err();
//! assert!(broken.is_truncated());
//!
//! let mut left = client.send(request()?).await?.into_body();
//! assert!(left.frame().await.is_some());
//! drop(left);
//! assert_eq!((provider.cancelled(), provider.in_flight()), (1, 0));
//! # Ok(()) }
//! ```
//!
//! # Over sockets
//!
//! A `Server` puts the same provider on a free port of 127.0.0.1: for a bot whose transport you cannot replace, or that is not
//! written in Rust. It runs in real time, so shorten the limits: [`Profile::scaled`](crate::Profile::scaled) multiplies all of them.
//! The [first page of this guide](super) counts the attempts of any client with it.
//!
//! `examples/axum_bot` has a whole set of such tests: an outage in virtual time, a page that is closed, a stop of the server.
//!
//! # Pitfalls
//!
//! * **Do not pause the clock where a socket is used.** The clock jumps while bytes are on the way.
//! * **One client for each test.** Clones share the breakers, and one test's outage would be another's.
//! * **Do not assert on exact waits.** Retries and breakers have jitter: assert that a wait is within its limits.
//! * **A breaker opens when failures are no chance.** One failed call opens none; make a few, some hundred milliseconds apart, or
//!   play an incident.
//! * **The answer of the testkit is always the same:** sixty words, unless you set `Reply::text`. `play` counts only whole ones.
