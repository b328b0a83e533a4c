//! What the stack knows of a call.

use std::sync::Arc;

use super::{Deadline, Journey, Once, Route};
use crate::{Request, dialect::Ask, timeout::Pulse};

/// What the stack knows of a call, in the extensions of its request.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub(crate) deadline: Option<Deadline>,
    pub(crate) route: Option<Route>,
    pub(crate) ask: Option<Arc<Ask>>,
    pub(crate) journey: Journey,
    pub(crate) rung: u16,
    /// The name of the rung, where a ladder is.
    pub(crate) name: Option<Arc<str>>,
    /// The body can be sent only once: no retry, no other target.
    pub(crate) once: bool,
    /// Where what reads a stream ahead, inside a streamed attempt, tells that content has come.
    pub(crate) pulse: Option<Pulse>,
}

// === impl Call ===

impl Call {
    /// The call of a request; a new one for a request that has none yet, so that each layer can be used alone.
    pub(crate) fn of(request: &mut Request) -> &mut Self {
        if request.extensions().get::<Self>().is_none() {
            let deadline = request.extensions().get::<Deadline>().copied();
            let once = request.extensions().get::<Once>().is_some();
            request.extensions_mut().insert(Self { deadline, once, ..Self::default() });
        }
        request.extensions_mut().get_or_insert_with(Self::default)
    }

    /// What the request asks for, read once for the whole call.
    pub(crate) fn ask(request: &mut Request) -> Arc<Ask> {
        if let Some(ask) = &Self::of(request).ask {
            return ask.clone();
        }
        let ask = Arc::new(Ask::read(request));
        Self::of(request).ask = Some(ask.clone());
        ask
    }

    /// The route of the request: its target's, or one made from what it says.
    pub(crate) fn route(request: &mut Request) -> Route {
        if let Some(route) = &Self::of(request).route {
            return route.clone();
        }
        let ask = Self::ask(request);
        let route = Route::of(request, &ask);
        Self::of(request).route = Some(route.clone());
        route
    }
}
