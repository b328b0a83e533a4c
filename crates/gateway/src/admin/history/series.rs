//! The steps of time.

use std::collections::VecDeque;

use super::bucket::Bucket;
use crate::admin::unix_time::UnixMillis;

/// The length of a step, in milliseconds.
pub(in crate::admin) const STEP: UnixMillis = 10_000;
/// The number of steps: 15 minutes.
pub(in crate::admin) const STEPS: usize = 90;

/// The counts of the last 15 minutes, by the clock of the machine.
#[derive(Clone, Debug, Default)]
pub(in crate::admin) struct Series {
    /// The oldest first; the newest began at `newest`.
    buckets: VecDeque<Bucket>,
    newest: UnixMillis,
}

// === impl Series ===

impl Series {
    /// The bucket of that time: the newest one, or one that is still kept.
    pub(super) fn at(&mut self, time: UnixMillis, now: UnixMillis) -> &mut Bucket {
        self.advance(now);
        let age = usize::try_from(self.newest.saturating_sub(start(time)) / STEP);
        let last = self.buckets.len() - 1;
        &mut self.buckets[last.saturating_sub(age.unwrap_or(last))]
    }

    /// Begins the steps up to `now`. A laptop that has slept leaves a gap; a clock that was set back moves what is kept with it.
    pub(super) fn advance(&mut self, now: UnixMillis) {
        let start = start(now);
        if self.buckets.is_empty() || start + STEP < self.newest {
            self.newest = start;
        }
        let steps = usize::try_from(start.saturating_sub(self.newest) / STEP).unwrap_or(STEPS);
        let begun = if self.buckets.is_empty() { 1 } else { steps.min(STEPS) };
        self.buckets.extend((0..begun).map(|_| Bucket::default()));
        while self.buckets.len() > STEPS {
            self.buckets.pop_front();
        }
        self.newest = self.newest.max(start);
    }

    /// When the first of [`STEPS`] steps began.
    pub(in crate::admin) fn from(&self) -> UnixMillis {
        self.newest.saturating_sub(STEP * (STEPS as UnixMillis - 1))
    }

    /// A number of each of [`STEPS`] steps, the oldest first.
    pub(in crate::admin) fn numbers<T>(&self, none: T, number: impl Fn(&Bucket) -> T) -> Vec<T>
    where
        T: Clone,
    {
        let before = std::iter::repeat_n(none, STEPS - self.buckets.len());
        before.chain(self.buckets.iter().map(number)).collect()
    }

    /// The newest steps, the newest first.
    pub(super) fn newest(&self, steps: usize) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().rev().take(steps)
    }

    /// The outcomes of calls in the kept time, in the order of their first one.
    pub(in crate::admin) fn outcomes(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for (name, _) in self.buckets.iter().flat_map(|bucket| &bucket.outcomes) {
            if !names.contains(name) {
                names.push(*name);
            }
        }
        names
    }
}

/// The start of the step that has `time` in it.
fn start(time: UnixMillis) -> UnixMillis {
    time - time % STEP
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixMillis = 1_700_000_000_000;

    fn count(series: &mut Series, now: UnixMillis) {
        series.at(now, now).calls += 1;
    }

    fn calls(series: &Series) -> Vec<u32> {
        series.numbers(0, |bucket| bucket.calls)
    }

    #[test]
    fn a_call_is_in_the_step_of_its_time() {
        let mut series = Series::default();
        count(&mut series, NOON);
        count(&mut series, NOON + STEP - 1);
        count(&mut series, NOON + STEP);
        count(&mut series, NOON + 3 * STEP);
        assert_eq!(calls(&series)[STEPS - 4..], [2, 1, 0, 1]);
        assert_eq!(series.from(), NOON - 86 * STEP);
        series.at(NOON + STEP, NOON + 3 * STEP).calls += 10;
        assert_eq!(calls(&series)[STEPS - 4..], [2, 11, 0, 1]);
        // Longer ago than what is kept: the oldest.
        series.at(0, NOON + 3 * STEP).calls += 5;
        assert_eq!(calls(&series)[STEPS - 4..], [7, 11, 0, 1]);
    }

    #[test]
    fn ninety_steps_are_kept_however_long_the_machine_slept() {
        let mut series = Series::default();
        for nth in 0..1_000 {
            count(&mut series, NOON + nth * STEP);
        }
        assert_eq!(calls(&series), [1; STEPS]);
        count(&mut series, NOON * 2);
        assert_eq!(calls(&series).iter().sum::<u32>(), 1);
        assert_eq!((series.buckets.len(), calls(&series)[STEPS - 1]), (STEPS, 1));
    }

    #[test]
    fn a_clock_that_is_set_back_loses_no_count() {
        let mut series = Series::default();
        count(&mut series, NOON);
        count(&mut series, NOON + STEP);
        // A little: the newest step goes on.
        count(&mut series, NOON + STEP - 1);
        assert_eq!(calls(&series)[STEPS - 2..], [1, 2]);
        // An hour: the steps are moved.
        count(&mut series, NOON - 360 * STEP);
        assert_eq!(calls(&series)[STEPS - 2..], [1, 3]);
        count(&mut series, NOON - 359 * STEP);
        assert_eq!(calls(&series)[STEPS - 3..], [1, 3, 1]);
        assert_eq!(series.from(), NOON - 359 * STEP - 89 * STEP);
    }
}
