//! The states of the breakers over time.

use std::ops::Range;

use super::{
    super::{
        breaker_log::BreakerChange,
        clients::FALLBACKS,
        play::{BoxError, RunResult},
    },
    canvas::{Canvas, Scale, colours, svg},
    html::{both_sizes, escape, row},
};

/// A state of a breaker in the legend.
pub(super) struct BreakerState {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
}

/// The states, in the order of the share of calls that they let through.
pub(super) const STATES: [BreakerState; 4] = [
    BreakerState { name: "closed", meaning: "closed: lets every call through" },
    BreakerState { name: "recovering", meaning: "recovering: lets a growing share through" },
    BreakerState { name: "half_open", meaning: "half-open: one probe at a time" },
    BreakerState { name: "open", meaning: "open: lets no call through" },
];

const HEIGHT: f64 = 24.0;
/// The number of slices of time. A slice shows the share of each state, because states change faster than a pixel can show.
const SLICES: usize = 430;

/// The clients with breakers, in the order of their plots.
const CLIENTS: [&str; 2] = ["evenkeel", "steps"];

/// One breaker and its changes.
pub(super) struct BreakerTrack {
    pub(super) client: &'static str,
    pub(super) name: String,
    pub(super) changes: Vec<BreakerChange>,
}

/// A row with a plot for each breaker.
pub(super) fn rows(result: &RunResult) -> Result<String, BoxError> {
    let mut rows = String::new();
    for BreakerTrack { client, name, changes } in tracks(&result.changes) {
        let label = format!("The state of {client}'s breaker for the {name} over time");
        let length = result.plan.played.length().as_secs_f64();
        let shares = slices(&changes, length);
        let scale = Scale { length, max: 1.0 };
        let plots = both_sizes(|size| {
            svg(&label, size.with_height(HEIGHT), scale, |canvas| {
                let mut end = 0;
                // Equal slices are one block, so that no seams show between them.
                shares.chunk_by(|a, b| a == b).try_for_each(|equal| {
                    let start = end;
                    end += equal.len();
                    let x = |slice: usize| canvas.x(slice as f64 * length / SLICES as f64);
                    draw_shares(canvas, x(start)..x(end), &equal[0])
                })
            })
        })?;
        let name = escape(&format!("{client}: {name}"));
        rows += &row(&format!("<p class=\"lane\">{name}</p>"), &plots);
    }
    Ok(rows)
}

/// The breakers with changes, and the breaker for the primary of each client in any case.
pub(super) fn tracks(changes: &[BreakerChange]) -> Vec<BreakerTrack> {
    let mut tracks: Vec<BreakerTrack> = Vec::new();
    for client in CLIENTS {
        tracks.push(BreakerTrack { client, name: "primary".into(), changes: Vec::new() });
        let own = changes.iter().filter(|change| &*change.client == client);
        let (primary, secondary): (Vec<_>, Vec<_>) = own.partition(|change| change.primary);
        for change in primary.into_iter().chain(secondary) {
            let name = name(change);
            match tracks.iter_mut().find(|track| track.client == client && track.name == name) {
                Some(track) => track.changes.push(change.clone()),
                None => tracks.push(BreakerTrack { client, name, changes: vec![change.clone()] }),
            }
        }
    }
    tracks
}

/// The name of a breaker: its provider, or the step of `steps` with another model or variant of the request.
fn name(change: &BreakerChange) -> String {
    let (model, variant) = change.model.split_once(':').unwrap_or((&change.model, ""));
    match (change.primary, model, variant) {
        (false, ..) => "secondary".into(),
        (true, "model-1", "") => "primary".into(),
        (true, "model-1", variant) => variant.replacen("no-", "no ", 1),
        (true, ..) => FALLBACKS[2].into(),
    }
}

/// Draws the shares of the states, stacked.
fn draw_shares(canvas: &Canvas<'_>, sides: Range<f64>, shares: &[f64; 4]) -> Result<(), BoxError> {
    let mut low = 0.0;
    for (share, colour) in shares.iter().zip(colours::STATES) {
        if *share > 0.0 {
            let (top, bottom) = (canvas.y(low + share), canvas.y(low));
            canvas.block((sides.start, top), (sides.end, bottom), colour)?;
        }
        low += share;
    }
    Ok(())
}

/// The share of each state in each slice of time.
fn slices(changes: &[BreakerChange], length: f64) -> Vec<[f64; 4]> {
    let slice = length / SLICES as f64;
    let mut shares = vec![[0.0; 4]; SLICES];
    for StateSpan { from, to, state } in spans(changes, length) {
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

/// A span of time in one state, in seconds.
struct StateSpan {
    from: f64,
    to: f64,
    /// The index in [`STATES`].
    state: usize,
}

/// The spans between the changes. A breaker is closed until its first change.
fn spans(changes: &[BreakerChange], length: f64) -> impl Iterator<Item = StateSpan> {
    let ends = changes.iter().skip(1).map(|change| change.at.as_secs_f64());
    let first_change = changes.first().map_or(length, |change| change.at.as_secs_f64());
    let closed = StateSpan { from: 0.0, to: first_change, state: 0 };
    let after_changes = changes.iter().zip(ends.chain([length])).map(move |(change, end)| {
        let state = STATES.iter().position(|state| state.name == change.to).unwrap_or(0);
        StateSpan { from: change.at.as_secs_f64(), to: end.min(length), state }
    });
    std::iter::once(closed).chain(after_changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenkeel::breaker::TransitionReason;
    use std::time::Duration;

    fn change(at: f64, (client, model): (&str, &str), to: &'static str) -> BreakerChange {
        let (client, model) = (client.into(), model.into());
        let (at, reason) = (Duration::from_secs_f64(at), TransitionReason::Waited);
        BreakerChange { at, client, primary: true, model, to, reason, lasts: None }
    }

    #[test]
    fn every_model_and_variant_has_its_own_breaker() {
        let changes = ["model-1:no-web_search", "model-1", "small-1:no-tools"]
            .map(|model| change(1.0, ("steps", model), "open"));
        let tracks = tracks(&changes);
        let tracks: Vec<_> =
            tracks.iter().map(|track| (track.client, &*track.name, track.changes.len())).collect();
        let expected = [
            ("evenkeel", "primary", 0),
            ("steps", "primary", 1),
            ("steps", "no web_search", 1),
            ("steps", "small model", 1),
        ];
        assert_eq!(tracks, expected);
    }

    #[test]
    fn the_shares_of_every_slice_add_up_to_one() {
        let change = |at, to| change(at, ("evenkeel", "model-1"), to);
        let changes = [change(10.5, "open"), change(50.0, "half_open"), change(50.5, "open")];
        let shares = slices(&changes, SLICES as f64);
        assert!(shares.iter().all(|shares| (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9));
        assert_eq!(shares[0], [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(shares[10], [0.5, 0.0, 0.0, 0.5]);
        assert_eq!(shares[50], [0.0, 0.0, 0.5, 0.5]);
        assert_eq!(shares[SLICES - 1], [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(slices(&[], 1.0)[7][0].round(), 1.0, "a breaker without changes is closed");
    }
}
