//! The bounds of all waits that a provider can impose on a route.

use std::time::Duration;

/// The longest time for which a route is closed, whatever its provider requests: 10 minutes. A longer wait is more often a
/// mistake than meant, and a call that probes costs less than a day without the route.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// In a wait that is longer than this, one call is sent as a probe after this time. The time between two probes doubles, up to
/// [`LONGEST_WAIT`].
pub(crate) const FIRST_PROBE: Duration = Duration::from_secs(60);
