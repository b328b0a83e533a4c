//! The load on the primary over time.

use evenkeel_testkit::{Figures, scenario::Point};

use super::{
    super::{
        play::{Failure, Played},
        words::count,
    },
    both,
    canvas::{Canvas, colours, svg},
    phases,
};

const HEIGHT: f64 = 92.0;

/// The plot of one client, as high as the highest of all.
pub(super) fn plots(played: &Played, figures: &Figures, label: &str) -> Result<String, Failure> {
    let length = played.plan.played.length().as_secs_f64();
    let most = round(highest(played));
    both(|size| {
        svg(label, (size, HEIGHT), (length, most * 1.04), |canvas| {
            phases::shade(canvas, played)?;
            let half = [0.0, most / 2.0, most].map(|value| (value, count(value as u64)));
            canvas.grid(&half)?;
            curve(canvas, figures)?;
            asked(canvas, played.report.rate)
        })
    })
}

fn highest(played: &Played) -> f64 {
    let all = played.report.clients.iter();
    let loads = all.flat_map(|f| f.series.points.iter().map(|point| a_minute(point, f)));
    loads.fold(played.report.rate, f64::max)
}

fn a_minute(point: &Point, figures: &Figures) -> f64 {
    point.attempts_primary as f64 * 60.0 / figures.series.bucket.as_secs_f64()
}

/// Up to a number that is easily read, and so is its half.
fn round(most: f64) -> f64 {
    let power = 10f64.powf(most.log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= most).unwrap_or(most)
}

fn curve(canvas: &Canvas<'_>, figures: &Figures) -> Result<(), Failure> {
    let bucket = figures.series.bucket.as_secs_f64();
    let (mut line, mut area) = (Vec::new(), vec![(canvas.x(0.0), canvas.y(0.0))]);
    for point in &figures.series.points {
        let (from, y) = (point.from.as_secs_f64(), canvas.y(a_minute(point, figures)));
        line.extend([(canvas.x(from), y), (canvas.x(from + bucket), y)]);
    }
    area.extend(&line);
    area.push((canvas.x(canvas.length), canvas.y(0.0)));
    canvas.fill(&area, colours::LOAD)?;
    Ok(())
}

/// What the customers asked for, dashed.
fn asked(canvas: &Canvas<'_>, rate: f64) -> Result<(), Failure> {
    let [left, _, right, _] = canvas.frame;
    let y = canvas.y(rate);
    let starts = (0..).map(|n| left + f64::from(n) * 8.0).take_while(|x| *x < right);
    for x in starts {
        canvas.line(&[(x, y), ((x + 4.0).min(right), y)], colours::INK, 1.25)?;
    }
    Ok(())
}
