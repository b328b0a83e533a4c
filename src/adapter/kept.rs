//! The connections kept to each origin, and what follows when one of them was dead. Pure: the time is an argument.

use std::{collections::HashMap, fmt, hash::Hash, net::SocketAddr, sync::Mutex, time::Duration};

use http::{
    Uri,
    uri::{Authority, Scheme},
};
use tokio::time::Instant;

use crate::sync::lock_std as lock;

/// Scheme, host and port: the key by which connections are pooled.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    scheme: Scheme,
    authority: Authority,
}

/// All origins of one transport.
#[derive(Default)]
pub(super) struct Origins(Mutex<HashMap<Origin, Kept>>);

/// The connections kept to one origin.
struct Kept {
    /// The connections that have answered, by their local address, with the time of the last answer.
    answered: HashMap<SocketAddr, Instant>,
    /// Whether streams share a connection, whose death is detected by pings.
    is_shared: bool,
    pool: usize,
    moved: Option<Instant>,
    /// When silence was last attributed to a connection.
    excused: Option<Instant>,
    used: Instant,
}

// === impl Origin ===

impl Origin {
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        Some(Self { scheme: uri.scheme()?.clone(), authority: uri.authority()?.clone() })
    }
}

// === impl Origins ===

impl Origins {
    /// The maximum number of origins. At the limit, the least recently used one is removed.
    const MAX: usize = 256;

    /// The number of connections that may be kept to that origin. With none, a request need not be kept for a second try.
    pub(super) fn count(&self, origin: &Origin) -> usize {
        lock(&self.0).get(origin).map_or(0, |kept| kept.answered.len())
    }

    /// The index of the pool that is used for it.
    pub(super) fn pool(&self, origin: &Origin) -> usize {
        lock(&self.0).get(origin).map_or(0, |kept| kept.pool)
    }

    /// Records an answer on the connection with that local address, which may be kept.
    pub(super) fn answered(&self, origin: &Origin, at: SocketAddr, is_shared: bool, now: Instant) {
        let mut origins = lock(&self.0);
        if !origins.contains_key(origin) {
            if origins.len() >= Self::MAX {
                forget_oldest(&mut origins, |kept| kept.used);
            }
            origins.insert(origin.clone(), Kept::new(now));
        }
        if let Some(kept) = origins.get_mut(origin) {
            kept.answered(at, is_shared, now);
        }
    }

    /// Records that the connection with that address broke; returns whether it had been kept.
    pub(super) fn broke(&self, origin: &Origin, at: SocketAddr) -> bool {
        let mut origins = lock(&self.0);
        origins.get_mut(origin).is_some_and(|kept| kept.answered.remove(&at).is_some())
    }

    /// Records that a kept connection was dead: the others are not used any more.
    pub(super) fn died(&self, origin: &Origin, now: Instant) {
        if let Some(kept) = lock(&self.0).get_mut(origin) {
            kept.move_on(now);
        }
    }

    /// Whether the connection is at fault when a request that was sent at `sent` on a kept one had no answer until a timeout.
    pub(super) fn is_at_fault(&self, origin: &Origin, sent: Instant, now: Instant) -> bool {
        let mut origins = lock(&self.0);
        let Some(kept) = origins.get_mut(origin) else { return false };
        let at_fault = kept.excuses(sent, now);
        if at_fault {
            kept.move_on(now);
        }
        at_fault
    }
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origins({})", lock(&self.0).len())
    }
}

// === impl Kept ===

impl Kept {
    /// The maximum number of connections known to one origin; beyond it the oldest is removed, and gets no second try.
    const MAX: usize = 512;
    /// A pool that was left has no connections after this time: longer than idle ones are kept.
    const EMPTY: Duration = Duration::from_secs(70);
    /// Silence is attributed to a connection at most once in this time: a provider that stays silent on new ones is at fault.
    const EXCUSE: Duration = Duration::from_secs(60);

    fn new(now: Instant) -> Self {
        let answered = HashMap::new();
        Self { answered, is_shared: false, pool: 0, moved: None, excused: None, used: now }
    }

    fn answered(&mut self, at: SocketAddr, is_shared: bool, now: Instant) {
        if self.answered.len() >= Self::MAX && !self.answered.contains_key(&at) {
            forget_oldest(&mut self.answered, |answered| *answered);
        }
        self.answered.insert(at, now);
        (self.is_shared, self.used) = (is_shared, now);
    }

    /// Switches to the other pool, which has no dead connections.
    fn move_on(&mut self, now: Instant) {
        if self.moved.is_none_or(|moved| now.saturating_duration_since(moved) >= Self::EMPTY) {
            (self.pool, self.moved) = (1 - self.pool, Some(now));
        }
    }

    fn excuses(&mut self, sent: Instant, now: Instant) -> bool {
        if self.is_shared {
            return false;
        }
        match self.excused {
            // Sent before the first silence was noticed, so on one of the same connections.
            Some(excused) if now.saturating_duration_since(excused) < Self::EXCUSE => {
                sent < excused
            }
            _ => {
                self.excused = Some(now);
                true
            }
        }
    }
}

fn forget_oldest<K: Clone + Eq + Hash, V>(map: &mut HashMap<K, V>, used: impl Fn(&V) -> Instant) {
    let oldest = map.iter().min_by_key(|(_, value)| used(value)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        map.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(n: usize) -> Origin {
        Origin::of(&format!("http://host-{n}:80/v1").parse().expect("a URI")).expect("an origin")
    }

    fn port(n: u16) -> SocketAddr {
        ([127, 0, 0, 1], n).into()
    }

    #[test]
    fn a_connection_is_a_kept_one_once_it_has_answered_and_until_it_breaks() {
        let (origins, now) = (Origins::default(), Instant::now());
        assert!(!origins.broke(&origin(1), port(1)));
        origins.answered(&origin(1), port(1), false, now);
        assert_eq!(origins.count(&origin(1)), 1);
        assert!(!origins.broke(&origin(2), port(1)), "another origin's");
        assert!(origins.broke(&origin(1), port(1)));
        assert!(!origins.broke(&origin(1), port(1)));
    }

    #[test]
    fn a_dead_connection_moves_its_origin_to_the_other_pool_and_back_only_once_that_is_empty() {
        let (origins, now) = (Origins::default(), Instant::now());
        origins.answered(&origin(1), port(1), false, now);
        for (after, pool) in [(0, 1), (1, 1), (69, 1), (70, 0), (139, 0), (140, 1)] {
            origins.died(&origin(1), now + Duration::from_secs(after));
            assert_eq!(origins.pool(&origin(1)), pool, "after {after} s");
        }
        assert_eq!(origins.pool(&origin(2)), 0);
    }

    #[test]
    fn silence_is_the_connection_s_fault_once_and_then_the_provider_s() {
        let (origins, now) = (Origins::default(), Instant::now());
        let at = |s| now + Duration::from_secs(s);
        assert!(!origins.is_at_fault(&origin(1), now, at(10)), "nothing was kept");
        origins.answered(&origin(1), port(1), false, now);
        assert!(origins.is_at_fault(&origin(1), now, at(10)));
        assert!(origins.is_at_fault(&origin(1), at(9), at(19)), "it was under way already");
        assert!(!origins.is_at_fault(&origin(1), at(11), at(21)));
        assert!(origins.is_at_fault(&origin(1), at(61), at(71)));
    }

    #[test]
    fn silence_on_a_shared_connection_is_the_provider_s_as_pings_find_a_dead_one() {
        let (origins, now) = (Origins::default(), Instant::now());
        origins.answered(&origin(1), port(1), true, now);
        assert!(!origins.is_at_fault(&origin(1), now, now + Duration::from_secs(10)));
    }

    #[test]
    fn what_is_known_is_bounded() {
        let (origins, now) = (Origins::default(), Instant::now());
        for n in 0..Origins::MAX + 9 {
            let at = now + Duration::from_secs(n as u64);
            origins.answered(&origin(n), port(1), false, at);
        }
        assert_eq!(lock(&origins.0).len(), Origins::MAX);
        assert_eq!(origins.count(&origin(8)), 0);
        for n in 0..Kept::MAX + 9 {
            let at = now + Duration::from_secs(n as u64);
            origins.answered(&origin(9), port(n as u16), false, at);
        }
        assert_eq!(origins.count(&origin(9)), Kept::MAX);
        assert!(!origins.broke(&origin(9), port(0)));
    }
}
