//! Whether the first events arrive as soon as they do without a queue.

use super::baseline::{Baseline, Slowdown};

/// The latencies of one round, and those without a queue.
#[derive(Debug)]
pub(super) struct Latency {
    tolerance: f64,
    /// The latencies without a queue, by the form of the answer, once any is known.
    baselines: [Option<Baseline>; 2],
    is_mixed: bool,
    /// The samples of the current round; never more than a round has.
    round: Vec<Sample>,
    /// The late rounds, while they are late.
    late: Option<LateRounds>,
}

/// The form of an answer. Latencies of one form are not compared with the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerForm {
    Stream,
    /// Not streamed.
    Unary,
}

/// The seconds to the first event of a stream, or to the whole of an answer that is not streamed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) form: AnswerForm,
    pub(super) seconds: f64,
}

/// A round, and the limit that is judged by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) members: u32,
    pub(super) limit: u32,
    /// Whether the limit is at its minimum.
    pub(super) is_min_limit: bool,
}

/// A series of late rounds.
#[derive(Clone, Copy, Debug)]
struct LateRounds {
    /// The slowdown that is compared with that of a third as many calls, and its limit.
    times: f64,
    limit: u32,
    /// The limit when the series began.
    initial_limit: u32,
}

/// The finding of a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Finding {
    /// As fast as usual, or nearly.
    InTime,
    /// Late, possibly by chance.
    Late,
    /// There is a queue: the share `keep` of the limit would be in time.
    Queued { keep: f64 },
    /// Late, but not because of our calls: a third as many calls were as late. `before` was the limit before.
    NotOurs { before: u32 },
}

/// The weight of a round for the baseline when it is faster, and when it is a little slower.
const FASTER_WEIGHT: f64 = 0.1;
const SLOWER_WEIGHT: f64 = 0.02;
/// A slowdown that grows by this factor is worse, and not by chance.
const WORSE: f64 = 1.15;
/// A third of the calls has to shrink the slowdown by at least this factor, or the calls were not the cause.
const FASTER: f64 = 0.8;

// === impl Latency ===

impl Latency {
    pub(super) fn new(tolerance: f64) -> Self {
        Self { tolerance, baselines: [None, None], is_mixed: false, round: Vec::new(), late: None }
    }

    /// Sets the tolerance.
    pub(super) fn set_tolerance(&mut self, tolerance: f64) {
        self.tolerance = tolerance;
    }

    /// Whether answers have several lengths, so that a round needs more of them.
    pub(super) fn is_mixed(&self) -> bool {
        self.is_mixed
    }

    /// Clears the round.
    pub(super) fn clear(&mut self) {
        self.round.clear();
    }

    /// Adds a call that did not wait for another call of this client. The baseline thus follows longer prompts and slower models,
    /// which no round under load could distinguish from a queue.
    pub(super) fn add_unloaded(&mut self, sample: Sample) {
        if let Some(baseline) = &mut self.baselines[sample.form as usize] {
            baseline.follow(sample.seconds);
        }
    }

    /// Adds an answer of the current round. The round ends when four fifths of its members have arrived: one that hangs does not
    /// delay the round, and it is compared with the four fifths of other rounds.
    pub(super) fn add(&mut self, sample: Sample, round: Round) -> Option<Finding> {
        self.round.push(sample);
        if (self.round.len() as u32) * 10 < round.members * 8 {
            return None;
        }
        let times = self.median_slowdown();
        if times <= self.tolerance || round.is_min_limit {
            self.remember(times);
        }
        let finding = self.judge(times, round);
        self.round.clear();
        Some(finding)
    }

    /// The median slowdown over all pairs of an answer of this round and one of the baseline of its form. Where answers have
    /// several lengths, most pairs that count are of the same length, and the others lie on both sides; the median of the round
    /// itself would jump from one length to another by chance.
    fn median_slowdown(&self) -> f64 {
        let mut slowdowns = Vec::new();
        for sample in &self.round {
            match &self.baselines[sample.form as usize] {
                Some(baseline) => baseline.compare(sample.seconds, &mut slowdowns),
                None => slowdowns.push(Slowdown { times: 1.0, weight: 1.0 }),
            }
        }
        slowdowns.sort_unstable_by(|one, other| one.times.total_cmp(&other.times));
        let half = self.round.len() as f64 / 2.0;
        let mut sum = 0.0;
        let median = slowdowns.iter().find(|slowdown| {
            sum += slowdown.weight;
            sum > half
        });
        median.map_or(1.0, |slowdown| slowdown.times)
    }

    /// Adds the round to the baseline, until that has enough. If later rounds replaced earlier ones, each round would be measured
    /// by the last few, and a queue could grow unnoticed.
    fn remember(&mut self, times: f64) {
        for Sample { form, seconds } in &self.round {
            let baseline = &mut self.baselines[*form as usize];
            let baseline = baseline.get_or_insert_with(|| Baseline::new(*seconds));
            baseline.remember(seconds / times);
        }
        if !self.is_mixed && self.baselines.iter().flatten().any(Baseline::is_mixed) {
            // Longer rounds are compared with longer ones.
            (self.is_mixed, self.baselines) = (true, [None, None]);
        }
    }

    /// Multiplies the baseline by `times`, for the forms of this round.
    fn scale(&mut self, times: f64) {
        for form in [AnswerForm::Stream, AnswerForm::Unary] {
            if self.round.iter().any(|sample| sample.form == form) {
                self.baselines[form as usize].iter_mut().for_each(|known| known.scale(times));
            }
        }
    }

    fn judge(&mut self, times: f64, Round { limit, is_min_limit, .. }: Round) -> Finding {
        // A round that is slightly slower is chance, and balances rounds that were faster by chance. One that is clearly slower
        // may be a queue, which must not become the baseline.
        if times < 1.0 {
            self.scale(1.0 + FASTER_WEIGHT * (times - 1.0));
        } else if times < 1.0 + (self.tolerance - 1.0) * 0.4 {
            self.scale(1.0 + SLOWER_WEIGHT * (times - 1.0));
        }
        if times <= self.tolerance {
            self.late = None;
            return Finding::InTime;
        }
        if is_min_limit {
            // No other call of this client is under way: this is the baseline now.
            self.scale(times);
            self.late = None;
            return Finding::InTime;
        }
        self.judge_late(times, limit)
    }

    /// The finding of a round that is late.
    fn judge_late(&mut self, times: f64, limit: u32) -> Finding {
        let keep = (self.tolerance / times).clamp(0.5, 0.95);
        let Some(late) = &mut self.late else {
            self.late = Some(LateRounds { times, limit, initial_limit: limit });
            return Finding::Late;
        };
        if times > WORSE * late.times {
            // The slowdown is still growing: no change of the limit can have had an effect yet.
            (late.times, late.limit) = (times, limit);
        } else if limit <= late.limit / 3 {
            if times > FASTER * late.times {
                let before = late.initial_limit;
                // The answers have other lengths than before, or the provider has changed: start again.
                self.baselines = [None, None];
                self.late = None;
                return Finding::NotOurs { before };
            }
            (late.times, late.limit) = (times, limit);
        }
        Finding::Queued { keep }
    }
}
