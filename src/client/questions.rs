//! What a caller may ask before a call.

use super::Client;
use crate::{
    Availability, CallOptions, Error, Request, call_options::OptionSources, coding::decode_request,
    context::Route, into_call::IntoCall,
};

// === impl Client ===

impl Client {
    /// The availability of a route. Reading it changes nothing.
    ///
    /// A route is one of [`routes_of`](Self::routes_of) a request, or of those that [`breakers`](Self::breakers) lists.
    pub fn availability(&self, route: &Route) -> Availability {
        self.handles.at(route)
    }

    /// The availability for that request if it were sent now, over all fallbacks and within its deadline or the profile's: that of
    /// the first target; or, if that is unavailable and a fallback below would send the request elsewhere,
    /// [`Degraded`](Availability::Degraded). Stored answers and canned replies do not count.
    ///
    /// It takes the same requests as [`call`](Self::call), and their settings in extensions and scopes. A body that streams
    /// cannot be read: the routes follow from URL and headers. A `reqwest::RequestBuilder` with such a body, or with an error, has
    /// no known route, and counts as [`Clear`](Availability::Clear): build the request first.
    pub fn availability_of<R: IntoCall>(&self, request: &R) -> Availability {
        self.availability_with(request, CallOptions::default())
    }

    /// The routes that a request may take, in the order of the fallbacks; of a group of targets, one for each. See
    /// [`availability_of`](Self::availability_of) for the requests.
    pub fn routes_of<R: IntoCall>(&self, request: &R) -> Vec<Route> {
        self.routes_with(request, CallOptions::default())
    }

    pub(crate) fn availability_with(
        &self,
        request: &impl IntoCall,
        explicit: CallOptions,
    ) -> Availability {
        match self.settled(request, explicit) {
            Some(Ok(request)) => self.handles.ahead(&request),
            // The call would be refused for its settings.
            Some(Err(_)) => Availability::Unavailable { back_in: None },
            None => Availability::Clear,
        }
    }

    pub(crate) fn routes_with(&self, request: &impl IntoCall, explicit: CallOptions) -> Vec<Route> {
        let Some(Ok(request)) = self.settled(request, explicit) else { return Vec::new() };
        self.handles.routes(&request).into_iter().flatten().map(|(route, _)| route).collect()
    }

    /// A copy of a request with all its settings; `None` if it cannot be read.
    pub(super) fn settled(
        &self,
        request: &impl IntoCall,
        explicit: CallOptions,
    ) -> Option<Result<Request, Error>> {
        let mut request = request.copy()?;
        decode_request(&mut request);
        let sources = OptionSources { explicit, scope: None };
        Some(sources.settle(&mut request, &self.handles.fallbacks).map(|()| request))
    }
}
