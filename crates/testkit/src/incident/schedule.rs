//! The behaviour of a provider over time.

use std::{sync::Arc, time::Duration};

use crate::{
    incident::{
        Behaviour,
        behaviour::Sampler,
        policy::{Incident, IncidentPhase, States, position},
        sample::seeded_rng,
    },
    provider::{Burst, TokenBucket},
    reply::Reply,
};

/// The behaviour of one provider over the time of an incident, the same for the same seed.
///
/// # Defaults
///
/// Seed 0, 60 calls a minute for a capacity of 1, scale 1, six words for each event.
#[derive(Clone, Debug)]
pub struct Schedule {
    phases: Vec<IncidentPhase>,
    states: Arc<States>,
    seed: u64,
    salt: u64,
    rate: f64,
    scale: f64,
    words_per_event: usize,
    bucket: TokenBucket,
    /// The phase that the bucket is for.
    bucket_phase: Option<usize>,
}

/// Connections are refused for whole intervals of this length, as a listener is either open or closed.
const REFUSAL_INTERVAL: Duration = Duration::from_secs(2);
/// The burst that a short queue before a provider absorbs.
const BURST: Burst = Burst { seconds: 5.0, min: 2.0 };

/// Clamps a scale to 0.001 to 1000. NaN counts as 1.
pub(crate) fn bounded_scale(scale: f64) -> f64 {
    if scale.is_nan() { 1.0 } else { scale.clamp(0.001, 1000.0) }
}

// === impl Incident ===

impl Incident {
    /// The behaviour of the primary.
    pub fn primary_schedule(&self) -> Schedule {
        Schedule::new(self.primary.clone(), self.states.clone())
    }

    /// The behaviour of the secondary.
    pub fn secondary_schedule(&self) -> Schedule {
        Schedule::new(self.secondary.clone(), self.states.clone()).secondary()
    }
}

// === impl Schedule ===

impl Schedule {
    fn new(phases: Vec<IncidentPhase>, states: Arc<States>) -> Self {
        Self {
            phases,
            states,
            seed: 0,
            salt: 1,
            rate: 60.0,
            scale: 1.0,
            words_per_event: 6,
            bucket: TokenBucket::new(0.0, BURST),
            bucket_phase: None,
        }
    }

    /// Draws numbers other than the primary's for the same seed.
    fn secondary(mut self) -> Self {
        self.salt = 2;
        self
    }

    /// Sets the seed of all random numbers.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the calls a minute that a capacity of 1 serves. A number below zero counts as zero.
    #[must_use]
    pub fn rate(mut self, per_minute: f64) -> Self {
        self.rate = per_minute.max(0.0);
        self
    }

    /// Sets the seconds that a second of the incident lasts, for phases and latencies. Clamped to 0.001 to 1000.
    #[must_use]
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = bounded_scale(scale);
        self
    }

    /// Sets the number of words of an event. 0 counts as 1.
    #[must_use]
    pub fn words_per_event(mut self, words: usize) -> Self {
        self.words_per_event = words.max(1);
        self
    }

    /// The answer to an attempt with these tools, at a time since the start. `key` is the number of its call.
    pub(crate) fn reply(&mut self, passed: Duration, key: u64, tools: &[Arc<str>]) -> Reply {
        if self.is_refusing(passed) {
            return Reply::refused();
        }
        let time = passed.div_f64(self.scale);
        let is_within = self.takes(time);
        // The same call at the same time has the same answer for every client.
        let mut rng =
            seeded_rng(self.seed, self.salt, key.rotate_left(32) ^ time.as_millis() as u64);
        let (scale, words_per_event) = (self.scale, self.words_per_event);
        let mut sampler = Sampler { rng: &mut rng, scale, words_per_event };
        let behaviour = self.behaviour(position(&self.phases, time));
        match is_within {
            true => behaviour.within(&mut sampler, tools),
            false => behaviour.beyond(&mut sampler),
        }
    }

    /// How often the node that answers has been replaced, at a time since the start. Connections to the nodes before it are dead.
    pub(crate) fn node(&self, passed: Duration) -> usize {
        let begun = position(&self.phases, passed.div_f64(self.scale));
        (0..=begun).filter(|phase| self.behaviour(*phase).replaces_node).count()
    }

    /// Whether connections are refused, at a time since the start.
    pub(crate) fn is_refusing(&self, passed: Duration) -> bool {
        let time = passed.div_f64(self.scale);
        let share = self.behaviour(position(&self.phases, time)).refused();
        let interval = (time.as_millis() / REFUSAL_INTERVAL.as_millis()) as u64;
        share > 0.0 && seeded_rng(self.seed, self.salt + 2, interval).f64() < share
    }

    /// The next time since the start at which [`is_refusing`](Self::is_refusing) may change.
    pub(crate) fn next_change(&self, passed: Duration) -> Option<Duration> {
        let time = passed.div_f64(self.scale);
        let now = position(&self.phases, time);
        let phase = Some(self.phases[now].to).filter(|to| *to > time);
        let refuses = self.behaviour(now).refused() > 0.0;
        let intervals = (time.as_millis() / REFUSAL_INTERVAL.as_millis()) as u32 + 1;
        let interval = refuses.then(|| REFUSAL_INTERVAL * intervals);
        let next = phase.into_iter().chain(interval).min()?;
        // A moment later, as the scaled time is rounded.
        Some(next.mul_f64(self.scale) + Duration::from_millis(1))
    }

    /// Whether an attempt is within the capacity.
    fn takes(&mut self, time: Duration) -> bool {
        let now = position(&self.phases, time);
        let phase = &self.phases[now];
        let Some(capacity) = self.behaviour(now).capacity else {
            return true;
        };
        let inside = time.saturating_sub(phase.from).as_secs_f64();
        let fraction = (inside / phase.length().as_secs_f64()).min(1.0);
        let full = self.rate / 60.0;
        if self.bucket_phase != Some(now) {
            self.bucket = TokenBucket::new(capacity.low * full, BURST);
            self.bucket_phase = Some(now);
        }
        self.bucket.take(inside, capacity.at(fraction) * full)
    }

    fn behaviour(&self, phase: usize) -> &Behaviour {
        // The file was rejected if a phase had a state without behaviour.
        &self.states[&self.phases[phase].state]
    }
}
