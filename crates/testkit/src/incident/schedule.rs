//! What a provider does over time.

use std::{sync::Arc, time::Duration};

use crate::{
    incident::{
        Behaviour,
        behaviour::Draw,
        draw::seeded,
        policy::{Phase, States, position},
    },
    provider::{Bucket, Burst},
    reply::Reply,
};

/// What one provider of an incident does over time: the same for the same seed.
///
/// # Defaults
///
/// Seed 0; 60 calls a minute are a capacity of 1; at full length; six words an event.
#[derive(Clone, Debug)]
pub struct Schedule {
    phases: Vec<Phase>,
    states: Arc<States>,
    seed: u64,
    salt: u64,
    rate: f64,
    scale: f64,
    words_per_event: usize,
    bucket: Bucket,
    phase: usize,
}

/// Refusals come in spells of so long, all attempts or none, since a listener is either there or not.
const SPELL: Duration = Duration::from_secs(2);
/// What a short queue in front of a provider evens out.
const BURST: Burst = Burst { seconds: 5.0, least: 2.0 };

/// A scale within 0.001 and 1000: 1 where it is not a number.
pub(crate) fn bounded_scale(scale: f64) -> f64 {
    if scale.is_nan() { 1.0 } else { scale.clamp(0.001, 1000.0) }
}

// === impl Schedule ===

impl Schedule {
    pub(super) fn new(phases: Vec<Phase>, states: Arc<States>) -> Self {
        Self {
            phases,
            states,
            seed: 0,
            salt: 1,
            rate: 60.0,
            scale: 1.0,
            words_per_event: 6,
            bucket: Bucket::new(0.0, BURST),
            phase: usize::MAX,
        }
    }

    /// Draws other numbers than the primary for the same seed.
    pub(super) fn salted(mut self) -> Self {
        self.salt = 2;
        self
    }

    /// The seed of everything that is drawn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The calls a minute that a capacity of 1 serves. Below zero is taken for zero.
    #[must_use]
    pub fn rate(mut self, per_minute: f64) -> Self {
        self.rate = per_minute.max(0.0);
        self
    }

    /// How long a second of the incident lasts, in seconds: every phase and every latency. Kept within 0.001 and 1000.
    #[must_use]
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = bounded_scale(scale);
        self
    }

    /// How many words an event has; 0 is taken for 1.
    #[must_use]
    pub fn words_per_event(mut self, words: usize) -> Self {
        self.words_per_event = words.max(1);
        self
    }

    /// The answer to an attempt with these tools that comes so long after the start. `key` is the number of its call.
    pub(crate) fn reply(&mut self, passed: Duration, key: u64, tools: &[Arc<str>]) -> Reply {
        if self.refusing(passed) {
            return Reply::refused();
        }
        let time = passed.div_f64(self.scale);
        let served = self.serves(time);
        // The same call at the same time meets the same, whoever sends it.
        let mut rng = seeded(self.seed, self.salt, key.rotate_left(32) ^ time.as_millis() as u64);
        let (scale, words_per_event) = (self.scale, self.words_per_event);
        let mut draw = Draw { rng: &mut rng, scale, words_per_event };
        let behaviour = self.behaviour(position(&self.phases, time));
        match served {
            true => behaviour.within(&mut draw, tools),
            false => behaviour.beyond(&mut draw),
        }
    }

    /// How often the node that answers was replaced so long after the start. Connections that were kept before lead nowhere.
    pub(crate) fn node(&self, passed: Duration) -> usize {
        let begun = position(&self.phases, passed.div_f64(self.scale));
        (0..=begun).filter(|phase| self.behaviour(*phase).replaces_node).count()
    }

    /// Whether no connection is to be made so long after the start.
    pub(crate) fn refusing(&self, passed: Duration) -> bool {
        let time = passed.div_f64(self.scale);
        let share = self.behaviour(position(&self.phases, time)).refused();
        let spell = (time.as_millis() / SPELL.as_millis()) as u64;
        share > 0.0 && seeded(self.seed, self.salt + 2, spell).f64() < share
    }

    /// When it may refuse, or no longer: the end of the spell or of the phase.
    pub(crate) fn look_again(&self, passed: Duration) -> Option<Duration> {
        let time = passed.div_f64(self.scale);
        let now = position(&self.phases, time);
        let phase = Some(self.phases[now].to).filter(|to| *to > time);
        let refuses = self.behaviour(now).refused() > 0.0;
        let spells = (time.as_millis() / SPELL.as_millis()) as u32 + 1;
        let spell = refuses.then(|| SPELL * spells);
        let next = phase.into_iter().chain(spell).min()?;
        // A little later rather than a little too early.
        Some(next.mul_f64(self.scale) + Duration::from_millis(1))
    }

    /// Whether an attempt is within the capacity.
    fn serves(&mut self, time: Duration) -> bool {
        let now = position(&self.phases, time);
        let phase = &self.phases[now];
        let Some(capacity) = self.behaviour(now).capacity else {
            return true;
        };
        let inside = time.saturating_sub(phase.from).as_secs_f64();
        let part = (inside / phase.length().as_secs_f64()).min(1.0);
        let full = self.rate / 60.0;
        if self.phase != now {
            self.bucket = Bucket::new(capacity.low * full, BURST);
            self.phase = now;
        }
        self.bucket.take(inside, capacity.at(part) * full)
    }

    fn behaviour(&self, phase: usize) -> &Behaviour {
        // A file whose phases name a state that it does not have was refused.
        &self.states[&self.phases[phase].state]
    }
}
