//! The outcome of an attempt: one [`Outcome`] for every answer, read from its status, headers, codes and text.
//!
//! Every layer uses the same [`Verdict`]: a retry to decide whether to try again, a breaker whether the route is healthy, the
//! fallbacks whether to go on. [`classify`] returns it for an answer; [`ErrorCodeTable`] adds the codes of an unknown provider.
//! The [`Classify`](crate::classify::Classify) layer classifies the answers of a stack. How an answer is classified, and which of
//! its parts take precedence, is documented in [`evenkeel_dialect::outcome`], which exports all of this.
//!
//! # Local trouble
//!
//! An attempt that was not sent because this machine lacked something (file descriptors, memory, a network, a local port, a
//! permission, a resolver that answers) is [`NotSent`](Outcome::NotSent), with the [`LocalTrouble`] in its verdict and the
//! system's error as source. No breaker counts it and it closes no route. It is retried like an unavailable provider, and moves
//! down like any local refusal.
//!
//! # Defaults
//!
//! The codes of known providers: see [`ErrorCodeTable`].
//!
//! # Example
//!
//! ```
//! use evenkeel::outcome::{Outcome, classify};
//! use http::{HeaderMap, StatusCode};
//!
//! let body = br#"{"error":{"code":"insufficient_quota"}}"#;
//! let broke = classify(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body);
//! assert_eq!(broke.outcome(), Outcome::QuotaExhausted { wait: None });
//! assert!(!broke.is_retryable() && broke.outcome().allows_fallback());
//! ```
//!
//! # Events
//!
//! None. The outcome of each attempt is in the events of the layers that use it.
//!
//! # Pitfalls
//!
//! - An unknown code changes nothing: the status decides. It is still available as [`Verdict::unknown_code`].
//! - A compressed body cannot be read: the status decides. Let the transport decompress it.
//! - HTTP dates are measured against the clock of this machine.

#[doc(inline)]
pub use evenkeel_dialect::outcome::{
    BreakerSignal, Code, CodeClass, ErrorCodeTable, ErrorRule, FinishClass, LocalTrouble, Outcome,
    Phase, ProviderError, Rejection, Verdict, classify, classify_with,
};
pub(crate) use evenkeel_dialect::outcome::{classify_head, provider_time, time_until_reset};
