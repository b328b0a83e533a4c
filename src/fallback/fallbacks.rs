//! Fallbacks of a single call.

use std::sync::Arc;

use http::Extensions;

use super::{
    Fallback, FallbackList, FallbackPolicy,
    kind::{Kind, TargetGroup},
};
use crate::{
    ConfigError, Request,
    coding::decode_request,
    context::{AllowedFallbacks, Fallbacks},
    target::Target,
};

/// The longest name of a fallback, in bytes.
const LONGEST_NAME: usize = 64;

// === impl Fallbacks ===

impl Fallbacks {
    /// The maximum number of fallbacks a call may bring: 8.
    pub const MAX_FALLBACKS: usize = 8;

    /// Creates the fallbacks of a call, in this order.
    ///
    /// # Errors
    ///
    /// Names the fallback and the field that is wrong. Also fails if there are more than [`MAX_FALLBACKS`](Self::MAX_FALLBACKS),
    /// or a fallback is below a canned reply. `fallbacks[0]` is the first of them.
    pub fn new(fallbacks: impl IntoIterator<Item = Fallback>) -> Result<Self, ConfigError> {
        let mut fallbacks: Vec<_> = fallbacks.into_iter().take(Self::MAX_FALLBACKS + 1).collect();
        if fallbacks.len() > Self::MAX_FALLBACKS {
            let allowed = format!("at most {} fallbacks", Self::MAX_FALLBACKS);
            return Err(ConfigError::new(
                "fallbacks",
                format_args!("more than {}", Self::MAX_FALLBACKS),
                allowed,
            ));
        }
        for (at, fallback) in fallbacks.iter().enumerate() {
            fallback.check(&format!("fallbacks[{at}]"))?;
            let wrong = if fallback.is_last() && at + 1 < fallbacks.len() {
                "a canned reply only as the last of them"
            } else if fallback.waits() {
                "a target, a stored answer or a canned reply: only the fallbacks of all calls may wait for recovery"
            } else {
                continue;
            };
            return Err(ConfigError::new(format!("fallbacks[{at}]"), &fallback.name, wrong));
        }
        fallbacks.iter_mut().for_each(Fallback::open);
        Ok(Self::of(fallbacks))
    }

    /// Other models where the call is addressed.
    pub(crate) fn models(models: &[Box<str>]) -> Result<Self, ConfigError> {
        let addressed = Fallback::original_request();
        Self::new(models.iter().map(|model| addressed.with_model(model)))
    }
}

impl IntoIterator for Fallbacks {
    type Item = Fallback;
    type IntoIter = std::vec::IntoIter<Fallback>;

    fn into_iter(self) -> Self::IntoIter {
        self.steps().to_vec().into_iter()
    }
}

// === impl FallbackList ===

impl FallbackList {
    /// Other models at the first target, as the fallbacks of a call; `None` for a call in no known dialect, which names no model.
    pub(crate) fn models(
        &self,
        request: &mut Request,
        models: &[Box<str>],
    ) -> Result<Option<Fallbacks>, ConfigError> {
        // What is parsed here stays parsed, so the body has to be plain.
        decode_request(request);
        if self.0.info(request).dialect().is_none() {
            return Ok(None);
        }
        let first = &self.0.fallbacks[0];
        Fallbacks::new(models.iter().map(|model| first.with_model(model))).map(Some)
    }
}

// === impl Fallback ===

impl Fallback {
    /// Another model at the targets of this fallback, or where the call is addressed if it has none. Named after the model, which
    /// is visible ASCII.
    fn with_model(&self, model: &str) -> Self {
        let fallback = match &self.kind {
            Kind::Target(target) => Self::target(Target::clone(target).model(model)),
            Kind::TargetGroup(TargetGroup { targets, policy, .. }) => {
                let targets = targets.iter().map(|target| target.clone().model(model));
                Self::targets(targets).balance(policy.clone())
            }
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => {
                Self::target(Target::same_host().model(model))
            }
        };
        fallback.named(&model[..model.len().min(LONGEST_NAME)])
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// The fallbacks of a call that brings its own, or may use some only; `None` for those of all calls.
    pub(super) fn of_call(&self, extensions: &Extensions) -> Option<Arc<Self>> {
        let allowed = extensions.get::<AllowedFallbacks>().map(|allowed| self.only(allowed));
        let own = extensions.get::<Fallbacks>();
        let own = own.map(|own| allowed.as_ref().unwrap_or(self).with(own));
        own.or(allowed).map(Arc::new)
    }

    /// The fallbacks of a call that may use some of them only. The first stays.
    fn only(&self, allowed: &AllowedFallbacks) -> Self {
        let all = self.fallbacks.iter().enumerate();
        let kept = all.filter(|(at, fallback)| {
            *at == 0 || fallback.waits() || allowed.contains(&fallback.name)
        });
        let fallbacks = kept.map(|(_, fallback)| fallback.clone()).collect();
        Self { fallbacks, ..self.clone() }
    }

    /// The fallbacks of a call that brings its own: these come right below the first.
    fn with(&self, own: &Fallbacks) -> Self {
        let (first, below) = self.fallbacks.split_at(1);
        Self { fallbacks: [first, own.steps(), below].concat(), ..self.clone() }
    }
}
