//! The memory of makers, bounded in size and time.

use std::{
    collections::HashMap,
    fmt, mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::Maker;
use crate::{dialect::Mark, sync::lock_std as lock};

/// The memory of who made the reasoning and the stored answers of conversations. A handle: clones share it.
///
/// It keeps at most 65 536 marks, each for 12 to 24 hours after its last use: about 3 MiB.
#[derive(Clone, Default)]
pub struct Provenance(Arc<Mutex<Generations>>);

/// The marks of two generations: the older one is dropped as a whole.
#[derive(Default)]
struct Generations {
    current: HashMap<Mark, Maker>,
    previous: HashMap<Mark, Maker>,
    since: Option<Instant>,
}

/// The number of marks in a generation, and the longest time that it grows.
const MARKS: usize = 32_768;
const LASTS: Duration = Duration::from_secs(12 * 60 * 60);

// === impl Provenance ===

impl Provenance {
    /// Creates an empty memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the maker of a mark.
    pub(crate) fn learn(&self, mark: Mark, maker: Maker, now: Instant) {
        lock(&self.0).insert(mark, maker, now);
    }

    /// The maker of a mark, if it is known.
    pub(crate) fn maker(&self, mark: Mark, now: Instant) -> Option<Maker> {
        let mut all = lock(&self.0);
        all.age(now);
        if let Some(maker) = all.current.get(&mark) {
            return Some(*maker);
        }
        // What is still used is kept for another generation.
        let maker = all.previous.remove(&mark)?;
        all.insert(mark, maker, now);
        Some(maker)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let all = lock(&self.0);
        all.current.len() + all.previous.len()
    }
}

impl fmt::Debug for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provenance")
    }
}

// === impl Generations ===

impl Generations {
    fn insert(&mut self, mark: Mark, maker: Maker, now: Instant) {
        self.age(now);
        if self.current.len() >= MARKS {
            self.turn(now);
        }
        self.current.insert(mark, maker);
    }

    /// Drops what is too old.
    fn age(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let age = now.saturating_duration_since(since);
        if age >= LASTS {
            self.turn(now);
        }
        if age >= LASTS * 2 {
            self.previous.clear();
        }
    }

    fn turn(&mut self, now: Instant) {
        self.previous = mem::take(&mut self.current);
        self.since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, MarkScanner};
    use crate::route::Route;

    fn mark(n: usize) -> Mark {
        let mut found = None;
        let answer = format!(r#"{{"signature":"s{n}"}}"#);
        MarkScanner::new(Dialect::Anthropic)
            .read(answer.as_bytes(), &mut |mark| found = Some(mark));
        found.expect("it has a signature")
    }

    fn maker() -> Maker {
        Maker::of(&Route::new("p", "m", "-"), Dialect::Anthropic)
    }

    #[test]
    fn any_number_of_marks_takes_bounded_space_and_the_newest_are_kept() {
        let (memory, now) = (Provenance::new(), Instant::now());
        (0..MARKS * 3).for_each(|n| memory.learn(mark(n), maker(), now));
        assert!(memory.len() <= MARKS * 2, "{}", memory.len());
        assert_eq!(memory.maker(mark(MARKS * 3 - 1), now), Some(maker()));
        assert_eq!(memory.maker(mark(0), now), None);
    }

    #[test]
    fn a_mark_is_forgotten_a_day_after_its_last_use_and_not_within_half_a_day() {
        let (memory, start) = (Provenance::new(), Instant::now());
        memory.learn(mark(1), maker(), start);
        let mut now = start;
        for _ in 0..5 {
            now += LASTS;
            assert_eq!(memory.maker(mark(1), now), Some(maker()), "it is used twice a day");
        }
        assert_eq!(memory.maker(mark(1), now + LASTS * 2), None);
        assert_eq!(memory.len(), 0);
    }
}
