//! Puts options into the extensions of a request, where the layers read them.

use http::Extensions;

use super::{CallOptions, options::CallFallbacks, scope::Scope};
use crate::{
    ConfigError, Error, Request,
    context::{CallContext, Deadline, Fallbacks},
    dialect::Dialect,
    fallback::FallbackList,
    outcome::{Outcome, Rejection},
};

/// The options of one call, from all places but its request.
#[derive(Clone, Debug, Default)]
pub(crate) struct OptionSources {
    /// Those of the call itself.
    pub(crate) explicit: CallOptions,
    /// The scope that the call was made in.
    pub(crate) scope: Option<Scope>,
}

/// What happens to a value that the request has already.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Present {
    Replaced,
    Kept,
}

// === impl CallOptions ===

impl CallOptions {
    /// Puts what is set into the extensions of a request, in place of what is there: for a stack of your own layers. A
    /// [`Client`](crate::Client) does so by itself with a `CallOptions` that it finds in the extensions of a request. A deadline
    /// counts from now; [models](Self::fallback_models) are requested where the call is addressed.
    ///
    /// # Errors
    ///
    /// If a value is wrong: see [`check`](Self::check).
    pub fn apply(&self, extensions: &mut Extensions) -> Result<(), ConfigError> {
        self.check()?;
        self.put(extensions, Present::Replaced);
        insert(extensions, self.dialect, Present::Replaced);
        if let Some(CallFallbacks::Models(models)) = &self.fallbacks {
            extensions.insert(Fallbacks::models(models)?);
        }
        Ok(())
    }

    /// Puts every value into the extensions, except for the dialect and the names of models, which depend on the request.
    fn put(&self, extensions: &mut Extensions, present: Present) {
        let fallbacks = match &self.fallbacks {
            Some(CallFallbacks::Given(Ok(fallbacks))) => Some(fallbacks.clone()),
            _ => None,
        };
        let affinity = self.affinity.clone().and_then(Result::ok);
        insert(extensions, self.priority, present);
        insert(extensions, fallbacks, present);
        insert(extensions, self.allowed_fallbacks.clone(), present);
        insert(extensions, affinity, present);
        insert(extensions, self.commit, present);
        insert(extensions, self.tenant.clone(), present);
        insert(extensions, self.mid_stream_failure, present);
        if let Some(deadline) = self.deadline.filter(|_| !keeps::<Deadline>(extensions, present)) {
            set_deadline(extensions, deadline.now());
        }
    }

    /// The same for a request, with everything.
    fn put_into(
        &self,
        request: &mut Request,
        present: Present,
        first: &FallbackList,
    ) -> Result<(), ConfigError> {
        // A scope may span calls for embeddings or files too.
        let dialect = self.dialect.filter(|_| !Dialect::is_elsewhere(request.uri().path()));
        insert(request.extensions_mut(), dialect, present);
        let own = keeps::<Fallbacks>(request.extensions(), present);
        self.put(request.extensions_mut(), present);
        if let Some(CallFallbacks::Models(models)) = self.fallbacks.as_ref().filter(|_| !own) {
            request.extensions_mut().remove::<Fallbacks>();
            if let Some(fallbacks) = first.models(request, models)? {
                request.extensions_mut().insert(fallbacks);
            }
        }
        Ok(())
    }
}

// === impl OptionSources ===

impl OptionSources {
    /// Puts all options into the request, by their precedence: those of the call itself, single values in the extensions of the
    /// request, `CallOptions` there, the scope.
    pub(crate) fn settle(self, request: &mut Request, first: &FallbackList) -> Result<(), Error> {
        let Self { explicit, scope } = self;
        let inside = request.extensions_mut().remove::<CallOptions>().unwrap_or_default();
        let below = match Scope::innermost(scope) {
            Some(scope) => inside.or(scope.options()),
            None => inside,
        };
        explicit.check().and_then(|()| below.check()).map_err(refused)?;
        // A value of both is that of the first: the second finds it there.
        explicit.put_into(request, Present::Replaced, first).map_err(refused)?;
        below.put_into(request, Present::Kept, first).map_err(refused)
    }
}

/// Sets the deadline of a call; a timeout that its request has already applies as well, if it is sooner.
pub(super) fn set_deadline(extensions: &mut Extensions, deadline: Deadline) {
    extensions.insert(deadline);
    if let Some(call) = extensions.get_mut::<CallContext>() {
        call.deadline = Some(call.deadline.map_or(deadline, |set| set.min(deadline)));
    }
}

pub(super) fn insert<T>(extensions: &mut Extensions, value: Option<T>, present: Present)
where
    T: Clone + Send + Sync + 'static,
{
    if let Some(value) = value.filter(|_| !keeps::<T>(extensions, present)) {
        extensions.insert(value);
    }
}

/// Whether a value of that type is there and stays.
fn keeps<T: Send + Sync + 'static>(extensions: &Extensions, present: Present) -> bool {
    present == Present::Kept && extensions.get::<T>().is_some()
}

/// The error of a call with a wrong option: nothing was sent.
fn refused(why: ConfigError) -> Error {
    Error::new(Outcome::Rejected { why: Rejection::Request }).with_source(why)
}
