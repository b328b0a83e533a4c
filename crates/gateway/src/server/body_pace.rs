//! How long a caller may let the server wait for the body of its request.

use std::time::Duration;

/// The time that is left for waiting. Waiting uses it up, and bytes give it back, a second for each [`RATE`] and never more than
/// at first. So a caller may pause for the whole time, or send slowly for as long as it needs; a byte now and then is not enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyPace {
    limit: Duration,
    left: Duration,
}

/// Bytes a second: a tenth of the slowest mobile network.
const RATE: f64 = 1024.0;

// === impl BodyPace ===

impl BodyPace {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, left: limit }
    }

    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// The server has waited, and then got that many bytes.
    pub(super) fn arrived(&mut self, waited: Duration, bytes: usize) {
        let earned = Duration::from_secs_f64(bytes as f64 / RATE);
        self.left = self.left.saturating_sub(waited).saturating_add(earned).min(self.limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The seconds after which a caller that sends `bytes` after each wait is stopped, within an hour.
    fn stopped_after(wait: Duration, bytes: usize) -> Option<u64> {
        let mut pace = BodyPace::new(30 * SECOND);
        let mut passed = Duration::ZERO;
        while passed < 3600 * SECOND {
            if wait >= pace.left() {
                return Some((passed + pace.left()).as_secs());
            }
            pace.arrived(wait, bytes);
            passed += wait;
        }
        None
    }

    #[test]
    fn a_slow_caller_has_all_the_time_it_needs_and_one_that_dribbles_the_time_of_one_pause() {
        assert_eq!(stopped_after(SECOND, 1024), None);
        assert_eq!(stopped_after(29 * SECOND, 30 * 1024), None);
        assert_eq!(stopped_after(29 * SECOND, 1), Some(30));
        assert_eq!(stopped_after(SECOND, 1), Some(30));
        assert_eq!(stopped_after(40 * SECOND, 1_000_000), Some(30));
    }

    #[test]
    fn many_bytes_at_once_earn_no_longer_pause() {
        let mut pace = BodyPace::new(30 * SECOND);
        pace.arrived(Duration::ZERO, usize::MAX >> 20);
        assert_eq!(pace.left(), 30 * SECOND);
    }
}
