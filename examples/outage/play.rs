//! One client goes through the day.

use evenkeel::Upstream;
use evenkeel_testkit::{
    Figures,
    scenario::{Report, Stage},
};
use tokio::time::Instant;

use super::{
    clients::{self, NAMES},
    journal::{Change, Journal},
    live,
    plan::Plan,
    progress::Bars,
    virtual_time,
};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where one client plays: the providers, and how it reaches them.
pub(crate) struct Place<U> {
    pub(crate) stage: Stage,
    pub(crate) transport: U,
    /// The URL of the secondary.
    pub(crate) secondary: String,
}

/// What became of it all.
#[derive(Debug)]
pub(crate) struct Played {
    /// What was played.
    pub(crate) plan: Plan,
    /// The figures of the four clients.
    pub(crate) report: Report,
    /// What the breakers of evenkeel and of steps did.
    pub(crate) changes: Vec<Change>,
}

/// What became of one client, and what its breakers did.
pub(crate) type Part = (Figures, Vec<Change>);

/// Plays all four clients at once.
pub(crate) fn all(plan: &Plan, bars: &Bars) -> Result<Played, Failure> {
    let parts = match plan.live {
        true => live::play(plan, bars)?,
        false => virtual_time::play(plan, bars)?,
    };
    let (clients, changes): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let report = plan.drill().report(clients);
    Ok(Played { plan: plan.clone(), report, changes: changes.concat() })
}

/// Plays one client.
pub(crate) async fn one<U: Upstream>(
    plan: &Plan,
    name: &str,
    place: Place<U>,
    bars: &Bars,
) -> Result<Part, Failure> {
    let Place { stage, transport, secondary } = place;
    let drill = plan.drill().on_progress(bars.of(name));
    let setting = plan.setting();
    if name == NAMES[0] {
        return Ok((drill.play(name, &stage, clients::plain(transport)).await, Vec::new()));
    }
    if name == NAMES[1] {
        let client = clients::retries(transport, setting);
        return Ok((drill.play(name, &stage, client).await, Vec::new()));
    }
    let journal = Journal::default();
    let listener = journal.clone();
    let client = match name == NAMES[2] {
        true if plan.alone => clients::alone(transport, setting, listener),
        true => clients::evenkeel(transport, &secondary, setting, listener),
        false => clients::steps(transport, &secondary, setting, listener),
    }?;
    let start = Instant::now();
    let figures = drill.play(name, &stage, client).await;
    Ok((figures, journal.changes(name, (start, setting.scale), stage.url())))
}
