//! evenkeel in your own Tower stack: one layer, some of them, or all of them in another order.
//!
//! Each layer is a [`tower::Layer`] over any [`Upstream`](crate::Upstream): a service that takes a [`Request`](crate::Request)
//! and returns a [`Response`](crate::Response). `build()` validates a policy and turns it into its layer. A layer does not need
//! the others:
//!
//! ```
//! use evenkeel::{breaker::BreakerPolicy, classify::ClassifyPolicy};
//! use tower::ServiceBuilder;
//! # use evenkeel_testkit::Provider;
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let service = ServiceBuilder::new()
//!     .layer(BreakerPolicy::default().build()?)
//!     // Classifies an attempt: every layer above decides by its verdict.
//!     .layer(ClassifyPolicy::default().build()?)
//!     .service(Provider::new("api"));
//! # let _ = service;
//! # Ok(()) }
//! ```
//!
//! A client that takes and returns other types is wrapped in an [`HttpService`](crate::adapter::HttpService), and so is a stack
//! with layers of others in it, as those of tower-http. Above evenkeel, a layer that needs an `http_body::Body` in the request, as
//! tower-http's `TraceLayer` does, goes above a [`CollectLayer`](crate::adapter::CollectLayer).
//! [`CallOptions::apply`](crate::CallOptions::apply) puts the settings of one call into the extensions of a request, where the
//! layers read them.
//!
//! # The whole stack
//!
//! This is what [`Client::builder`](crate::Client::builder) builds, outermost layer first. The order matters: read the comments
//! before you change it. The layers keep the state of a route in one registry, [`Routes`](crate::context::Routes), which an
//! attempt looks up once.
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::{
//!     balance::BalanceLayer,
//!     breaker::BreakerPolicy,
//!     cache::CachePolicy,
//!     classify::ClassifyPolicy,
//!     context::Routes,
//!     credentials::CredentialLayer,
//!     fallback::{Fallback, FallbackPolicy},
//!     hedge::HedgePolicy,
//!     identity::IdentityPolicy,
//!     limit::LimitPolicy,
//!     retry::RetryPolicy,
//!     telemetry::{AttemptSpanLayer, Event, EventSink, TelemetryLayer},
//!     timeout::{DeadlinePolicy, TimeoutPolicy},
//! };
//! use tower::{ServiceBuilder, ServiceExt};
//! # use evenkeel_testkit::{Provider, Reply};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let upstream = Provider::new("api").always(Reply::status(503));
//! let (deadline, routes) = (Duration::from_secs(30), Routes::new());
//! let events = EventSink::new(|event: &Event| println!("{:?} {}", event.call, event.name()));
//!
//! let fallbacks = FallbackPolicy::new().fallback(Fallback::canned("We are very busy. Please try again in a minute."));
//! // The first attempt has what the fallbacks below do not reserve.
//! let timeout = TimeoutPolicy::new().within(fallbacks.first_target_time(deadline));
//! let breaker = BreakerPolicy::default().attempt_limits(timeout.answer_times()).build()?;
//! let breaker = breaker.routes(&routes).events(events.clone());
//! let retry = RetryPolicy::new().build()?.routes(&routes).events(events.clone());
//! // Retries and second copies draw on one budget.
//! let hedge = HedgePolicy::new().budgets(retry.budgets()).build()?.routes(&routes).events(events.clone());
//! let cache = CachePolicy::new().build()?.dialects(fallbacks.dialects()).events(events.clone());
//! let fallback = fallbacks.build()?.routes(&routes).latencies(hedge.latencies()).events(events.clone());
//! let breakers = breaker.handle();
//!
//! let service = ServiceBuilder::new()
//!     // Above everything that keeps a state for each caller.
//!     .layer(IdentityPolicy::new().build()?)
//!     // The span and the attempt log of a call.
//!     .layer(TelemetryLayer::new().events(events.clone()))
//!     // Above everything that takes time.
//!     .layer(DeadlinePolicy::new().limit(deadline).build()?.events(events.clone()))
//!     // Above the fallbacks: a stored answer needs none.
//!     .layer(cache)
//!     // Above the retries: the next target is tried when one still fails after its retries.
//!     .layer(fallback)
//!     .layer(hedge)
//!     // Above the breaker: each attempt asks it again.
//!     .layer(retry)
//!     // Above the breaker: each of several equal targets has its own.
//!     .layer(BalanceLayer::default().events(events.clone()))
//!     .layer(AttemptSpanLayer::default())
//!     // Above the timeouts: an attempt that timed out is a failure of its route.
//!     .layer(breaker)
//!     // Above the timeouts, which start after the queue; below the breaker, so that no call waits for a route that is open.
//!     .layer(LimitPolicy::new().build()?.routes(&routes).events(events.clone()))
//!     // Above classification: the first content and the whole body have to arrive in time.
//!     .layer(timeout.build()?.events(events.clone()))
//!     .layer(ClassifyPolicy::default().build()?)
//!     // Next to the transport: the credentials of targets that have a source of them.
//!     .layer(CredentialLayer::default().events(events))
//!     .service(upstream);
//!
//! let body = r#"{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}"#;
//! let request = http::Request::post("https://api.example.com/v1/chat/completions").body(body.into())?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.headers()["evenkeel-served-by"], "canned");
//! assert_eq!(breakers.list().len(), 1);
//! # Ok(()) }
//! ```
