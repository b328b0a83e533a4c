//! The plot of the answers over time: one stacked layer for each kind.

use evenkeel_testkit::{
    Metrics,
    scenario::{CallResult, Point, Series},
};

use super::{
    super::play::{BoxError, RunResult},
    canvas::{Anchor, Canvas, Scale, TextStyle, colours, svg, text_width},
    html::both_sizes,
    phases,
};

const HEIGHT: f64 = 132.0;
const TEXT_SIZE: f64 = 12.5;
/// The minimum share that a layer needs for a label.
const MIN_LABELLED_SHARE: f64 = 0.2;

/// The name of a kind in the legend.
pub(super) fn name(kind: CallResult) -> &'static str {
    match kind {
        CallResult::Primary => "answered by the primary",
        CallResult::Secondary => "answered by the secondary",
        CallResult::Stored => "a stored answer",
        CallResult::Canned => "a canned reply",
        CallResult::Error => "an error, or an answer cut short",
        _ => "no answer within two minutes",
    }
}

/// The label of a layer.
fn short_name(kind: CallResult) -> &'static str {
    match kind {
        CallResult::Primary => "primary",
        CallResult::Secondary => "secondary",
        CallResult::Stored => "stored",
        CallResult::Canned => "canned reply",
        CallResult::Error => "error",
        _ => "no answer",
    }
}

/// The plot of one client.
pub(super) fn plots(
    result: &RunResult,
    figures: &Metrics,
    label: &str,
) -> Result<String, BoxError> {
    let scale = Scale { length: result.plan.played.length().as_secs_f64(), max: 1.0 };
    both_sizes(|size| {
        svg(label, size.with_height(HEIGHT), scale, |canvas| {
            canvas.grid(&[(0.0, "0".into()), (0.5, "50 %".into()), (1.0, "100 %".into())])?;
            let layers = layers(&figures.series);
            for layer in &layers {
                draw_layer(canvas, layer)?;
            }
            phases::edges(canvas, result)?;
            layers.iter().try_for_each(|layer| draw_label(canvas, layer))
        })
    })
}

/// The stacked share of one kind over time. Buckets without a call have no segment.
struct Layer {
    kind: CallResult,
    segments: Vec<Segment>,
}

/// The share of a layer in one bucket of time.
struct Segment {
    from: f64,
    to: f64,
    low: f64,
    high: f64,
}

fn layers(series: &Series) -> Vec<Layer> {
    let bucket = series.bucket.as_secs_f64();
    let segment = |kind: CallResult, point: &Point| {
        let all: u64 = point.calls.iter().sum();
        let below: u64 = point.calls[..kind as usize].iter().sum();
        let share = |calls: u64| calls as f64 / all as f64;
        let from = point.from.as_secs_f64();
        let (low, high) = (share(below), share(below + point.of(kind)));
        (all > 0).then_some(Segment { from, to: from + bucket, low, high })
    };
    let layer = |kind: CallResult| Layer {
        kind,
        segments: series.points.iter().filter_map(|point| segment(kind, point)).collect(),
    };
    let is_visible = |layer: &Layer| layer.segments.iter().any(|s| s.high > s.low);
    CallResult::ALL.map(layer).into_iter().filter(is_visible).collect()
}

fn draw_layer(canvas: &Canvas<'_>, layer: &Layer) -> Result<(), BoxError> {
    let colour = colours::KINDS[layer.kind as usize];
    // The layer is interrupted where there were no calls, or no calls of this kind.
    let joined =
        |a: &Segment, b: &Segment| b.from - a.to < 1e-6 && (a.high > a.low) == (b.high > b.low);
    for part in layer.segments.chunk_by(joined).filter(|part| part[0].high > part[0].low) {
        let corner = |time: f64, share: f64| (canvas.x(time), canvas.y(share));
        let top = part.iter().flat_map(|s| [corner(s.from, s.high), corner(s.to, s.high)]);
        let bottom = part.iter().rev().flat_map(|s| [corner(s.to, s.low), corner(s.from, s.low)]);
        canvas.fill(&top.chain(bottom).collect::<Vec<_>>(), colour)?;
    }
    Ok(())
}

/// Labels the layer at its thickest place, if the label fits anywhere.
fn draw_label(canvas: &Canvas<'_>, layer: &Layer) -> Result<(), BoxError> {
    let label = short_name(layer.kind);
    let half_width = (text_width(label, TEXT_SIZE) + 8.0) / 2.0;
    let middle = |s: &Segment| (canvas.x(s.from) + canvas.x(s.to)) / 2.0;
    let places =
        layer.segments.iter().filter_map(|s| label_place(canvas, layer, middle(s), half_width));
    // The thickest place, or the middle one of about equally thick places.
    let thickness = |place: &LabelPlace| place.high - place.low;
    let max = places.clone().map(|place| thickness(&place)).fold(MIN_LABELLED_SHARE, f64::max);
    let best: Vec<LabelPlace> = places.filter(|place| thickness(place) > max - 0.08).collect();
    let Some(place) = best.get(best.len() / 2) else { return Ok(()) };
    let colour = match layer.kind {
        CallResult::Primary | CallResult::Error | CallResult::Hung => colours::LIGHT,
        _ => colours::DARK,
    };
    let y = canvas.y((place.low + place.high) / 2.0);
    canvas.text(label, (place.x, y), TextStyle { anchor: Anchor::Middle, size: TEXT_SIZE, colour })
}

/// A place for a label, with the band of the layer that is free along the whole label.
struct LabelPlace {
    x: f64,
    low: f64,
    high: f64,
}

/// The place for a label around `x`, if the label is within the frame.
fn label_place(canvas: &Canvas<'_>, layer: &Layer, x: f64, half_width: f64) -> Option<LabelPlace> {
    let (left, right) = (x - half_width, x + half_width);
    if left < canvas.frame[0] || right > canvas.frame[2] {
        return None;
    }
    let first = layer.segments.partition_point(|segment| canvas.x(segment.to) <= left);
    let covered = layer.segments[first..].iter().take_while(|s| canvas.x(s.from) < right);
    let unbounded = LabelPlace { x, low: 0.0, high: 1.0 };
    Some(covered.fold(unbounded, |place, segment| LabelPlace {
        x,
        low: place.low.max(segment.low),
        high: place.high.min(segment.high),
    }))
}
