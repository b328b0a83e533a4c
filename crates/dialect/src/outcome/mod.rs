//! What an attempt came to: one [`Outcome`] for every answer, read from its status, headers, codes and text.
//!
//! [`classify`] gives the [`Verdict`] of an answer; [`ErrorCodeTable`] adds the codes of a provider that is not known yet.
//!
//! # The order
//!
//! What is more explicit is believed first:
//!
//! 1. a permanent code (`insufficient_quota`, `context_length_exceeded`, `content_filter`, …), wherever the body has it,
//! 2. a sentence that says the same where no code does (`prompt is too long`), and 413,
//! 3. a transient code (`slow_down`, `rate_limit_exceeded`, …); one that speaks of the limit of a day, and of no wait below a
//!    minute, is an exhausted quota,
//! 4. `x-should-retry: true`, which makes [`Unavailable`](Outcome::Unavailable) of a status that is permanent otherwise,
//! 5. the status; that in the body where the response has a bare 400 or 500, or is a 2xx with an error in it.
//!
//! `x-should-retry: false` changes no outcome. It forbids the retry: see [`Verdict::is_retryable`].
//!
//! | status | outcome |
//! |---|---|
//! | 2xx, 304 | [`Success`](Outcome::Success) |
//! | 429 | [`RateLimited`](Outcome::RateLimited) |
//! | 402 | [`Rejected`](Outcome::Rejected): the account is to pay first; [`QuotaExhausted`](Outcome::QuotaExhausted) where the body says that the money is gone |
//! | 408, 409, 421, 425, 498, 5xx and above, 1xx | [`Unavailable`](Outcome::Unavailable) |
//! | 413 | [`TooLarge`](Outcome::TooLarge) |
//! | 451 | [`Blocked`](Outcome::Blocked) |
//! | 401 | [`Rejected`](Outcome::Rejected): the credential |
//! | 403 | [`Rejected`](Outcome::Rejected): what this one request asks for, such as a file, a scope or a model; the credential where the body says so |
//! | 403 that is a page or a word and no JSON, 407 | [`Rejected`](Outcome::Rejected): on the way, by a firewall or a proxy |
//! | 404, 410, other 3xx | [`Rejected`](Outcome::Rejected): the model; also a wrong base URL or a redirect that was not followed: not here, maybe elsewhere |
//! | other 4xx | [`Rejected`](Outcome::Rejected): the request |
//!
//! # Waits
//!
//! The wait of an outcome is the first of these that can be used: `retry-after-ms`, `x-ms-retry-after-ms`,
//! `x-amz-retry-after`, `retry-after` (seconds or a date), `retryDelay` in the body, the text (`Please try again in
//! 6m0s`), and for a rate limit the reset of a bucket with nothing left in it. Zero, negative, infinite and unreadable
//! values are no hint. A wait is at least 50 ms and at most 24 h: it tells what the provider said, not how long a retry
//! is ready to wait. Of an exhausted quota less than a minute is not believed; where nothing says when it comes back, a quota of a
//! day of the Gemini API does at midnight in California, and a spend limit of Anthropic's at the first of the month, UTC.
//!
//! # Codes
//!
//! All codes stand in one table. [`ErrorCodeTable::with`] adds to it, [`ErrorCodeTable::with_for`] for one provider alone, by its host or by the name
//! that its route has. A server that nobody knows needs neither: its status decides, and its code is told. The code of an answer is
//! kept only where it can hold no prompt and no key: see [`Code`].
//!
//! # Defaults
//!
//! The codes of the providers that are known: see [`ErrorCodeTable`].
//!
//! # Example
//!
//! ```
//! use evenkeel_dialect::outcome::{Outcome, classify};
//! use http::{HeaderMap, StatusCode};
//! use std::time::Duration;
//!
//! let status = StatusCode::TOO_MANY_REQUESTS;
//! let mut headers = HeaderMap::new();
//! headers.insert("retry-after", "20".parse()?);
//!
//! let busy = classify(status, &headers, br#"{"error":{"code":"rate_limit_exceeded"}}"#);
//! assert_eq!(busy.outcome(), Outcome::RateLimited { wait: Some(Duration::from_secs(20)) });
//! assert!(busy.is_retryable());
//!
//! let broke = classify(status, &headers, br#"{"error":{"code":"insufficient_quota"}}"#);
//! assert_eq!(broke.outcome(), Outcome::QuotaExhausted { wait: None });
//! assert!(!broke.is_retryable() && broke.outcome().allows_fallback());
//! # Ok::<(), http::header::InvalidHeaderValue>(())
//! ```
//!
//! # Pitfalls
//!
//! - A code that is not known changes nothing: the status decides. It is [`Verdict::unknown_code`] all the same.
//! - A body that is compressed cannot be read: the status decides. Let the transport decompress it.
//! - HTTP dates are measured against the clock of this machine.

mod classify;
mod codes;
mod duration_parse;
mod error_body;
mod error_shape;
mod head;
mod local_trouble;
mod message_patterns;
mod quota_reset;
mod reason;
mod retry_hint;
mod verdict;
mod vocabulary;

pub(crate) use classify::in_stream;
pub use classify::{classify, classify_with};
pub use codes::{CodeClass, ErrorCodeTable};
pub use head::classify_head;
pub use local_trouble::LocalTrouble;
pub use reason::{BreakerSignal, Phase, Rejection};
pub use retry_hint::{provider_time, time_until_reset};
pub use verdict::{Code, Verdict};
pub use vocabulary::Outcome;
