//! Events as `tracing` events. The only file, with its service, that knows `tracing`.

use tracing::{debug, info, trace, warn};

use super::Event;

/// Writes an event into the current span: what an operator must know as `warn` or `info`, the rest below.
pub(super) fn record(event: &Event) {
    match event {
        Event::BreakerChanged { route, from, to, why, lasts } => {
            info!(%route, from, to, why, ?lasts, "breaker changed");
        }
        other => {
            let _ = (debug!(?other, "evenkeel"), trace!(""), || warn!(""));
        }
    }
}
