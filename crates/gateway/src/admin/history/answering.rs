//! Who answers the calls now.

use std::sync::Arc;

use serde::Serialize;

use super::series::Series;
use crate::admin::unix_time::UnixMillis;

/// Who answers most of the calls now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::admin) struct Answering {
    pub(in crate::admin) name: Arc<str>,
    /// Since when, without another in between.
    pub(in crate::admin) since: UnixMillis,
    /// Whether callers get less than the answers of the first target.
    pub(in crate::admin) degraded: bool,
}

/// The steps that are looked at: the last 20 to 30 seconds.
const LOOKED_AT: usize = 3;

// === impl Answering ===

impl Answering {
    /// The target or fallback that answered most of the calls of the last steps. Without a call in them it stays the same; where
    /// most calls failed, it is `None`.
    pub(super) fn now(series: &Series, before: Option<Self>, now: UnixMillis) -> Option<Self> {
        let (mut calls, mut failed) = (0, 0);
        let mut served: Vec<(Arc<str>, u32, bool)> = Vec::new();
        for bucket in series.newest(LOOKED_AT) {
            calls += bucket.calls;
            failed += bucket.errors_callers;
            for one in &bucket.served {
                match served.iter_mut().find(|(name, ..)| *name == one.name) {
                    Some((_, count, _)) => *count += one.calls,
                    None => served.push((one.name.clone(), one.calls, one.degraded)),
                }
            }
        }
        if calls == 0 {
            return before;
        }
        let answered: u32 = served.iter().map(|(_, count, _)| count).sum();
        // Of equal ones the one that answered last.
        let first = served.into_iter().rev().max_by_key(|(_, count, _)| *count);
        let (name, _, degraded) = match first {
            Some(first) if answered >= failed => first,
            // Calls that were cancelled say nothing.
            None if failed == 0 => return before,
            _ => return None,
        };
        let since = before.filter(|before| before.name == name).map_or(now, |before| before.since);
        Some(Self { name, since, degraded })
    }
}

#[cfg(test)]
mod tests {
    use evenkeel::outcome::Outcome;

    use super::*;
    use crate::admin::history::{EndedCall, STEP};

    const NOON: UnixMillis = 1_700_000_000_000;

    #[derive(Default)]
    struct Seen {
        series: Series,
        answering: Option<Answering>,
    }

    impl Seen {
        fn call(&mut self, now: UnixMillis, name: Option<&str>) -> Option<(String, UnixMillis)> {
            let outcome = match name {
                Some(_) => Outcome::Success,
                None => Outcome::Unreachable,
            };
            let served_by = name.map(Into::into);
            self.series.at(now, now).call(&EndedCall {
                outcome,
                served_by,
                degraded: name == Some("b"),
            });
            self.answering = Answering::now(&self.series, self.answering.take(), now);
            self.answering.as_ref().map(|it| (it.name.to_string(), it.since))
        }
    }

    #[test]
    fn whoever_answers_most_calls_answers_now() {
        let mut seen = Seen::default();
        let by = |name: &str, since| Some((name.to_owned(), since));
        assert_eq!(seen.call(NOON, Some("a")), by("a", NOON));
        assert_eq!(seen.call(NOON + 1, Some("a")), by("a", NOON));
        assert_eq!(seen.call(NOON + 2, Some("b")), by("a", NOON));
        assert_eq!(seen.call(NOON + 4 * STEP, Some("b")), by("b", NOON + 4 * STEP));
        assert!(seen.answering.as_ref().unwrap().degraded);
        // A minute without a call: still the last.
        seen.series.advance(NOON + 20 * STEP);
        let now = Answering::now(&seen.series, seen.answering.clone(), NOON + 20 * STEP);
        assert_eq!(now, seen.answering);
    }

    #[test]
    fn nobody_answers_while_most_calls_fail() {
        let mut seen = Seen::default();
        assert!(seen.call(NOON, Some("a")).is_some());
        assert!(seen.call(NOON, None).is_some());
        assert!(seen.call(NOON, None).is_none());
        assert!(seen.call(NOON + 5 * STEP, None).is_none());
        assert!(seen.call(NOON + 9 * STEP, Some("a")).is_some());
    }
}
