//! Answers over time, by kind, one above the other.

use evenkeel_testkit::{
    Figures,
    scenario::{Kind, Point, Series},
};

use super::{
    super::play::{Failure, Played},
    both,
    canvas::{At, Canvas, colours, svg, width},
    phases,
};

const HEIGHT: f64 = 132.0;
const TEXT: f64 = 12.5;
/// A layer that is thinner bears no label.
const THICK: f64 = 0.2;

/// What a kind is called.
pub(super) fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Primary => "answered by the primary",
        Kind::Secondary => "answered by the secondary",
        Kind::Stored => "a stored answer",
        Kind::Canned => "a canned reply",
        Kind::Error => "an error, or an answer cut short",
        _ => "no word within two minutes",
    }
}

/// What a layer is called that shows it.
fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::Primary => "primary",
        Kind::Secondary => "secondary",
        Kind::Stored => "stored",
        Kind::Canned => "canned reply",
        Kind::Error => "error",
        _ => "no word at all",
    }
}

/// The plot of one client.
pub(super) fn plots(played: &Played, figures: &Figures, label: &str) -> Result<String, Failure> {
    let length = played.plan.played.length().as_secs_f64();
    both(|size| {
        svg(label, (size, HEIGHT), (length, 1.0), |canvas| {
            canvas.grid(&[(0.0, "0".into()), (0.5, "50 %".into()), (1.0, "100 %".into())])?;
            let layers = layers(&figures.series);
            for layer in &layers {
                draw(canvas, layer)?;
            }
            phases::edges(canvas, played)?;
            layers.iter().try_for_each(|layer| name(canvas, layer))
        })
    })
}

/// One kind: its lower and its upper side in each stretch of time that had a call.
struct Layer {
    kind: Kind,
    steps: Vec<Step>,
}

struct Step {
    from: f64,
    to: f64,
    low: f64,
    high: f64,
}

fn layers(series: &Series) -> Vec<Layer> {
    let bucket = series.bucket.as_secs_f64();
    let step = |kind: Kind, point: &Point| {
        let all: u64 = point.calls.iter().sum();
        let below: u64 = point.calls[..kind as usize].iter().sum();
        let share = |calls: u64| calls as f64 / all as f64;
        let from = point.from.as_secs_f64();
        let (low, high) = (share(below), share(below + point.of(kind)));
        (all > 0).then_some(Step { from, to: from + bucket, low, high })
    };
    let layer = |kind: Kind| Layer {
        kind,
        steps: series.points.iter().filter_map(|point| step(kind, point)).collect(),
    };
    let some = |layer: &Layer| layer.steps.iter().any(|step| step.high > step.low);
    Kind::ALL.map(layer).into_iter().filter(some).collect()
}

fn draw(canvas: &Canvas<'_>, layer: &Layer) -> Result<(), Failure> {
    let colour = colours::KINDS[layer.kind as usize];
    // Where there were no calls, or none of this kind, the layer is parted.
    let joined = |a: &Step, b: &Step| b.from - a.to < 1e-6 && (a.high > a.low) == (b.high > b.low);
    for part in layer.steps.chunk_by(joined).filter(|part| part[0].high > part[0].low) {
        let corner = |time: f64, share: f64| (canvas.x(time), canvas.y(share));
        let up = part.iter().flat_map(|s| [corner(s.from, s.high), corner(s.to, s.high)]);
        let down = part.iter().rev().flat_map(|s| [corner(s.to, s.low), corner(s.from, s.low)]);
        canvas.fill(&up.chain(down).collect::<Vec<_>>(), colour)?;
    }
    Ok(())
}

/// Writes what a layer is where it has the most room, if it has any.
fn name(canvas: &Canvas<'_>, layer: &Layer) -> Result<(), Failure> {
    let word = short(layer.kind);
    let half = (width(word, TEXT) + 8.0) / 2.0;
    let middle = |step: &Step| (canvas.x(step.from) + canvas.x(step.to)) / 2.0;
    let rooms = layer.steps.iter().filter_map(|step| room(canvas, layer, (middle(step), half)));
    // The thickest; of equals the one in the middle of them.
    let thick = |room: &Room| room.high - room.low;
    let most = rooms.clone().map(|room| thick(&room)).fold(THICK, f64::max);
    let best: Vec<Room> = rooms.filter(|room| thick(room) > most - 0.08).collect();
    let Some(room) = best.get(best.len() / 2) else { return Ok(()) };
    let ink = match layer.kind {
        Kind::Primary | Kind::Error | Kind::Hung => colours::LIGHT,
        _ => colours::DARK,
    };
    let y = canvas.y((room.low + room.high) / 2.0);
    canvas.text(word, (room.x, y), (At::Middle, TEXT, ink))
}

/// What a layer has all along a word.
struct Room {
    x: f64,
    low: f64,
    high: f64,
}

/// The room for a word of that half width around `x`.
fn room(canvas: &Canvas<'_>, layer: &Layer, (x, half): (f64, f64)) -> Option<Room> {
    let (left, right) = (x - half, x + half);
    if left < canvas.frame[0] || right > canvas.frame[2] {
        return None;
    }
    let first = layer.steps.partition_point(|step| canvas.x(step.to) <= left);
    let under = layer.steps[first..].iter().take_while(|step| canvas.x(step.from) < right);
    let whole = Room { x, low: 0.0, high: 1.0 };
    Some(under.fold(whole, |room, step| Room {
        x,
        low: room.low.max(step.low),
        high: room.high.min(step.high),
    }))
}
