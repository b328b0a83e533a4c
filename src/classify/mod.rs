//! Reads every answer until its outcome is known.
//!
//! Use it next to the transport: the layers above it use what it stores in the extensions of an answer, the
//! [`Verdict`](crate::outcome::Verdict) and the [`UsageHandle`](crate::dialect::UsageHandle). The rules of the verdict and their
//! order are described in [`outcome`](crate::outcome).
//!
//! # Defaults
//!
//! At most 64 KiB of an error body are read, for at most 2 s; the part received by then decides. The body is put back byte for
//! byte. An answer that is not streamed is collected up to 32 MiB; a stream is held back until its first event with content. See
//! [`ClassifyPolicy`].
//!
//! # An answer in another form
//!
//! The first bytes of a body decide on its form, not its content type. A stream in place of an unstreamed answer is read to its
//! end and converted to one piece; an unstreamed answer in place of a stream is converted to a stream, at once. Nothing is lost:
//! texts, tool calls, finish reasons, usage and unknown fields stay, and the content type is set. The verdict is on what the
//! provider sent, so a stream that is cut, or has an error, is retried although nothing of it would be streamed. An answer that
//! cannot be converted is [`Malformed`](crate::outcome::Outcome::Malformed). A request whose own body is in a content coding does
//! not say which form it asks for: then a stream is passed on.
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
//! None of its own: the verdict of an attempt is in the event of its end. An unknown error code is logged once for each provider,
//! at level `info`, so that it can be added; a rejected credential, an exhausted quota and a failure of TLS are
//! warnings.

mod asked;
mod body;
mod content_kind;
mod local_trouble;
mod policy;
mod prefixed_body;
mod reading;
mod service;
mod tls_failure;

pub use policy::ClassifyPolicy;
pub use service::{Classify, ClassifyLayer};
