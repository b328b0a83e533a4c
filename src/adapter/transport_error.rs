//! Maps the errors of any transport, and of Tower's layers, to outcomes.

use std::{error::Error as StdError, io};

use tower::{load_shed::error::Overloaded, timeout::error::Elapsed};

use super::recognise::{is_connect, is_unacknowledged};
use crate::{
    BoxError, Error,
    error::{chain, find},
    outcome::{Outcome, Phase},
};

type Dyn<'a> = &'a (dyn StdError + 'static);

/// An error before the head of the response.
pub(super) fn failed(error: BoxError) -> Error {
    own(error, |error| {
        if is_connect(error) || chain(error).any(is_unreachable) {
            Outcome::Unreachable
        } else if find::<Overloaded>(error).is_some() {
            // A layer of the application refused.
            Outcome::NotSent { retry_in: None }
        } else if is_timeout(error) {
            Outcome::TimedOut { phase: Phase::Attempt }
        } else {
            Outcome::ConnectionLost
        }
    })
}

/// An error in a body.
pub(super) fn cut(error: BoxError) -> Error {
    own(error, |error| match is_timeout(error) {
        true => Outcome::TimedOut { phase: Phase::Stream },
        false => Outcome::Truncated,
    })
}

/// This crate's error unchanged; its verdict, if it is inside another; else an error with that outcome.
fn own(error: BoxError, outcome: impl FnOnce(Dyn<'_>) -> Outcome) -> Error {
    let other = match error.downcast::<Error>() {
        Ok(own) => return *own,
        Err(other) => other,
    };
    let error = match Error::find(&*other) {
        Some(inner) => Error::new(inner.verdict().clone()).with_log_of(inner),
        None => Error::new(outcome(&*other)),
    };
    error.with_source(other)
}

fn is_timeout(error: Dyn<'_>) -> bool {
    let timed_out = |error: Dyn<'_>| {
        let io = error.downcast_ref::<io::Error>().map(io::Error::kind);
        error.is::<Elapsed>()
            || error.is::<tokio::time::error::Elapsed>()
            || io == Some(io::ErrorKind::TimedOut)
    };
    chain(error).any(timed_out) && !is_unacknowledged(error)
}

/// Whether it is an error that the system returns only while a connection is made.
fn is_unreachable(error: Dyn<'_>) -> bool {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable,
    };
    let Some(error) = error.downcast_ref::<io::Error>() else { return false };
    let connecting =
        [AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable];
    // The standard library has no kind for a host that cannot be looked up.
    connecting.contains(&error.kind()) || error.to_string().contains("failed to lookup address")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: io::ErrorKind) -> BoxError {
        Box::new(io::Error::from(kind))
    }

    #[test]
    fn an_error_before_the_head_is_known_for_what_it_is() {
        let attempt = Outcome::TimedOut { phase: Phase::Attempt };
        let lookup = "failed to lookup address information: Name or service not known";
        let table: [(BoxError, Outcome); 9] = [
            (boxed(io::ErrorKind::ConnectionRefused), Outcome::Unreachable),
            (boxed(io::ErrorKind::HostUnreachable), Outcome::Unreachable),
            (Box::new(io::Error::other(lookup)), Outcome::Unreachable),
            (boxed(io::ErrorKind::ConnectionReset), Outcome::ConnectionLost),
            (boxed(io::ErrorKind::TimedOut), attempt),
            (Box::new(Elapsed::new()), attempt),
            (Box::new(io::Error::other(Elapsed::new())), attempt),
            (Box::new(Overloaded::new()), Outcome::NotSent { retry_in: None }),
            ("anything else".into(), Outcome::ConnectionLost),
        ];
        for (error, outcome) in table {
            let shown = format!("{error:?}");
            let error = failed(error);
            assert_eq!(error.outcome(), outcome, "{shown}");
            assert!(error.source().is_some(), "{shown}");
        }
    }

    #[test]
    fn an_error_in_a_body_is_a_cut_or_a_timeout() {
        let late = Outcome::TimedOut { phase: Phase::Stream };
        assert_eq!(cut(boxed(io::ErrorKind::ConnectionReset)).outcome(), Outcome::Truncated);
        assert_eq!(cut(boxed(io::ErrorKind::TimedOut)).outcome(), late);
        assert_eq!(cut(Box::new(Elapsed::new())).outcome(), late);
    }

    #[test]
    fn an_error_of_this_crate_keeps_its_verdict() {
        let own = || Error::new(Outcome::Blocked).with_source("because");
        for map in [failed, cut] {
            let same = map(Box::new(own()));
            assert_eq!(same.source().map(ToString::to_string).as_deref(), Some("because"));
            assert!(map(Box::new(io::Error::other(own()))).is_blocked());
        }
    }
}
