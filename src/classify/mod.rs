//! Reads every answer until it is known what it came to.
//!
//! Use it next to the transport: what it leaves in the extensions of an answer, the [`Verdict`](crate::outcome::Verdict) and the
//! [`UsageHandle`](crate::dialect::UsageHandle), is what every layer above it asks for. What the verdict is made of, and in which order, is the
//! matter of [`outcome`](crate::outcome).
//!
//! # Defaults
//!
//! At most 64 KiB of an error body are read, for at most 2 s; what has come by then decides. The body is put back byte for byte.
//! An answer that is not streamed is collected up to 32 MiB; a stream is held back until its first event with content. See
//! [`ClassifyPolicy`].
//!
//! # Example
//!
//! ```
//! use evenkeel::{Body, Error, Request, Response, classify::ClassifyPolicy};
//! use tower::{ServiceBuilder, service_fn};
//!
//! let service = ServiceBuilder::new()
//!     .layer(ClassifyPolicy::default().build()?)
//!     .service(service_fn(|_: Request| async { Ok::<_, Error>(Response::new(Body::from("hello"))) }));
//! # let _ = service;
//! # Ok::<(), evenkeel::ConfigError>(())
//! ```
//!
//! # Events
//!
//! None of its own: the verdict of an attempt is in the event of its end. A code that is in no table is told once for each provider,
//! at the level of information, so that it can be added; a rejected credential and an exhausted quota are warnings.

mod body;
mod content_kind;
mod local_trouble;
mod policy;
mod prefixed_body;
mod service;

pub use policy::ClassifyPolicy;
pub use service::{Classify, ClassifyLayer};
