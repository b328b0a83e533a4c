//! The latencies that are usual for answers of one form, whatever their lengths are.

/// The first latencies, and a scale that all of them are multiplied by: what is learnt later changes all of them alike.
#[derive(Debug)]
pub(super) struct Usual {
    scale: f64,
    lengths: Vec<f64>,
}

/// So many tell a mixture of two lengths.
const KEPT: usize = 32;
/// So many times as long is another length, and not chance.
const MIXED: f64 = 4.0;
/// What a single call that had the provider to itself says of the scale.
const FOLLOW: f64 = 0.1;
/// Nothing is compared that is shorter, in seconds.
const LEAST: f64 = 1e-4;

// === impl Usual ===

impl Usual {
    pub(super) fn of(seconds: f64) -> Self {
        Self { scale: seconds.max(LEAST), lengths: Vec::new() }
    }

    /// It was that long, without a queue. What is more than enough is not kept.
    pub(super) fn remember(&mut self, seconds: f64) {
        if self.lengths.len() < KEPT {
            self.lengths.push(seconds.max(LEAST) / self.scale);
        }
    }

    /// Whether some are many times as long as others.
    pub(super) fn is_mixed(&self) -> bool {
        let shortest = self.lengths.iter().copied().fold(f64::INFINITY, f64::min);
        self.lengths.iter().any(|length| *length > MIXED * shortest)
    }

    /// All are so many times as long.
    pub(super) fn scale(&mut self, times: f64) {
        self.scale = (self.scale * times).max(LEAST);
    }

    /// How many times as long it was as each of those that are kept, with weights that make one together.
    pub(super) fn compare(&self, seconds: f64, pairs: &mut Vec<(f64, f64)>) {
        let (seconds, weight) = (seconds.max(LEAST) / self.scale, 1.0 / self.lengths.len() as f64);
        pairs.extend(self.lengths.iter().map(|length| (seconds / length, weight)));
    }

    /// The scale follows a call that had no other to wait for: up where it was longer than most, down where it was shorter.
    pub(super) fn follow(&mut self, seconds: f64) {
        let length = seconds.max(LEAST) / self.scale;
        let share = |is: &dyn Fn(f64) -> bool| {
            self.lengths.iter().filter(|length| is(**length)).count() as f64
                / self.lengths.len() as f64
        };
        let rank = (share(&|it| it < length) + share(&|it| it <= length)) / 2.0;
        self.scale(1.0 + FOLLOW * (rank - 0.5));
    }
}
