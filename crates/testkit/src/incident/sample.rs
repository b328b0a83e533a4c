//! Random numbers, the same for the same seed.

use std::time::Duration;

use fastrand::Rng;

/// A number, or two from between which one is drawn evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SampleRange {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

// === impl SampleRange ===

impl SampleRange {
    pub(crate) const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// The number at a fraction of the way from the low end to the high end.
    pub(crate) fn at(self, fraction: f64) -> f64 {
        self.low + (self.high - self.low) * fraction
    }

    /// Draws a number of seconds and multiplies it by a scale.
    pub(crate) fn seconds(self, rng: &mut Rng, scale: f64) -> Duration {
        Duration::try_from_secs_f64(self.at(rng.f64()) * scale).unwrap_or(Duration::MAX)
    }

    /// Draws a whole number.
    pub(crate) fn whole(self, rng: &mut Rng) -> usize {
        rng.usize(self.low as usize..=self.high as usize)
    }
}

/// A generator of random numbers for one key: the same for the same arguments.
pub(crate) fn seeded_rng(seed: u64, salt: u64, key: u64) -> Rng {
    let mut rng = Rng::with_seed(seed ^ salt.rotate_left(32));
    let mixed = rng.u64(..) ^ key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Rng::with_seed(mixed)
}
