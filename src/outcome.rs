//! The outcome of an attempt: one [`Outcome`] for every answer, read from its status, headers, codes and text.
//!
//! Every layer asks the same [`Verdict`]: a retry whether to try again, a breaker whether the route is healthy, the fallbacks
//! whether to go down. [`classify`] gives it for an answer of your own; [`ErrorCodeTable`] adds the codes of a provider that is
//! not known yet. The [`Classify`](crate::classify::Classify) layer reads the answers of a stack. How an answer is read, and in which
//! order what it says is believed, is written in [`evenkeel_dialect::outcome`], where all of it comes from.
//!
//! # Trouble of this machine
//!
//! An attempt that was not sent for want of something here (file descriptors, memory, a network, a local port, a permission,
//! a resolver that answers) is [`NotSent`](Outcome::NotSent), with the [`LocalTrouble`] in its verdict and the system's error
//! as source. No breaker counts it and no route is closed by it; it is retried like a provider that is unavailable, and moves
//! down like any refusal of ours.
//!
//! # Defaults
//!
//! The codes of the providers that are known: see [`ErrorCodeTable`].
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
//! None. The outcome of each attempt is in the events of the layers that ask for it.
//!
//! # Pitfalls
//!
//! - A code that is not known changes nothing: the status decides. It is [`Verdict::unknown_code`] all the same.
//! - A body that is compressed cannot be read: the status decides. Let the transport decompress it.
//! - HTTP dates are measured against the clock of this machine.

#[doc(inline)]
pub use evenkeel_dialect::outcome::{
    BreakerSignal, Code, CodeClass, ErrorCodeTable, LocalTrouble, Outcome, Phase, Rejection,
    Verdict, classify, classify_with,
};
pub(crate) use evenkeel_dialect::outcome::{classify_head, provider_time, time_until_reset};
