//! The routes that lead to a target.

use super::Target;
use crate::{identity::Fingerprint, route::Route, route::provider};

/// What a target fixes of the routes of its calls; the caller chooses the rest.
#[derive(Debug)]
pub(crate) struct Footprint {
    /// The route of the target, with a dash for what it does not fix.
    route: Route,
    has_provider: bool,
    has_model: bool,
    has_credential: bool,
}

// === impl Target ===

impl Target {
    /// The routes that lead to the target.
    pub(crate) fn footprint(&self) -> Footprint {
        let own =
            self.headers.iter().filter_map(|(name, value)| Some((name, value.as_ref().ok()?)));
        let credential = match (&self.label, &self.credentials) {
            (Some(label), Some(_)) => Some(format!("~{label}")),
            (Some(label), None) => Some(label.to_string()),
            (None, Some(source)) => Some(Fingerprint::of_source(source.id()).as_str().to_owned()),
            (None, None) if self.headers.is_empty() => None,
            (None, None) => Some(Fingerprint::of_headers(own).as_str().to_owned()),
        };
        let provider = self.uri().map(provider);
        Footprint {
            has_provider: provider.is_some(),
            has_model: self.model.is_some(),
            has_credential: credential.is_some(),
            route: Route::asked(
                provider.as_deref().unwrap_or("-"),
                self.model.as_deref().unwrap_or("-"),
                credential.as_deref().unwrap_or("-"),
            ),
        }
    }
}

// === impl Footprint ===

impl Footprint {
    /// Whether a route leads to the target, whatever the operation. The route of an edited request has a suffix at its model.
    pub(crate) fn covers(&self, route: &Route) -> bool {
        (!self.has_provider || self.route.provider() == route.provider())
            && (!self.has_model || route.model().starts_with(self.route.model()))
            && (!self.has_credential || self.route.credential() == route.credential())
    }

    /// Whether only calls that are sent to the target take its routes: it has a host and a credential of its own.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.has_provider && self.has_credential
    }

    /// Whether the target is wherever the caller addresses a request.
    pub(crate) fn is_anywhere(&self) -> bool {
        !self.has_provider
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footprint_covers_the_routes_of_the_target_and_no_others() {
        let target = Target::new("https://a.example/v1").label("ours").model("m");
        let footprint = target.footprint();
        assert!(footprint.is_exclusive() && !footprint.is_anywhere());
        let covers = |provider, model, credential| {
            footprint.covers(&Route::new(provider, model, credential))
        };
        assert!(covers("a.example", "m", "ours") && covers("a.example", "m+short", "ours"));
        assert!(!covers("b.example", "m", "ours") && !covers("a.example", "m", "theirs"));
        assert!(!covers("a.example", "other", "ours"));
        assert!(Target::same_host().model("m").footprint().is_anywhere());
    }
}
