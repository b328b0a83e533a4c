//! The pairs of target and model where the target rejected the model that the caller named. Pure: the time comes in as an
//! argument, in seconds.

use std::time::Duration;

/// The models that some targets do not have and others may. Bounded: beyond [`MAX_KEPT`] the oldest is evicted.
#[derive(Clone, Debug)]
pub(super) struct Unknown {
    targets: usize,
    models: Vec<Model>,
}

/// A target and the hash of a model requested there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) at: usize,
    pub(super) model: u64,
}

#[derive(Clone, Debug)]
struct Model {
    hash: u64,
    /// For each target, until when the model is not requested there; 0 if nothing is known.
    until: Box<[f64]>,
}

/// The time before a target is asked for a model again: an extra attempt a minute costs little, and a key that is granted the
/// model is soon detected.
pub(super) const LASTS: Duration = Duration::from_secs(60);
/// The maximum number of models kept for an operation.
const MAX_KEPT: usize = 64;

// === impl Unknown ===

impl Unknown {
    pub(super) fn new(targets: usize) -> Self {
        Self { targets, models: Vec::new() }
    }

    /// Records that a target did not have a model. If no target has it, that is the caller's mistake and nothing is kept.
    pub(super) fn note(&mut self, Pair { at, model }: Pair, now: f64, lasts: Duration) {
        let place = self.models.iter().position(|known| known.hash == model);
        let mut known = match place {
            Some(place) => self.models.remove(place),
            None => Model { hash: model, until: vec![0.0; self.targets].into() },
        };
        known.until[at] = now + lasts.as_secs_f64();
        if known.until.iter().all(|until| now < *until) {
            return;
        }
        if self.models.len() == MAX_KEPT {
            self.models.remove(0);
        }
        self.models.push(known);
    }

    /// The bits of the targets that do not have a model.
    pub(super) fn bits(&self, model: u64, now: f64) -> u64 {
        let known = self.models.iter().find(|known| known.hash == model);
        let until = known.map_or(&[][..], |known| &known.until);
        let lack = until.iter().enumerate().filter(|(_, until)| now < **until);
        lack.fold(0, |bits, (at, _)| bits | 1 << at)
    }

    /// Records that a call for a model goes to a target. If the target's time was over, this call is the trial, and no other call
    /// goes there until `trial`.
    pub(super) fn try_again(&mut self, pair: Pair, now: f64, trial: f64) {
        if let Some(until) = self.until(pair).filter(|until| **until > 0.0 && **until <= now) {
            *until = trial;
        }
    }

    /// Records that a target has the model.
    pub(super) fn forget(&mut self, pair: Pair) {
        if let Some(until) = self.until(pair) {
            *until = 0.0;
            self.models.retain(|known| known.until.iter().any(|until| *until > 0.0));
        }
    }

    fn until(&mut self, Pair { at, model }: Pair) -> Option<&mut f64> {
        let known = self.models.iter_mut().find(|known| known.hash == model);
        known.and_then(|known| known.until.get_mut(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn pair(at: usize, model: u64) -> Pair {
        Pair { at, model }
    }

    #[test]
    fn it_is_of_one_target_and_one_model_and_passes() {
        let mut unknown = Unknown::new(3);
        unknown.note(pair(2, 7), 1.0, TEN);
        assert_eq!((unknown.bits(7, 10.9), unknown.bits(8, 10.9)), (0b100, 0));
        assert_eq!(unknown.bits(7, 11.0), 0);
        unknown.note(pair(0, 7), 11.0, TEN);
        unknown.note(pair(0, 7), 16.0, TEN);
        assert_eq!((unknown.bits(7, 25.9), unknown.bits(7, 26.0)), (0b001, 0));
    }

    #[test]
    fn one_call_finds_out_and_holds_the_others_back() {
        let mut unknown = Unknown::new(2);
        unknown.note(pair(1, 7), 0.0, TEN);
        unknown.try_again(pair(1, 7), 9.0, 19.0);
        assert_eq!(unknown.bits(7, 10.0), 0, "asked before its time is over: nothing changes");
        unknown.try_again(pair(1, 7), 10.0, 20.0);
        assert_eq!((unknown.bits(7, 10.0), unknown.bits(7, 20.0)), (0b10, 0));
        unknown.try_again(pair(0, 7), 10.0, 20.0);
        assert_eq!(unknown.bits(7, 10.0), 0b10, "nothing was known of the other");
        unknown.forget(pair(1, 7));
        assert_eq!(unknown.bits(7, 10.0), 0);
        assert!(unknown.models.is_empty());
    }

    #[test]
    fn of_a_model_that_none_has_nothing_is_kept() {
        let mut unknown = Unknown::new(3);
        for at in [1, 0, 2] {
            unknown.note(pair(at, 7), 5.0, TEN);
        }
        assert_eq!(unknown.bits(7, 5.0), 0);
        assert!(unknown.models.is_empty());
        // A rejection whose time is over no longer counts.
        unknown.note(pair(0, 7), 5.0, TEN);
        unknown.note(pair(1, 7), 15.0, TEN);
        unknown.note(pair(2, 7), 15.0, TEN);
        assert_eq!(unknown.bits(7, 15.0), 0b110);
    }

    #[test]
    fn of_any_number_of_models_the_last_few_are_kept() {
        let mut unknown = Unknown::new(64);
        for model in 0..1000 {
            unknown.note(pair(63, model), 0.0, TEN);
        }
        assert_eq!(unknown.models.len(), MAX_KEPT);
        assert_eq!((unknown.bits(0, 0.0), unknown.bits(999, 0.0)), (0, 1 << 63));
    }
}
