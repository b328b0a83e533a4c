//! What a fallback is: where it sends a request, or what it answers itself.

use std::{sync::Arc, time::Duration};

use super::Canned;
use crate::target::{
    Target,
    group::{BalancePolicy, Pool},
};

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Where the caller addressed the request.
    Addressed,
    Target(Box<Target>),
    /// Several equal targets.
    TargetGroup(TargetGroup),
    /// A stored answer up to that age.
    Stored(Duration),
    Canned(Canned),
    Wait,
}

/// The equal targets of a fallback.
#[derive(Clone, Debug)]
pub(super) struct TargetGroup {
    pub(super) targets: Vec<Target>,
    pub(super) policy: BalancePolicy,
    /// The state of each target; set when the layer is built.
    pub(super) pool: Option<Arc<Pool>>,
}
