//! What state evenkeel's breakers were in over time.

use super::{
    super::{
        journal::Change,
        play::{Failure, Played},
    },
    both,
    canvas::{Canvas, colours, svg},
    row,
};

/// Its states, from all calls let through to none, and what each means.
pub(super) const STATES: [(&str, &str); 4] = [
    ("closed", "closed: every call goes through"),
    ("recovering", "recovering: a growing share does"),
    ("half_open", "half-open: one probe at a time"),
    ("open", "open: none does"),
];

const HEIGHT: f64 = 24.0;
/// A state changes faster than a pixel can show: so many slices share a breaker's time.
const SLICES: usize = 430;

/// The breakers of the primary and of the secondary.
pub(super) fn rows(played: &Played) -> Result<String, Failure> {
    let mut rows = String::new();
    for (primary, name) in [(true, "primary"), (false, "secondary")] {
        let changes: Vec<Change> =
            played.changes.iter().filter(|change| change.primary == primary).copied().collect();
        if changes.is_empty() && !primary {
            continue;
        }
        let label = format!("The state of evenkeel's breaker for the {name} over time");
        let length = played.plan.played.length().as_secs_f64();
        let shares = slices(&changes, length);
        let plots = both(|size| {
            svg(&label, (size, HEIGHT), (length, 1.0), |canvas| {
                let mut from = 0;
                // One block where nothing changes, so that no seams show.
                shares.chunk_by(|a, b| a == b).try_for_each(|same| {
                    let sides = (from, from + same.len());
                    from = sides.1;
                    let at = |slice: usize| canvas.x(slice as f64 * length / SLICES as f64);
                    stack(canvas, (at(sides.0), at(sides.1)), &same[0])
                })
            })
        })?;
        rows += &row(&format!("<p class=\"lane\">breaker of the {name}</p>"), &plots);
    }
    Ok(rows)
}

/// The states of a stretch of time, one above the other.
fn stack(canvas: &Canvas<'_>, (left, right): (f64, f64), shares: &[f64; 4]) -> Result<(), Failure> {
    let mut low = 0.0;
    for (share, colour) in shares.iter().zip(colours::STATES) {
        if *share > 0.0 {
            canvas.block((left, canvas.y(low + share)), (right, canvas.y(low)), colour)?;
        }
        low += share;
    }
    Ok(())
}

/// Which part of each slice was spent in which state.
fn slices(changes: &[Change], length: f64) -> Vec<[f64; 4]> {
    let slice = length / SLICES as f64;
    let mut shares = vec![[0.0; 4]; SLICES];
    let ends = changes.iter().skip(1).map(|change| change.at.as_secs_f64());
    let first = changes.first().map_or(length, |change| change.at.as_secs_f64());
    let spans = std::iter::once((0.0, first, 0)).chain(
        changes.iter().zip(ends.chain([length])).map(|(change, end)| {
            let state = STATES.iter().position(|state| state.0 == change.to).unwrap_or(0);
            (change.at.as_secs_f64(), end.min(length), state)
        }),
    );
    for (from, to, state) in spans {
        let first = (from / slice) as usize;
        for (n, shares) in shares.iter_mut().enumerate().skip(first) {
            let (start, end) = (n as f64 * slice, (n as f64 + 1.0) * slice);
            if start >= to {
                break;
            }
            shares[state] += (end.min(to) - start.max(from)).max(0.0) / slice;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_slice_is_wholly_in_states() {
        let change = |at, to| Change { at: Duration::from_secs_f64(at), primary: true, to };
        let changes = [change(10.5, "open"), change(50.0, "half_open"), change(50.5, "open")];
        let shares = slices(&changes, SLICES as f64);
        assert!(shares.iter().all(|shares| (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9));
        assert_eq!(shares[0], [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(shares[10], [0.5, 0.0, 0.0, 0.5]);
        assert_eq!(shares[50], [0.0, 0.0, 0.5, 0.5]);
        assert_eq!(shares[SLICES - 1], [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(slices(&[], 1.0)[7][0].round(), 1.0, "one that never changed was closed");
    }
}
