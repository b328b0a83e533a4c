//! The result of an attempt: one [`Outcome`] for every answer, determined by its status, headers, codes and text.
//!
//! [`classify`] returns the [`Verdict`] on an answer; [`ErrorCodeTable`] adds the codes of further providers.
//!
//! # Precedence
//!
//! The first of these that applies decides:
//!
//! 1. a permanent code (`insufficient_quota`, `context_length_exceeded`, `content_filter`, …), at any place in the body,
//! 2. a sentence with the same meaning, if there is no code (`prompt is too long`), and 413,
//! 3. a transient code (`slow_down`, `rate_limit_exceeded`, …); one for the limit of a day, without a wait below a minute, is an
//!    exhausted quota,
//! 4. `x-should-retry: true`, which turns a permanent status into [`Unavailable`](Outcome::Unavailable),
//! 5. words that mean a request larger than the context,
//! 6. the status; that of the body if the response has a bare 400 or 500, or is a 2xx with an error in it.
//!
//! `x-should-retry: false` changes no outcome. It forbids the retry: see [`Verdict::is_retryable`].
//!
//! | status | outcome |
//! |---|---|
//! | 2xx, 304 | [`Success`](Outcome::Success) |
//! | 429 | [`RateLimited`](Outcome::RateLimited) |
//! | 402 | [`Rejected`](Outcome::Rejected): the account has to pay first; [`QuotaExhausted`](Outcome::QuotaExhausted) if the body reports that the credit is used up |
//! | 408, 409, 421, 425, 498, 5xx and above, 1xx | [`Unavailable`](Outcome::Unavailable) |
//! | 413 | [`TooLarge`](Outcome::TooLarge) |
//! | 451 | [`Blocked`](Outcome::Blocked) |
//! | 401 | [`Rejected`](Outcome::Rejected): the credential |
//! | 403 | [`Rejected`](Outcome::Rejected): what this one request asks for, such as a file, a scope or a model; the credential if the body names it |
//! | 403 with a page or a word instead of JSON, 407 | [`Rejected`](Outcome::Rejected): by a firewall or a proxy on the way |
//! | 404, 410 | [`Rejected`](Outcome::Rejected): the model; also a wrong base URL. Another target may have it |
//! | other 4xx | [`Rejected`](Outcome::Rejected) if the answer says what is wrong with the request: by a code, by a list of fields, by its words. A parameter that the target does not take is one of its own |
//! | other 4xx without that, other 3xx | [`Declined`](Outcome::Declined): another target may answer. A 400 or 422 of which only the head is known is [`Rejected`](Outcome::Rejected) |
//!
//! # Waits
//!
//! The wait of an outcome is the first usable one of these: `retry-after-ms`, `x-ms-retry-after-ms`, `x-amz-retry-after`,
//! `retry-after` (seconds or a date), `retryDelay` in the body, the text (`Please try again in 6m0s`), and for a rate limit the
//! reset of an empty bucket. Zero, negative, infinite and unreadable values are ignored. A wait is at least 50 ms and at most 24
//! h: it is the provider's hint, not the time that a retry waits. A wait below a minute is ignored for an exhausted quota.
//! Without a hint, a daily quota of the Gemini API is renewed at midnight in California, and a spend limit of Anthropic at the
//! first of the month, UTC.
//!
//! # Codes
//!
//! All codes are in one table. [`ErrorCodeTable::with`] adds to it, [`ErrorCodeTable::with_rule`] adds a meaning of a status,
//! of words, or of several of these together, before all codes; [`ErrorCodeTable::with_for`] adds for one provider, by its
//! host or by the name of its route. An unknown server needs neither: its status decides, and its code is reported. The code of
//! an answer is stored only if it can contain no prompt and no key: see [`Code`].
//!
//! # Defaults
//!
//! The codes of the known providers: see [`ErrorCodeTable`].
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
//! - An unknown code changes nothing: the status decides. [`Verdict::unknown_code`] still returns it.
//! - A compressed body cannot be parsed: the status decides. Let the transport decompress it.
//! - HTTP dates are relative to the clock of this machine.

mod classify;
mod codes;
mod duration_parse;
mod error_body;
mod error_shape;
mod head;
mod local_trouble;
mod message_patterns;
mod outcome_text;
mod provider_error;
mod quota_reset;
mod quotes;
mod reason;
mod rejected_field;
mod retry_hint;
mod verdict;
mod vocabulary;
mod word_sets;
mod wrong_field;

pub(crate) use classify::in_stream;
pub use classify::{classify, classify_with};
pub use codes::{CodeClass, ErrorCodeTable, ErrorRule, FinishClass};
pub use duration_parse::parse_duration;
pub use head::classify_head;
pub use local_trouble::LocalTrouble;
pub use provider_error::ProviderError;
pub use reason::{BreakerSignal, Phase, Rejection};
pub use rejected_field::{RejectedField, RejectedScope};
pub use retry_hint::{provider_time, time_until_reset};
pub(crate) use verdict::begins_as_a_key;
pub use verdict::{Code, Verdict};
pub use vocabulary::Outcome;
