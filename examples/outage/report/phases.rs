//! What state the providers were in: above the plots, behind them, and the axis below.

use evenkeel_testkit::incident::Phase;

use super::{
    super::{
        clock::Clock,
        play::{Failure, Played},
    },
    both,
    canvas::{At, Canvas, colours, svg, width},
    escape, row,
};

const LANE: f64 = 17.0;
const TEXT: f64 = 11.0;

/// The states of the primary, and those of the secondary where there is more to tell than that it was well.
pub(super) fn strip(played: &Played) -> Result<String, Failure> {
    let incident = &played.plan.played;
    let mut lanes = vec![("primary", incident.primary())];
    if incident.secondary().iter().any(|phase| !phase.state.is_healthy()) {
        lanes.push(("secondary", incident.secondary()));
    }
    let names = lanes
        .iter()
        .map(|(name, _)| format!("<p class=\"lane {name}-lane\">state of the {name}</p>"));
    let height = lanes.len() as f64 * (LANE + 2.0);
    let drawn = both(|size| {
        let sides = (incident.length().as_secs_f64(), 1.0);
        svg("The states of the providers over time", (size, height), sides, |canvas| {
            let tops = (0..).map(|n| f64::from(n) * (LANE + 2.0));
            lanes.iter().zip(tops).try_for_each(|(lane, top)| states(canvas, lane.1, top))
        })
    })?;
    Ok(row(&names.collect::<String>(), &drawn))
}

/// What the colours of the states mean, for who cannot find them in the strip.
pub(super) fn legend(played: &Played) -> String {
    let incident = &played.plan.played;
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

fn states(canvas: &Canvas<'_>, phases: &[Phase], top: f64) -> Result<(), Failure> {
    for phase in phases {
        let (from, to) = sides(canvas, phase);
        let name = phase.state.name();
        canvas.block((from + 0.5, top), (to - 0.5, top + LANE), colours::phase(name))?;
        if width(name, TEXT) < to - from - 4.0 {
            let middle = ((from + to) / 2.0, top + LANE / 2.0);
            canvas.text(name, middle, (At::Middle, TEXT, colours::INK))?;
        }
    }
    Ok(())
}

/// The states of the primary, behind a plot.
pub(super) fn shade(canvas: &Canvas<'_>, played: &Played) -> Result<(), Failure> {
    let [_, top, _, bottom] = canvas.frame;
    for phase in played.plan.played.primary().iter().filter(|phase| !phase.state.is_healthy()) {
        let (from, to) = sides(canvas, phase);
        canvas.block((from, top), (to, bottom), colours::phase(phase.state.name()))?;
    }
    Ok(())
}

/// Where they begin and end, over a plot.
pub(super) fn edges(canvas: &Canvas<'_>, played: &Played) -> Result<(), Failure> {
    let [_, top, _, bottom] = canvas.frame;
    for phase in played.plan.played.primary().iter().skip(1) {
        let x = canvas.x(phase.from.as_secs_f64());
        canvas.line(&[(x, top), (x, bottom)], colours::EDGE, 1.0)?;
    }
    Ok(())
}

fn sides(canvas: &Canvas<'_>, phase: &Phase) -> (f64, f64) {
    (canvas.x(phase.from.as_secs_f64()), canvas.x(phase.to.as_secs_f64()))
}

/// The axis of time, below the plots.
pub(super) fn axis(played: &Played) -> Result<String, Failure> {
    let clock = Clock::new(&played.plan);
    let length = played.plan.played.length().as_secs_f64();
    both(|size| {
        svg("Hours and minutes of the incident", (size, 22.0), (length, 1.0), |canvas| {
            for (time, label) in clock.ticks(size.ticks) {
                let x = canvas.x(time);
                canvas.line(&[(x, 0.0), (x, 4.0)], colours::QUIET, 1.0)?;
                canvas.text(&label, (x, 13.0), (At::Middle, TEXT, colours::QUIET))?;
            }
            Ok(())
        })
    })
}
