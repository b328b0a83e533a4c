use std::{io, sync::Arc};

use super::*;
use crate::outcome::{Phase, Rejection};

type Question = (&'static str, fn(&Error) -> bool);

const QUESTIONS: [Question; 16] = [
    ("unavailable", Error::is_unavailable),
    ("rate limited", Error::is_rate_limited),
    ("quota exhausted", Error::is_quota_exhausted),
    ("connect", Error::is_connect),
    ("connection lost", Error::is_connection_lost),
    ("timeout", Error::is_timeout),
    ("truncated", Error::is_truncated),
    ("unusable", Error::is_unusable),
    ("too large", Error::is_too_large),
    ("blocked", Error::is_blocked),
    ("unauthorized", Error::is_unauthorized),
    ("rejected", Error::is_rejected),
    ("refused", Error::is_refused),
    ("cancelled", Error::is_cancelled),
    ("permanent", Error::is_permanent),
    ("all failed", Error::all_failed),
];

fn yes(error: &Error) -> Vec<&'static str> {
    QUESTIONS.iter().filter(|(_, asks)| asks(error)).map(|(name, _)| *name).collect()
}

#[test]
fn each_outcome_answers_the_questions_of_the_table_and_no_other() {
    let rejected = |why| Outcome::Rejected { why };
    let timed_out = |phase| Outcome::TimedOut { phase };
    let table: [(Outcome, &[&str]); 28] = [
        (Outcome::Success, &[]),
        (Outcome::Unavailable { wait: None }, &["unavailable"]),
        (Outcome::RateLimited { wait: None }, &["rate limited"]),
        (Outcome::QuotaExhausted { wait: None }, &["quota exhausted", "permanent"]),
        (Outcome::Unreachable, &["unavailable", "connect"]),
        (Outcome::ConnectionLost, &["unavailable", "connection lost"]),
        (timed_out(Phase::Connect), &["connect", "timeout"]),
        (timed_out(Phase::Attempt), &["timeout"]),
        (timed_out(Phase::FirstEvent), &["timeout"]),
        (timed_out(Phase::Idle), &["timeout"]),
        (timed_out(Phase::Stream), &["timeout"]),
        (timed_out(Phase::Deadline), &["timeout"]),
        (Outcome::Truncated, &["truncated"]),
        (Outcome::Empty, &["unusable"]),
        (Outcome::Malformed, &["unusable"]),
        (Outcome::Unfinished, &["unusable"]),
        (Outcome::TooLarge, &["too large", "permanent"]),
        (Outcome::Blocked, &["blocked", "permanent"]),
        (rejected(Rejection::Credential), &["unauthorized", "rejected", "permanent"]),
        (rejected(Rejection::Payment), &["quota exhausted", "rejected", "permanent"]),
        (rejected(Rejection::Permission), &["rejected", "permanent"]),
        (rejected(Rejection::Gateway), &["rejected", "permanent"]),
        (rejected(Rejection::Model), &["rejected", "permanent"]),
        (rejected(Rejection::Parameter), &["rejected", "permanent"]),
        (rejected(Rejection::Request), &["rejected", "permanent"]),
        (Outcome::Declined, &["rejected", "permanent"]),
        (Outcome::NotSent { retry_in: None }, &["refused"]),
        (Outcome::Cancelled, &["cancelled"]),
    ];
    for (outcome, questions) in table {
        assert_eq!(yes(&outcome.into()), questions, "{outcome:?}");
    }
}

#[test]
fn all_have_failed_only_if_the_attempt_log_says_so() {
    let attempt_log = AttemptLog::default();
    let error = Error::new(Outcome::Blocked).with_attempt_log(&attempt_log);
    assert!(!error.all_failed());
    attempt_log.set_all_failed();
    assert_eq!(yes(&error), ["blocked", "permanent", "all failed"]);
}

#[derive(Debug)]
struct Around(BoxError);

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("around")
    }
}

impl StdError for Around {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

#[test]
fn an_error_is_found_in_whatever_wraps_it() {
    let own = || Error::new(Outcome::Blocked);
    let wrapped: [BoxError; 6] = [
        Box::new(own()),
        Box::new(Around(Box::new(own()))),
        Box::new(io::Error::other(own())),
        Box::new(io::Error::other(Around(Box::new(io::Error::other(own()))))),
        Box::new(Arc::new(own())),
        Box::new(Around(Box::new(Arc::new(own())))),
    ];
    for wrapped in &wrapped {
        assert!(Error::find(&**wrapped).is_some_and(Error::is_blocked), "{wrapped:?}");
    }
    let other = io::Error::other(Around(Box::new(io::Error::from(io::ErrorKind::NotFound))));
    assert!(Error::find(&other).is_none());
}

#[cfg(feature = "reqwest-middleware")]
#[test]
fn an_error_is_found_in_that_of_a_middleware() {
    let middleware = reqwest_middleware::Error::middleware(Error::new(Outcome::Blocked));
    assert!(Error::find(&middleware).is_some_and(Error::is_blocked));
    assert!(Error::find(&Around(Box::new(middleware))).is_some_and(Error::is_blocked));
}

#[cfg(feature = "async-openai")]
#[test]
fn an_error_is_found_in_that_of_async_openai() {
    let openai = async_openai::error::OpenAIError::from(Error::new(Outcome::Blocked));
    assert!(Error::find(&openai).is_some_and(Error::is_blocked));
}

/// A source that leads back to itself.
#[derive(Debug)]
struct Loop;

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("loop")
    }
}

impl StdError for Loop {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&Loop)
    }
}

#[test]
fn a_chain_that_leads_back_to_itself_is_left() {
    assert!(Error::find(&Loop).is_none());
}
