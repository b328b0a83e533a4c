//! Limits logging: a warning that repeats is logged once for each route and interval.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use tokio::time::Instant;

use crate::{context::Route, sync::lock_std};

/// The interval in which a warning that repeats is logged once for each route: 60 s. The next one states how many were suppressed.
pub const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The maximum number of warnings that are remembered. When none can be forgotten, further ones are suppressed.
const MOST: usize = 256;

/// The warnings of the last interval.
#[derive(Debug, Default)]
pub(super) struct LogLimit(Mutex<HashMap<(&'static str, Route), Logged>>);

#[derive(Debug)]
struct Logged {
    at: Instant,
    suppressed: u64,
}

// === impl LogLimit ===

impl LogLimit {
    /// Whether a warning of that kind is logged for the route now: with the number that was suppressed since the last one.
    pub(super) fn admit(&self, kind: &'static str, route: &Route, now: Instant) -> Option<u64> {
        let mut logged = lock_std(&self.0);
        let recent = |last: &Logged| now.saturating_duration_since(last.at) < LOG_INTERVAL;
        if let Some(last) = logged.get_mut(&(kind, route.clone())) {
            if recent(last) {
                last.suppressed += 1;
                return None;
            }
            let suppressed = last.suppressed;
            *last = Logged { at: now, suppressed: 0 };
            return Some(suppressed);
        }
        if logged.len() >= MOST {
            logged.retain(|_, last| recent(last));
        }
        if logged.len() >= MOST {
            return None;
        }
        logged.insert((kind, route.clone()), Logged { at: now, suppressed: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_logged_once_in_an_interval_and_then_with_the_number_suppressed() {
        let (limit, start) = (LogLimit::default(), Instant::now());
        let (one, other) = (Route::new("one", "m", "-"), Route::new("other", "m", "-"));
        assert_eq!(limit.admit("a", &one, start), Some(0));
        assert_eq!(limit.admit("a", &one, start + LOG_INTERVAL / 2), None);
        assert_eq!(limit.admit("a", &one, start + LOG_INTERVAL / 2), None);
        assert_eq!(limit.admit("b", &one, start), Some(0));
        assert_eq!(limit.admit("a", &other, start), Some(0));
        assert_eq!(limit.admit("a", &one, start + LOG_INTERVAL), Some(2));
        assert_eq!(limit.admit("a", &one, start + 2 * LOG_INTERVAL), Some(0));
    }

    #[test]
    fn any_number_of_routes_takes_bounded_memory_and_makes_room_after_the_interval() {
        let (limit, start) = (LogLimit::default(), Instant::now());
        let route = |n: usize| Route::new("p", &n.to_string(), "-");
        let logged =
            (0..3 * MOST).filter(|n| limit.admit("a", &route(*n), start).is_some()).count();
        assert_eq!((logged, lock_std(&limit.0).len()), (MOST, MOST));
        assert_eq!(limit.admit("a", &route(5000), start + LOG_INTERVAL), Some(0));
        assert_eq!(lock_std(&limit.0).len(), 1);
    }
}
