//! Failures of TLS: the reason that a connection could not be made, in the words of the TLS library.

use std::{error::Error as StdError, io, sync::Arc};

use crate::{Error, outcome::Outcome};

/// The longest reason that is kept, in bytes.
const MAX: usize = 200;

/// Words that only messages of TLS libraries have: rustls, OpenSSL, Secure Transport, SChannel.
const WORDS: [&str; 9] = [
    "certificate",
    "tls",
    "ssl",
    "fatal alert",
    "handshake",
    "peer is incompatible",
    "peer misbehaved",
    "peer doesn't support",
    "corrupt message",
];

/// Adds the reason to the verdict of an error, if no connection was made because TLS failed.
pub(super) fn attribute(error: Error) -> Error {
    if error.outcome() != Outcome::Unreachable {
        return error;
    }
    match reason(&error) {
        Some(reason) => {
            let verdict = error.verdict().clone().with_tls_failure(reason);
            error.judged(verdict)
        }
        None => error,
    }
}

/// The message of the innermost error in a chain of sources, if it is one of a TLS library.
fn reason(error: &(dyn StdError + 'static)) -> Option<Arc<str>> {
    let mut innermost = error;
    // An I/O error skips the error that it wraps when asked for its source.
    while let Some(next) = wrapped(innermost).or_else(|| innermost.source()) {
        innermost = next;
    }
    // A system error, such as a reset during the handshake, is not one of TLS.
    let system =
        innermost.downcast_ref::<io::Error>().is_some_and(|it| it.raw_os_error().is_some());
    let text = innermost.to_string();
    let lower = text.to_ascii_lowercase();
    let is_tls = !system && WORDS.iter().any(|word| lower.contains(word));
    is_tls.then(|| shown(&text).into())
}

fn wrapped<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(inner)
}

/// At most [`MAX`] bytes, without control characters: a certificate may name anything.
fn shown(text: &str) -> String {
    let mut end = text.len().min(MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(source: impl Into<crate::BoxError>) -> Error {
        attribute(Error::new(Outcome::Unreachable).with_source(source))
    }

    #[test]
    fn the_reason_is_found_below_an_io_error_that_hides_it() {
        let tls = "invalid peer certificate: UnknownIssuer";
        let error = failed(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(error.tls_failure(), Some(tls));
        assert_eq!(error.to_string(), format!("no connection to the provider: TLS: {tls}"));
        let nested = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(failed(nested).tls_failure(), Some(tls));
    }

    #[test]
    fn other_failures_are_not_those_of_tls() {
        for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut] {
            assert_eq!(failed(io::Error::from(kind)).tls_failure(), None, "{kind}");
        }
        assert_eq!(failed(io::Error::from_raw_os_error(104)).tls_failure(), None);
        let lost = Error::new(Outcome::ConnectionLost).with_source("invalid peer certificate: x");
        assert_eq!(attribute(lost).tls_failure(), None);
    }

    #[test]
    fn a_reason_is_bounded_and_has_no_control_characters() {
        let long = format!("invalid certificate: {}\n", "ä".repeat(MAX));
        let reason = failed(long).tls_failure().map(str::to_owned).expect("it is one of TLS");
        assert!(reason.len() <= MAX && !reason.contains('\n'), "{reason}");
        assert!(failed("bad certificate\r\nx").tls_failure().is_some_and(|it| !it.contains('\r')));
    }
}
