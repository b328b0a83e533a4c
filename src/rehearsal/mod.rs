//! Rehearsals: every target is asked once, before an outage asks it.
//!
//! A fallback with a wrong key, a model that is no more, or a base URL without its version is found in an outage, unless it is
//! asked before. [`Client::rehearse`](crate::Client::rehearse) sends one request to each target of a client and reports what each
//! answered. Use it at the start of a program, in CI with the real keys, and after a change of the configuration.
//!
//! # Example
//!
//! ```no_run
//! # async fn run(client: evenkeel::Client, key: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let request = http::Request::post("https://api.openai.com/v1/chat/completions")
//!     .header("authorization", format!("Bearer {key}"))
//!     .body(r#"{"model":"gpt-4o","max_tokens":16,"messages":[{"role":"user","content":"Say hello."}]}"#)?;
//! let rehearsal = client.rehearse(&request).await;
//! if !rehearsal.all_ok() {
//!     eprintln!("{rehearsal}"); // a table: one line for each target
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Defaults
//!
//! Eight targets are asked at a time. Each has the limits of an attempt of the client's [`Profile`](crate::Profile), and at most
//! its deadline. Of a stream the first content is awaited, or its end where the profile commits when complete.
//!
//! # Events
//!
//! None reach a listener: a rehearsal is not traffic.
//!
//! # Pitfalls
//!
//! - Each request is billed like a call.
//! - A target answers a short question and may still reject a long one. What a target [declares](crate::target::Capabilities) is
//!   compared with the request, as for a call: one that would be skipped is not asked, and is not ok.
//! - The request is sent to every target, whatever the [failures](crate::fallback::FallbackOn) that it is for. Do not rehearse
//!   with a request that changes something.

mod report;
mod run;
mod table;

pub use self::report::{Finding, Rehearsal, RehearsedTarget};
pub(crate) use self::run::Rehearser;

pub use crate::{fallback::CannedFault, target::Shortfall};
