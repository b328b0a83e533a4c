//! Whether the first events come as soon as they do without a queue.

/// The latencies of one round, and what is usual.
#[derive(Debug)]
pub(super) struct Latency {
    tolerance: f64,
    /// Seconds to the first event without a queue, once any is known.
    usual: Option<f64>,
    /// Of this round; never longer than a round.
    round: Vec<f64>,
    /// Since when they are late, while they are.
    late: Option<Late>,
}

/// A stretch of late rounds: what a third as many calls are compared with, and the limit when it began.
#[derive(Clone, Copy, Debug)]
struct Late {
    median: f64,
    limit: u32,
    before: u32,
}

/// What a round has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Finding {
    /// As soon as usual, or nearly.
    InTime,
    /// Late, which may be chance.
    Late,
    /// There is a queue: that share of the limit would be in time.
    Queued { keep: f64 },
    /// Late, but not for our calls: a third as many were as late. That was the limit before.
    NotOurs { before: u32 },
}

/// A median says how much of what is usual when it is lower.
const LEARN: f64 = 0.1;
const LEARN_UP: f64 = 0.02;
/// A single call that had the provider to itself.
const LEARN_ALONE: f64 = 0.05;
/// By so much it has become worse, and not by chance.
const WORSE: f64 = 1.15;
/// A third of the calls has to make it at least so much faster, or they were not what made it slow.
const FASTER: f64 = 0.8;

// === impl Latency ===

impl Latency {
    pub(super) fn new(tolerance: f64) -> Self {
        Self { tolerance, usual: None, round: Vec::new(), late: None }
    }

    /// Forgets the round.
    pub(super) fn clear(&mut self) {
        self.round.clear();
    }

    /// A call that had no other of ours to wait for. So what is usual follows longer prompts and slower models, which no
    /// median under load could tell from a queue.
    pub(super) fn unloaded(&mut self, seconds: f64) {
        if let Some(usual) = &mut self.usual {
            *usual += LEARN_ALONE * (seconds - *usual);
        }
    }

    /// Another of the `members` of this round. Ends it when nine tenths have answered: those that have not are the slowest, so
    /// the median of all is known without them. To wait for the first so many answers instead would know only fast ones.
    pub(super) fn add(
        &mut self,
        seconds: f64,
        members: u32,
        limit: u32,
        min: u32,
    ) -> Option<Finding> {
        self.round.push(seconds);
        if (self.round.len() as u32) * 10 < members * 8 {
            return None;
        }
        self.round.sort_unstable_by(f64::total_cmp);
        let median = self.round[(members as usize / 2).min(self.round.len() - 1)];
        self.round.clear();
        Some(self.judge(median, limit, limit == min))
    }

    fn judge(&mut self, median: f64, limit: u32, least: bool) -> Finding {
        let usual = self.usual.get_or_insert(median);
        // A median that is a little higher is chance, and levels out those that were lower by chance. One that is clearly
        // higher may be a queue, and does not make a queue usual.
        if median < *usual {
            *usual += LEARN * (median - *usual);
        } else if median < (1.0 + (self.tolerance - 1.0) * 0.4) * *usual {
            *usual += LEARN_UP * (median - *usual);
        }
        if median <= self.tolerance * *usual {
            self.late = None;
            return Finding::InTime;
        }
        if least {
            // Nobody of ours to wait for: so that is what is usual now.
            *usual = median;
            self.late = None;
            return Finding::InTime;
        }
        let keep = (self.tolerance * *usual / median).clamp(0.5, 0.95);
        let Some(late) = &mut self.late else {
            self.late = Some(Late { median, limit, before: limit });
            return Finding::Late;
        };
        if median > WORSE * late.median {
            // It still gets worse: nothing that was done can have shown yet.
            (late.median, late.limit) = (median, limit);
        } else if limit <= late.limit / 3 {
            if median > FASTER * late.median {
                let before = late.before;
                *usual = median;
                self.late = None;
                return Finding::NotOurs { before };
            }
            (late.median, late.limit) = (median, limit);
        }
        Finding::Queued { keep }
    }
}
