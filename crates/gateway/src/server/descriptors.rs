//! The file descriptors of the process, against what the connections need.

use super::connections::RESERVED;

/// What the connections need, and what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Descriptors {
    /// The limit of the process now; `None` is no limit.
    now: Option<u64>,
    /// What it may be raised to.
    most: Option<u64>,
}

/// For files, the listeners, name lookups and connections to upstreams that are idle.
const SPARE: u64 = 128;

/// Raises the limit of descriptors to what that many connections need. Returns the connections that fit.
pub(crate) fn fit(connections: usize) -> usize {
    let needed = needed(connections);
    let mut limits = system::read();
    if let Some(limit) = limits.raise(needed) {
        match system::raise(limit, limits) {
            Ok(()) => limits.now = Some(limit),
            Err(error) => tracing::warn!(%error, limit, "the limit of open files stays as it is"),
        }
    }
    let fitting = limits.fitting(connections);
    if fitting < connections {
        tracing::warn!(
            limit = limits.now,
            needed,
            connections,
            lowered_to = fitting,
            "the system allows too few open files for limits.connections; raise it with ulimit -n or LimitNOFILE="
        );
    }
    fitting
}

/// One for each connection and one for its upstream.
fn needed(connections: usize) -> u64 {
    (connections as u64).saturating_mul(2).saturating_add(RESERVED as u64 + SPARE)
}

// === impl Descriptors ===

impl Descriptors {
    /// The limit to set, if the one of now is too low and may be raised.
    fn raise(&self, needed: u64) -> Option<u64> {
        let now = self.now.filter(|now| *now < needed)?;
        let limit = self.most.map_or(needed, |most| most.min(needed));
        (limit > now).then_some(limit)
    }

    /// The connections that fit, at least one.
    fn fitting(&self, connections: usize) -> usize {
        let Some(now) = self.now else { return connections };
        let fitting = now.saturating_sub(RESERVED as u64 + SPARE) / 2;
        connections.min(usize::try_from(fitting).unwrap_or(usize::MAX)).max(1)
    }
}

#[cfg(unix)]
mod system {
    use std::io;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::Descriptors;

    pub(super) fn read() -> Descriptors {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        Descriptors { now: current, most: maximum }
    }

    pub(super) fn raise(limit: u64, limits: Descriptors) -> io::Result<()> {
        let limits = Rlimit { current: Some(limit), maximum: limits.most };
        Ok(setrlimit(Resource::Nofile, limits)?)
    }
}

/// Elsewhere sockets are not counted.
#[cfg(not(unix))]
mod system {
    use std::io;

    use super::Descriptors;

    pub(super) fn read() -> Descriptors {
        Descriptors { now: None, most: None }
    }

    pub(super) fn raise(_: u64, _: Descriptors) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(now: u64, most: u64) -> Descriptors {
        Descriptors { now: Some(now), most: Some(most) }
    }

    #[test]
    fn the_limit_is_raised_as_far_as_needed_and_allowed_and_never_lowered() {
        assert_eq!(needed(1024), 2208);
        assert_eq!(limits(1024, 524_288).raise(2208), Some(2208));
        assert_eq!(limits(1024, 2000).raise(2208), Some(2000));
        assert_eq!(limits(1024, 1024).raise(2208), None);
        assert_eq!(limits(65_536, 65_536).raise(2208), None);
        assert_eq!(Descriptors { now: Some(256), most: None }.raise(2208), Some(2208));
        assert_eq!(Descriptors { now: None, most: None }.raise(2208), None);
    }

    #[test]
    fn connections_are_lowered_to_what_fits_and_one_is_always_taken() {
        assert_eq!(limits(2208, 2208).fitting(1024), 1024);
        assert_eq!(limits(1024, 1024).fitting(1024), 432);
        assert_eq!(limits(10, 10).fitting(1024), 1);
        assert_eq!(Descriptors { now: None, most: None }.fitting(1024), 1024);
    }
}
