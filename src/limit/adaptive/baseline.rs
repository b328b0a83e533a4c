//! The latencies of answers of one form without a queue, whatever the lengths of the answers.

/// The first latencies, and a scale by which all of them are multiplied: later samples change all of them alike.
#[derive(Debug)]
pub(super) struct Baseline {
    scale: f64,
    lengths: Vec<f64>,
}

/// The factor by which an answer took longer than usual.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slowdown {
    pub(super) times: f64,
    pub(super) weight: f64,
}

/// The number of latencies that is enough to show a mixture of two lengths.
const MAX_LENGTHS: usize = 32;
/// An answer that takes this many times as long has another length, and is not slow by chance.
const MIXED: f64 = 4.0;
/// The weight of a single call that did not share the provider with other calls.
const FOLLOW: f64 = 0.1;
/// The shortest latency that is compared, in seconds.
const MIN_SECONDS: f64 = 1e-4;

// === impl Baseline ===

impl Baseline {
    pub(super) fn new(seconds: f64) -> Self {
        Self { scale: seconds.max(MIN_SECONDS), lengths: Vec::new() }
    }

    /// Adds a latency without a queue, until there are enough.
    pub(super) fn remember(&mut self, seconds: f64) {
        if self.lengths.len() < MAX_LENGTHS {
            self.lengths.push(seconds.max(MIN_SECONDS) / self.scale);
        }
    }

    /// Whether some latencies are many times as long as others.
    pub(super) fn is_mixed(&self) -> bool {
        let shortest = self.lengths.iter().copied().fold(f64::INFINITY, f64::min);
        self.lengths.iter().any(|length| *length > MIXED * shortest)
    }

    /// Multiplies all latencies by `times`.
    pub(super) fn scale(&mut self, times: f64) {
        self.scale = (self.scale * times).max(MIN_SECONDS);
    }

    /// Compares a latency with each one of the baseline. The weights have the sum one.
    pub(super) fn compare(&self, seconds: f64, slowdowns: &mut Vec<Slowdown>) {
        let (seconds, weight) =
            (seconds.max(MIN_SECONDS) / self.scale, 1.0 / self.lengths.len() as f64);
        let slowdown = |length: &f64| Slowdown { times: seconds / length, weight };
        slowdowns.extend(self.lengths.iter().map(slowdown));
    }

    /// Adjusts the scale to a call that did not wait for another: up if it took longer than most, down if it was faster.
    pub(super) fn follow(&mut self, seconds: f64) {
        let length = seconds.max(MIN_SECONDS) / self.scale;
        let share = |is: &dyn Fn(f64) -> bool| {
            self.lengths.iter().filter(|length| is(**length)).count() as f64
                / self.lengths.len() as f64
        };
        let rank = (share(&|known| known < length) + share(&|known| known <= length)) / 2.0;
        self.scale(1.0 + FOLLOW * (rank - 0.5));
    }
}
