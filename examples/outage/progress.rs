//! Progress bars, one for each client. They are shown on a terminal only.

use evenkeel_testkit::scenario::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{clock::IncidentClock, numbers::count, plan::RunPlan};

/// One bar for each client.
#[derive(Debug)]
pub(crate) struct Bars {
    all: MultiProgress,
    plan: RunPlan,
}

// === impl Bars ===

impl Bars {
    /// The bars are hidden if `quiet` is set or standard error is not a terminal.
    pub(crate) fn new(plan: &RunPlan, quiet: bool) -> Self {
        let target = match quiet {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        Self { all: MultiProgress::with_draw_target(target), plan: plan.clone() }
    }

    /// The progress callback of one client.
    pub(crate) fn on_progress(&self, name: &str) -> impl Fn(Progress) + Send + Sync + 'static {
        let bar = self.all.add(ProgressBar::new(0));
        let style = ProgressStyle::with_template("{prefix:9} {wide_bar:.dim} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(name.to_owned());
        let (clock, played) = (IncidentClock::new(&self.plan), self.plan.played.clone());
        let hidden = self.all.is_hidden();
        move |now: Progress| {
            let ended = now.answered + now.failed;
            // A bar is updated about a thousand times in a run.
            if hidden || (now.made != now.calls && now.made % (now.calls / 1000 + 1) != 0) {
                return;
            }
            bar.set_length(now.calls);
            bar.set_position(now.made);
            let waiting = now.made - ended.min(now.made);
            let (answered, failed) = (count(now.answered), count(now.failed));
            bar.set_message(format!(
                "{:>5} {:<9} {answered:>7} answered {failed:>7} failed {waiting:>5} waiting",
                clock.label(clock.original(now.at)),
                played.primary_at(now.at).name(),
            ));
            if ended == now.calls {
                bar.abandon();
            }
        }
    }
}
