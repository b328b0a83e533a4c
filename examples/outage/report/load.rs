//! The plot of the load on the primary over time.

use evenkeel_testkit::{Metrics, scenario::Point};

use super::{
    super::{
        numbers::count,
        play::{BoxError, RunResult},
    },
    canvas::{Canvas, Scale, colours, svg},
    html::both_sizes,
    phases,
};

const HEIGHT: f64 = 92.0;

/// The plot of one client. All clients have the same scale.
pub(super) fn plots(
    result: &RunResult,
    figures: &Metrics,
    label: &str,
) -> Result<String, BoxError> {
    let max = round_up(max_load(result));
    let scale = Scale { length: result.plan.played.length().as_secs_f64(), max: max * 1.04 };
    both_sizes(|size| {
        svg(label, size.with_height(HEIGHT), scale, |canvas| {
            phases::shade(canvas, result)?;
            let labels = [0.0, max / 2.0, max].map(|value| (value, count(value as u64)));
            canvas.grid(&labels)?;
            draw_load(canvas, figures)?;
            draw_call_rate(canvas, result.report.rate)
        })
    })
}

/// The highest load of all clients, but at least the rate of the calls.
fn max_load(result: &RunResult) -> f64 {
    let clients = result.report.clients.iter();
    let loads = clients.flat_map(|f| f.series.points.iter().map(|point| per_minute(point, f)));
    loads.fold(result.report.rate, f64::max)
}

fn per_minute(point: &Point, figures: &Metrics) -> f64 {
    point.attempts_primary as f64 * 60.0 / figures.series.bucket.as_secs_f64()
}

/// The next number that is short in writing, as is its half.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let candidates = [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|n| n * power);
    candidates.into_iter().find(|candidate| *candidate >= value).unwrap_or(value)
}

fn draw_load(canvas: &Canvas<'_>, figures: &Metrics) -> Result<(), BoxError> {
    let bucket = figures.series.bucket.as_secs_f64();
    let (mut line, mut area) = (Vec::new(), vec![(canvas.x(0.0), canvas.y(0.0))]);
    for point in &figures.series.points {
        let (from, y) = (point.from.as_secs_f64(), canvas.y(per_minute(point, figures)));
        line.extend([(canvas.x(from), y), (canvas.x(from + bucket), y)]);
    }
    area.extend(&line);
    area.push((canvas.x(canvas.scale.length), canvas.y(0.0)));
    canvas.fill(&area, colours::LOAD)?;
    Ok(())
}

/// Draws the rate of the calls as a dashed line.
fn draw_call_rate(canvas: &Canvas<'_>, rate: f64) -> Result<(), BoxError> {
    let [left, _, right, _] = canvas.frame;
    let y = canvas.y(rate);
    let starts = (0..).map(|n| left + f64::from(n) * 8.0).take_while(|x| *x < right);
    for x in starts {
        canvas.line(&[(x, y), ((x + 4.0).min(right), y)], colours::INK, 1.25)?;
    }
    Ok(())
}
