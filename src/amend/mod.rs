//! Sends each target only the fields that it accepts, and asks once more without a field that it rejected.
//!
//! A fallback speaks the dialect of the call, and may not take all of its fields: `max_completion_tokens` is unknown to Mistral,
//! `max_tokens` to OpenAI's reasoning models. Without this layer the fallback fails on the day on which it is needed. Use it below
//! [`fallback`](crate::fallback) and [`balance`](crate::balance); a [`Client`](crate::Client) has it.
//!
//! 1. A request for a fallback is changed to what its host and model are known to accept: see
//!    [`Compatibility`](crate::fallback::Compatibility).
//! 2. A 400 or 422 that names a field as not supported, where the request can do without that field or has another name for it,
//!    is not the end: the target is asked once more with the field changed. The conversation, the tools, the model and the form of
//!    the answer are never changed.
//! 3. If that succeeds, the change is remembered for the provider and model for an hour: the next call is sent without the field
//!    at once. A field that is rejected for its value is remembered with that value.
//!
//! A request for the call's own first target goes out as it came, unless [`Target::compatibility`] is set for it, and its
//! rejections are the caller's.
//!
//! [`Target::compatibility`]: crate::fallback::Target::compatibility
//!
//! # Defaults
//!
//! At most 1 024 providers and models are remembered, each with at most 16 changes.
//!
//! # Example
//!
//! ```
//! use evenkeel::{Body, Error, Request, Response, amend::AmendLayer};
//! use tower::{ServiceBuilder, service_fn};
//!
//! let service = ServiceBuilder::new()
//!     .layer(AmendLayer::default())
//!     .service(service_fn(|_: Request| async { Ok::<_, Error>(Response::new(Body::from("hello"))) }));
//! # let _ = service;
//! ```
//!
//! # Events
//!
//! [`RequestEdited`](crate::telemetry::EventKind::RequestEdited), with the names of the fields that were changed.
//!
//! # Pitfalls
//!
//! The second request is part of the same attempt: the attempt log has one entry for both.

mod memory;
mod service;

pub use service::{Amend, AmendLayer};
