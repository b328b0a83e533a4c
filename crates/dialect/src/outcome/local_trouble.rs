//! The reason this machine could not send an attempt.

use std::fmt;

/// The reason this machine could not send an attempt. The [`Verdict`](super::Verdict) of the failure has it, with the outcome
/// [`Outcome::NotSent`](super::Outcome::NotSent): no breaker counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocalTrouble {
    /// No file descriptors: this process, or the system, has as many open as it may (`EMFILE`, `ENFILE`).
    Descriptors,
    /// No memory for a socket (`ENOMEM`, `ENOBUFS`).
    Memory,
    /// No network (`ENETUNREACH`, `ENETDOWN`).
    Network,
    /// No free local address: all ports are in use (`EADDRNOTAVAIL`).
    Address,
    /// No permission: a firewall or a sandbox of this machine forbids it (`EACCES`, `EPERM`).
    Permission,
    /// No answer of the resolver: the name of the host could not be looked up now (`EAI_AGAIN`).
    Resolver,
    /// No credentials: their source failed, or did not answer in time.
    Credentials,
}

// === impl LocalTrouble ===

impl fmt::Display for LocalTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptors => "no file descriptor is left on this machine",
            Self::Memory => "no memory for a socket is left on this machine",
            Self::Network => "this machine has no network",
            Self::Address => "no local address is left on this machine",
            Self::Permission => "this machine forbids the connection",
            Self::Resolver => "the resolver of this machine does not answer",
            Self::Credentials => "there are no credentials for it",
        })
    }
}
