//! What state the breakers were in over time.

use super::{
    super::{
        clients::RUNGS,
        journal::Change,
        play::{Failure, Played},
    },
    both,
    canvas::{Canvas, colours, svg},
    escape, row,
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

/// Whose breakers are drawn, in this order.
const CLIENTS: [&str; 2] = ["evenkeel", "steps"];

/// The breakers of the primary and of the secondary, of each client that has some.
pub(super) fn rows(played: &Played) -> Result<String, Failure> {
    let mut rows = String::new();
    for (client, name, changes) in breakers(&played.changes) {
        let label = format!("The state of {client}'s breaker for the {name} over time");
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
        let name = escape(&format!("{client}: {name}"));
        rows += &row(&format!("<p class=\"lane\">{name}</p>"), &plots);
    }
    Ok(rows)
}

/// The breakers that changed, and the first of each client whether it did or not: whose, what for, and its changes.
fn breakers(changes: &[Change]) -> Vec<(&'static str, String, Vec<Change>)> {
    let mut all: Vec<(&str, String, Vec<Change>)> = Vec::new();
    for client in CLIENTS {
        all.push((client, "primary".into(), Vec::new()));
        let own = changes.iter().filter(|change| &*change.client == client);
        let (primary, secondary): (Vec<_>, Vec<_>) = own.partition(|change| change.primary);
        for change in primary.into_iter().chain(secondary) {
            let name = name(change);
            match all.iter_mut().find(|(of, known, _)| *of == client && *known == name) {
                Some((_, _, list)) => list.push(change.clone()),
                None => all.push((client, name, vec![change.clone()])),
            }
        }
    }
    all
}

/// What a breaker is for: the provider, and the model where it is not the one that is asked first.
fn name(change: &Change) -> String {
    let (model, facet) = change.model.split_once(':').unwrap_or((&change.model, ""));
    match (change.primary, model, facet) {
        (false, ..) => "secondary".into(),
        (true, "model-1", "") => "primary".into(),
        (true, "model-1", facet) => facet.replacen("no-", "no ", 1),
        (true, ..) => RUNGS[2].into(),
    }
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

    fn change(at: f64, (client, model): (&str, &str), to: &'static str) -> Change {
        let (client, model) = (client.into(), model.into());
        Change { at: Duration::from_secs_f64(at), client, primary: true, model, to }
    }

    #[test]
    fn every_way_to_ask_has_a_breaker_of_its_own() {
        let changes = ["model-1:no-web_search", "model-1", "small-1:no-tools"]
            .map(|model| change(1.0, ("steps", model), "open"));
        let told = breakers(&changes);
        let told: Vec<_> = told.iter().map(|(of, name, list)| (*of, &**name, list.len())).collect();
        let expected = [
            ("evenkeel", "primary", 0),
            ("steps", "primary", 1),
            ("steps", "no web_search", 1),
            ("steps", "small model", 1),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn every_slice_is_wholly_in_states() {
        let change = |at, to| change(at, ("evenkeel", "model-1"), to);
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
