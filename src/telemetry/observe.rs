//! Where events go.

use std::{fmt, sync::Arc};

use super::Event;

/// Listens to events: a closure, or a type of yours. Called in line, so it must be quick; never under a lock of ours.
pub trait Observe: Send + Sync + 'static {
    /// Takes note of one event.
    fn observe(&self, event: &Event);
}

/// Where a layer sends its events: always to `tracing`, and to a listener if there is one.
#[derive(Clone, Default)]
pub struct Events(Option<Arc<dyn Observe>>);

// === impl Events ===

impl Events {
    /// Sends events to that listener as well.
    pub fn to(listener: impl Observe) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(crate) fn emit(&self, event: Event) {
        super::tracing::record(&event);
        if let Some(listener) = &self.0 {
            listener.observe(&event);
        }
    }
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observe for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Events(listener)" } else { "Events" })
    }
}
