//! The states of the providers above and behind the plots, and the time axis below them.

use evenkeel_testkit::incident::IncidentPhase;
use plotters::style::RGBColor;

use super::{
    super::{
        clock::IncidentClock,
        play::{BoxError, RunResult},
    },
    canvas::{Anchor, Canvas, Scale, TextStyle, colours, svg, text_width},
    html::{both_sizes, escape, row},
};

const LANE_HEIGHT: f64 = 17.0;
const TEXT_SIZE: f64 = 11.0;

/// The states of the primary, and those of the secondary where it was not healthy all the time.
pub(super) fn strip(result: &RunResult) -> Result<String, BoxError> {
    let incident = &result.plan.played;
    let mut lanes = vec![("primary", incident.primary())];
    if incident.secondary().iter().any(|phase| !phase.state.is_healthy()) {
        lanes.push(("secondary", incident.secondary()));
    }
    let names = lanes
        .iter()
        .map(|(name, _)| format!("<p class=\"lane {name}-lane\">state of the {name}</p>"));
    let height = lanes.len() as f64 * (LANE_HEIGHT + 2.0);
    let scale = Scale { length: incident.length().as_secs_f64(), max: 1.0 };
    let plots = both_sizes(|size| {
        let label = "The states of the providers over time";
        svg(label, size.with_height(height), scale, |canvas| {
            let tops = (0..).map(|n| f64::from(n) * (LANE_HEIGHT + 2.0));
            lanes.iter().zip(tops).try_for_each(|(lane, top)| draw_lane(canvas, lane.1, top))
        })
    })?;
    Ok(row(&names.collect::<String>(), &plots))
}

/// The colours of the states, which are not labelled in a short phase of the strip.
pub(super) fn legend(result: &RunResult) -> String {
    let incident = &result.plan.played;
    let phases = incident.primary().iter().chain(incident.secondary());
    let mut names: Vec<_> = phases.map(|phase| phase.state.name()).collect();
    names.sort_by_key(|name| colours::PHASES.iter().position(|phase| phase == name).unwrap_or(9));
    names.dedup();
    let item = |name: &&str| {
        let class = if colours::PHASES.contains(name) { name } else { "other" };
        format!("<li><i class=\"{class}\"></i>{}</li>", escape(name))
    };
    let items: String = names.iter().map(item).collect();
    format!("<ul class=\"legend states\"><li>providers:</li>{items}</ul>\n")
}

fn draw_lane(canvas: &Canvas<'_>, phases: &[IncidentPhase], top: f64) -> Result<(), BoxError> {
    for phase in phases {
        let PhaseSides { left, right } = sides(canvas, phase);
        let name = phase.state.name();
        canvas.block((left + 0.5, top), (right - 0.5, top + LANE_HEIGHT), colours::phase(name))?;
        if text_width(name, TEXT_SIZE) < right - left - 4.0 {
            let middle = ((left + right) / 2.0, top + LANE_HEIGHT / 2.0);
            canvas.text(name, middle, text_style(colours::INK))?;
        }
    }
    Ok(())
}

/// Draws the states of the primary behind a plot.
pub(super) fn shade(canvas: &Canvas<'_>, result: &RunResult) -> Result<(), BoxError> {
    let [_, top, _, bottom] = canvas.frame;
    for phase in result.plan.played.primary().iter().filter(|phase| !phase.state.is_healthy()) {
        let PhaseSides { left, right } = sides(canvas, phase);
        canvas.block((left, top), (right, bottom), colours::phase(phase.state.name()))?;
    }
    Ok(())
}

/// Draws the boundaries between the states of the primary over a plot.
pub(super) fn edges(canvas: &Canvas<'_>, result: &RunResult) -> Result<(), BoxError> {
    let [_, top, _, bottom] = canvas.frame;
    for phase in result.plan.played.primary().iter().skip(1) {
        let x = canvas.x(phase.from.as_secs_f64());
        canvas.line(&[(x, top), (x, bottom)], colours::EDGE, 1.0)?;
    }
    Ok(())
}

/// The sides of a phase on the page.
struct PhaseSides {
    left: f64,
    right: f64,
}

fn sides(canvas: &Canvas<'_>, phase: &IncidentPhase) -> PhaseSides {
    PhaseSides { left: canvas.x(phase.from.as_secs_f64()), right: canvas.x(phase.to.as_secs_f64()) }
}

fn text_style(colour: RGBColor) -> TextStyle {
    TextStyle { anchor: Anchor::Middle, size: TEXT_SIZE, colour }
}

/// The time axis below the plots.
pub(super) fn axis(result: &RunResult) -> Result<String, BoxError> {
    let clock = IncidentClock::new(&result.plan);
    let scale = Scale { length: result.plan.played.length().as_secs_f64(), max: 1.0 };
    both_sizes(|size| {
        let label = "Hours and minutes of the incident";
        svg(label, size.with_height(22.0), scale, |canvas| {
            for tick in clock.ticks(size.ticks) {
                let x = canvas.x(tick.at);
                canvas.line(&[(x, 0.0), (x, 4.0)], colours::QUIET, 1.0)?;
                canvas.text(&tick.label, (x, 13.0), text_style(colours::QUIET))?;
            }
            Ok(())
        })
    })
}
