//! The cost of a call, in the units that providers limit.

use std::ops::{Index, IndexMut};

use crate::{dialect::Usage, outcome::Outcome};

/// A unit that a provider limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CostDimension {
    /// Requests; each call is one.
    Requests,
    /// The tokens of request and answer together.
    Tokens,
    /// The tokens of the request alone.
    Input,
    /// The tokens of the answer alone.
    Output,
}

/// One value for each dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct PerDimension<T>([T; 4]);

/// The cost of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) requests: u64,
    pub(super) input: u64,
    pub(super) output: u64,
}

// === impl CostDimension ===

impl CostDimension {
    pub(super) const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::Input, Self::Output];
}

// === impl PerDimension ===

impl<T> PerDimension<T> {
    pub(super) fn from_fn(value: impl FnMut(CostDimension) -> T) -> Self {
        Self(CostDimension::ALL.map(value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (CostDimension, &mut T)> {
        CostDimension::ALL.into_iter().zip(&mut self.0)
    }
}

impl PerDimension<f64> {
    pub(super) const ZERO: Self = Self([0.0; 4]);
}

impl<T> Index<CostDimension> for PerDimension<T> {
    type Output = T;

    fn index(&self, dimension: CostDimension) -> &T {
        &self.0[dimension as usize]
    }
}

impl<T> IndexMut<CostDimension> for PerDimension<T> {
    fn index_mut(&mut self, dimension: CostDimension) -> &mut T {
        &mut self.0[dimension as usize]
    }
}

// === impl Cost ===

impl Cost {
    /// The cost of a request that does not run a model.
    pub(super) const REQUEST: Self = Self { requests: 1, input: 0, output: 0 };

    /// The cost in one dimension.
    pub(super) fn of(self, dimension: CostDimension) -> u64 {
        match dimension {
            CostDimension::Requests => self.requests,
            CostDimension::Tokens => self.input.saturating_add(self.output),
            CostDimension::Input => self.input,
            CostDimension::Output => self.output,
        }
    }

    /// The cost of a call whose answer reports that usage. Providers do not count tokens read from a prompt cache.
    pub(super) fn from_usage(tokens: Usage) -> Self {
        let input = tokens.input.saturating_sub(tokens.cached);
        Self { requests: 1, input, output: tokens.output }
    }

    /// The part of an estimate that an attempt with that outcome has used, as far as the outcome shows.
    pub(super) fn spent_by(self, outcome: Outcome) -> Self {
        match outcome {
            // No request was sent.
            Outcome::Unreachable | Outcome::NotSent { .. } => Self::default(),
            // The provider answered before the model ran.
            Outcome::Unavailable { .. }
            | Outcome::RateLimited { .. }
            | Outcome::QuotaExhausted { .. }
            | Outcome::Rejected { .. }
            | Outcome::Declined
            | Outcome::TooLarge => Self { requests: self.requests, input: 0, output: 0 },
            _ => self,
        }
    }
}
