//! Whether the first events come as soon as they do without a queue.

use super::usual::Usual;

/// The latencies of one round, and what is usual.
#[derive(Debug)]
pub(super) struct Latency {
    tolerance: f64,
    /// Without a queue, by the form of the answer, once any is known.
    usual: [Option<Usual>; 2],
    mixed: bool,
    /// Of this round; never longer than a round.
    round: Vec<Sample>,
    /// Since when they are late, while they are.
    late: Option<Late>,
}

/// The form of an answer: what is usual for one says nothing of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Stream,
    Whole,
}

/// The seconds to the first event of a stream, or to the whole of an answer that is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) form: Form,
    pub(super) seconds: f64,
}

/// A round, and the limit that it judges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) members: u32,
    pub(super) limit: u32,
    /// The limit can be no smaller.
    pub(super) least: bool,
}

/// A stretch of late rounds: what a third as many calls are compared with, and the limit when it began.
#[derive(Clone, Copy, Debug)]
struct Late {
    times: f64,
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

/// A round says how much of what is usual when it is quicker, and when it is a little slower.
const LEARN: f64 = 0.1;
const LEARN_UP: f64 = 0.02;
/// By so much it has become worse, and not by chance.
const WORSE: f64 = 1.15;
/// A third of the calls has to make it at least so much faster, or they were not what made it slow.
const FASTER: f64 = 0.8;

// === impl Latency ===

impl Latency {
    pub(super) fn new(tolerance: f64) -> Self {
        Self { tolerance, usual: [None, None], mixed: false, round: Vec::new(), late: None }
    }

    /// Whether answers are of several lengths, so that it takes more of them to tell anything.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// Forgets the round.
    pub(super) fn clear(&mut self) {
        self.round.clear();
    }

    /// A call that had no other of ours to wait for. So what is usual follows longer prompts and slower models, which no
    /// round under load could tell from a queue.
    pub(super) fn unloaded(&mut self, sample: Sample) {
        if let Some(usual) = &mut self.usual[sample.form as usize] {
            usual.follow(sample.seconds);
        }
    }

    /// Another answer of this round. Ends it when four fifths of its members have come: so one that hangs does not hold it up,
    /// and it is compared with the four fifths of other rounds.
    pub(super) fn add(&mut self, sample: Sample, round: Round) -> Option<Finding> {
        self.round.push(sample);
        if (self.round.len() as u32) * 10 < round.members * 8 {
            return None;
        }
        let times = self.times();
        if times <= self.tolerance || round.least {
            self.remember(times);
        }
        let finding = self.judge(times, round);
        self.round.clear();
        Some(finding)
    }

    /// How many times as long as usual it took: the median over all pairs of an answer of this round and one that was usual
    /// for its form. Where answers are of several lengths, like meets like in most pairs that count, and the others lie on
    /// both sides; the median of the round itself would jump from one length to another by chance.
    fn times(&self) -> f64 {
        let mut pairs = Vec::new();
        for sample in &self.round {
            match &self.usual[sample.form as usize] {
                Some(usual) => usual.compare(sample.seconds, &mut pairs),
                None => pairs.push((1.0, 1.0)),
            }
        }
        pairs.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        let half = self.round.len() as f64 / 2.0;
        let mut sum = 0.0;
        let middle = pairs.iter().find(|(_, weight)| {
            sum += weight;
            sum > half
        });
        middle.map_or(1.0, |(times, _)| *times)
    }

    /// The round is one of those that others are compared with, until there are enough of them. Were they replaced by later
    /// ones, each round would be measured by the last few, and a queue could grow that none of them sees.
    fn remember(&mut self, times: f64) {
        for Sample { form, seconds } in &self.round {
            let usual = self.usual[*form as usize].get_or_insert_with(|| Usual::of(*seconds));
            usual.remember(seconds / times);
        }
        if !self.mixed && self.usual.iter().flatten().any(Usual::is_mixed) {
            // Longer rounds are compared with longer ones.
            (self.mixed, self.usual) = (true, [None, None]);
        }
    }

    /// What is usual is so many times as long, for the forms of this round.
    fn scale(&mut self, times: f64) {
        for form in [Form::Stream, Form::Whole] {
            if self.round.iter().any(|sample| sample.form == form) {
                self.usual[form as usize].iter_mut().for_each(|usual| usual.scale(times));
            }
        }
    }

    fn judge(&mut self, times: f64, Round { limit, least, .. }: Round) -> Finding {
        // A round that is a little slower is chance, and levels out those that were quicker by chance. One that is clearly
        // slower may be a queue, and does not make a queue usual.
        if times < 1.0 {
            self.scale(1.0 + LEARN * (times - 1.0));
        } else if times < 1.0 + (self.tolerance - 1.0) * 0.4 {
            self.scale(1.0 + LEARN_UP * (times - 1.0));
        }
        if times <= self.tolerance {
            self.late = None;
            return Finding::InTime;
        }
        if least {
            // Nobody of ours to wait for: so that is what is usual now.
            self.scale(times);
            self.late = None;
            return Finding::InTime;
        }
        let keep = (self.tolerance / times).clamp(0.5, 0.95);
        let Some(late) = &mut self.late else {
            self.late = Some(Late { times, limit, before: limit });
            return Finding::Late;
        };
        if times > WORSE * late.times {
            // It still gets worse: nothing that was done can have shown yet.
            (late.times, late.limit) = (times, limit);
        } else if limit <= late.limit / 3 {
            if times > FASTER * late.times {
                let before = late.before;
                // Other lengths than those that are known, or another provider: learnt anew.
                self.usual = [None, None];
                self.late = None;
                return Finding::NotOurs { before };
            }
            (late.times, late.limit) = (times, limit);
        }
        Finding::Queued { keep }
    }
}
