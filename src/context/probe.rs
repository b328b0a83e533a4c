//! A breaker's probe, as the layers above the breaker see it.

use std::sync::{Arc, Mutex};

use tokio::{sync::Notify, time::Instant};

use super::Route;
use crate::sync::lock_std as lock;

/// Signals that an attempt at one target is a breaker's probe. A handle: the layer that sends to the target puts a new one into
/// the request, the breaker below raises it, and other targets of the call do not see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProbeSignal(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The probes under way: more than one with equal targets, or with a second copy.
    probes: Mutex<Vec<Probe>>,
    raised: Notify,
}

/// A probe under way: its route, and when its attempt started.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Probe {
    pub(crate) route: Route,
    pub(crate) since: Instant,
}

/// Keeps the signal raised until it is dropped.
#[derive(Debug)]
pub(crate) struct Raised {
    signal: ProbeSignal,
    probe: Probe,
}

// === impl ProbeSignal ===

impl ProbeSignal {
    /// Signals that an attempt which starts now is the probe of that route.
    pub(crate) fn raise(&self, route: Route) -> Raised {
        let probe = Probe { route, since: Instant::now() };
        lock(&self.0.probes).push(probe.clone());
        self.0.raised.notify_waiters();
        Raised { signal: self.clone(), probe }
    }

    /// The first of the probes under way; `None` if no attempt is one.
    pub(crate) fn probe(&self) -> Option<Probe> {
        lock(&self.0.probes).first().cloned()
    }

    /// Waits until an attempt is a probe.
    pub(crate) async fn raised(&self) -> Probe {
        loop {
            let mut notified = std::pin::pin!(self.0.raised.notified());
            // Registered before the check, so that no signal between the two is missed.
            notified.as_mut().enable();
            if let Some(probe) = self.probe() {
                return probe;
            }
            notified.await;
        }
    }
}

// === impl Raised ===

impl Drop for Raised {
    fn drop(&mut self) {
        let mut probes = lock(&self.signal.0.probes);
        if let Some(at) = probes.iter().position(|probe| *probe == self.probe) {
            probes.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_signal_is_raised_for_as_long_as_a_probe_lives() {
        let (signal, route) = (ProbeSignal::default(), Route::new("host", "model", "-"));
        let mut waits = Box::pin(signal.raised());
        assert!((&mut waits).now_or_never().is_none() && signal.probe().is_none());
        let raised = signal.raise(route.clone());
        assert_eq!(waits.now_or_never().expect("it was raised").route, route);
        let other = signal.raise(Route::new("host", "other", "-"));
        drop(raised);
        assert_eq!(signal.probe().expect("the other goes on").route.model(), "other");
        drop(other);
        assert!(signal.probe().is_none() && signal.raised().now_or_never().is_none());
    }
}
