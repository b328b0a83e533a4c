//! Times to the first content, in a small histogram of fixed boundaries.

/// Counts of times. Boundaries are a factor of √2 apart, from 5 ms to 232 s: a percentile is wrong by at most a fifth.
#[derive(Clone, Debug, Default)]
pub(in crate::admin) struct FirstContents {
    counts: [u32; COUNTS],
}

const COUNTS: usize = 32;
/// The first boundary, in milliseconds.
const FIRST: f64 = 5.0;

// === impl FirstContents ===

impl FirstContents {
    pub(super) fn add(&mut self, millis: u64) {
        let at = (0..COUNTS).find(|at| millis as f64 <= boundary(*at)).unwrap_or(COUNTS - 1);
        self.counts[at] = self.counts[at].saturating_add(1);
    }

    /// The time within which this share of the first contents came, in milliseconds; `None` if there were none.
    pub(in crate::admin) fn percentile(&self, share: f64) -> Option<u64> {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let rank = (share * all as f64).ceil().max(1.0);
        let mut below = 0.0;
        for (at, count) in self.counts.iter().enumerate() {
            let count = f64::from(*count);
            if count > 0.0 && below + count >= rank {
                let lowest = if at == 0 { 0.0 } else { boundary(at - 1) };
                let inside = (rank - below) / count;
                return Some((lowest + (boundary(at) - lowest) * inside).round() as u64);
            }
            below += count;
        }
        None
    }
}

fn boundary(at: usize) -> f64 {
    FIRST * 2_f64.powf(at as f64 / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_near_the_exact_one() {
        let mut times = FirstContents::default();
        assert_eq!(times.percentile(0.5), None);
        (1..=1_000).for_each(|millis| times.add(millis * 3));
        for (share, exact) in [(0.5, 1_500.0), (0.95, 2_850.0), (0.01, 30.0)] {
            let found = times.percentile(share).unwrap() as f64;
            assert!((found / exact - 1.0).abs() < 0.2, "{share}: {found} for {exact}");
        }
    }

    #[test]
    fn times_beyond_the_boundaries_are_counted_in_the_last() {
        let mut times = FirstContents::default();
        times.add(u64::MAX);
        assert_eq!(times.percentile(0.5).unwrap(), boundary(COUNTS - 1).round() as u64);
        let mut times = FirstContents::default();
        times.add(0);
        assert!(times.percentile(0.5).unwrap() <= 5);
    }
}
