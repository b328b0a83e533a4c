//! Failures of this machine: an attempt that failed by one was not sent, and is no evidence about the provider.

use std::{
    error::Error as StdError,
    io::{self, ErrorKind},
    net::UdpSocket,
};

use crate::{
    Error,
    outcome::{LocalTrouble, Outcome, Verdict},
};

/// The address families with a route to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ways {
    v4: bool,
    v6: bool,
}

/// A system error, and whether it is known to concern an IPv6 address.
#[derive(Clone, Copy)]
struct Failed<'a> {
    error: &'a io::Error,
    v6: bool,
}

/// Sets the verdict to a failure of this machine, if that is the cause of the error.
pub(super) fn attribute(error: Error) -> Error {
    if !matches!(error.outcome(), Outcome::Unreachable | Outcome::ConnectionLost) {
        return error;
    }
    let unsent = error.outcome() == Outcome::Unreachable;
    match trouble_in(&error, Ways::out) {
        // With these there was no connection, whatever the transport calls it.
        Some(trouble @ (LocalTrouble::Descriptors | LocalTrouble::Resolver)) => {
            error.judged(Verdict::not_sent(trouble))
        }
        Some(trouble) if unsent => error.judged(Verdict::not_sent(trouble)),
        _ => error,
    }
}

/// Finds a failure of this machine in an error's chain of sources.
fn trouble_in(error: &(dyn StdError + 'static), ways: impl Fn() -> Ways) -> Option<LocalTrouble> {
    let (mut next, mut above) = (Some(error), None);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            let failed = Failed { error: io, v6: above.is_some_and(is_v6) };
            if let Some(found) = failed.trouble(&ways) {
                return Some(found);
            }
        }
        (above, next) = (Some(error), error.source());
    }
    None
}

// === impl Failed ===

impl Failed<'_> {
    fn trouble(self, ways: impl Fn() -> Ways) -> Option<LocalTrouble> {
        match self.error.raw_os_error() {
            Some(EMFILE | ENFILE) => return Some(LocalTrouble::Descriptors),
            Some(ENOBUFS) => return Some(LocalTrouble::Memory),
            _ => {}
        }
        match self.error.kind() {
            ErrorKind::OutOfMemory => Some(LocalTrouble::Memory),
            ErrorKind::PermissionDenied => Some(LocalTrouble::Permission),
            ErrorKind::NetworkDown => Some(LocalTrouble::Network),
            // A host with addresses of both families is tried by both, and only the last failure is reported: if only one family
            // has a route, the failure of the other hides that of the provider.
            ErrorKind::NetworkUnreachable if self.v6 => {
                (!ways().v4).then_some(LocalTrouble::Network)
            }
            ErrorKind::NetworkUnreachable => (!ways().v6).then_some(LocalTrouble::Network),
            ErrorKind::AddrNotAvailable if self.v6 => ways().v6.then_some(LocalTrouble::Address),
            ErrorKind::AddrNotAvailable => Some(LocalTrouble::Address),
            _ => self.is_unresolved().then_some(LocalTrouble::Resolver),
        }
    }

    /// Whether the resolver could not answer. A name that does not exist is an answer.
    fn is_unresolved(self) -> bool {
        let text = self.error.to_string();
        let again = ["Temporary failure in name resolution", "Try again"];
        text.contains("failed to lookup address") && again.iter().any(|it| text.contains(it))
    }
}

/// Whether the error around a system error names an IPv6 address: hyper's error shows the address it connected to.
fn is_v6(error: &(dyn StdError + 'static)) -> bool {
    error.to_string().contains("tcp") && format!("{error:?}").contains(", [")
}

#[cfg(unix)]
const EMFILE: i32 = 24;
#[cfg(unix)]
const ENFILE: i32 = 23;
#[cfg(target_os = "linux")]
const ENOBUFS: i32 = 105;
#[cfg(all(unix, not(target_os = "linux")))]
const ENOBUFS: i32 = 55;
#[cfg(not(unix))]
const EMFILE: i32 = 10024;
#[cfg(not(unix))]
const ENFILE: i32 = 4;
#[cfg(not(unix))]
const ENOBUFS: i32 = 10055;

// === impl Ways ===

impl Ways {
    /// Asks the system's routing table for documentation addresses (RFC 5737, RFC 3849). No packet is sent.
    fn out() -> Self {
        let leads = |from: &str, to: &str| {
            UdpSocket::bind(from).and_then(|socket| socket.connect(to)).is_ok()
        };
        let (v4, v6) = (leads("0.0.0.0:0", "192.0.2.1:9"), leads("[::]:0", "[2001:db8::1]:9"));
        Self { v4, v6 }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    const BOTH: Ways = Ways { v4: true, v6: true };
    const V4: Ways = Ways { v4: true, v6: false };
    const NONE: Ways = Ways { v4: false, v6: false };

    /// Shows an address as hyper's error does.
    struct Connect(&'static str, std::net::SocketAddr, io::Error);

    impl fmt::Debug for Connect {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_tuple("Connect").field(&self.0).field(&self.1).field(&self.2).finish()
        }
    }

    impl fmt::Display for Connect {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Connect {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.2)
        }
    }

    fn connecting(to: &str, kind: ErrorKind) -> Connect {
        Connect("tcp connect error", to.parse().expect("an address"), kind.into())
    }

    fn of(error: &(dyn StdError + 'static), ways: Ways) -> Option<LocalTrouble> {
        trouble_in(error, || ways)
    }

    #[test]
    fn what_this_machine_lacks_is_not_the_provider_s() {
        for (code, trouble) in [
            (EMFILE, LocalTrouble::Descriptors),
            (ENFILE, LocalTrouble::Descriptors),
            (ENOBUFS, LocalTrouble::Memory),
        ] {
            assert_eq!(of(&io::Error::from_raw_os_error(code), BOTH), Some(trouble));
        }
        for (kind, trouble) in [
            (ErrorKind::OutOfMemory, LocalTrouble::Memory),
            (ErrorKind::PermissionDenied, LocalTrouble::Permission),
            (ErrorKind::NetworkDown, LocalTrouble::Network),
            (ErrorKind::AddrNotAvailable, LocalTrouble::Address),
        ] {
            assert_eq!(of(&io::Error::from(kind), BOTH), Some(trouble));
        }
    }

    #[test]
    fn what_the_other_side_does_is_the_provider_s() {
        for kind in [
            ErrorKind::ConnectionRefused,
            ErrorKind::ConnectionReset,
            ErrorKind::TimedOut,
            ErrorKind::HostUnreachable,
            ErrorKind::UnexpectedEof,
            ErrorKind::InvalidData,
        ] {
            assert_eq!(of(&io::Error::from(kind), NONE), None, "{kind}");
        }
    }

    #[test]
    fn no_way_out_is_ours_only_where_no_way_leads_out() {
        let (v4, v6) = ("192.0.2.1:443", "[2001:db8::1]:443");
        let unreachable = ErrorKind::NetworkUnreachable;
        assert_eq!(of(&connecting(v4, unreachable), NONE), Some(LocalTrouble::Network));
        assert_eq!(of(&connecting(v6, unreachable), NONE), Some(LocalTrouble::Network));
        assert_eq!(of(&connecting(v6, unreachable), V4), None, "by IPv4 it was asked as well");
        assert_eq!(of(&connecting(v4, unreachable), BOTH), None);
        let taken = ErrorKind::AddrNotAvailable;
        assert_eq!(of(&connecting(v4, taken), V4), Some(LocalTrouble::Address));
        assert_eq!(of(&connecting(v6, taken), V4), None);
        assert_eq!(of(&connecting(v6, taken), BOTH), Some(LocalTrouble::Address));
    }

    #[test]
    fn a_resolver_that_does_not_answer_is_ours_and_a_name_that_is_none_is_not() {
        let lookup =
            |why: &str| io::Error::other(format!("failed to lookup address information: {why}"));
        let resolver = Some(LocalTrouble::Resolver);
        assert_eq!(of(&lookup("Temporary failure in name resolution"), BOTH), resolver);
        assert_eq!(of(&lookup("Try again"), BOTH), resolver);
        assert_eq!(of(&lookup("Name or service not known"), BOTH), None);
    }

    #[test]
    fn what_may_have_been_sent_is_not_taken_for_unsent() {
        let denied = || io::Error::from(ErrorKind::PermissionDenied);
        let broken = attribute(Error::new(Outcome::ConnectionLost).with_source(denied()));
        assert_eq!(broken.outcome(), Outcome::ConnectionLost);
        let unreachable = attribute(Error::new(Outcome::Unreachable).with_source(denied()));
        assert_eq!(unreachable.outcome(), Outcome::NotSent { retry_in: None });
        assert_eq!(unreachable.to_string(), "not sent: this machine forbids the connection");
        let limited = Error::new(Outcome::Empty).with_source(denied());
        assert_eq!(attribute(limited).outcome(), Outcome::Empty);
    }
}
