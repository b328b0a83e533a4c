//! Plays the incident against the clients.

use evenkeel::Upstream;
use evenkeel_testkit::{
    Metrics,
    scenario::{Harness, Report},
};
use tokio::time::Instant;

pub(crate) use evenkeel::BoxError;

use super::{
    breaker_log::{BreakerChange, BreakerLog, RunStart},
    clients::{self, NAMES},
    live,
    plan::RunPlan,
    progress::Bars,
    virtual_time,
};

/// The providers of one client and its transport to them.
pub(crate) struct ClientEnvironment<U> {
    pub(crate) harness: Harness,
    pub(crate) transport: U,
    /// The URL of the secondary.
    pub(crate) secondary: String,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct RunResult {
    /// The plan of the run.
    pub(crate) plan: RunPlan,
    /// The figures of the four clients.
    pub(crate) report: Report,
    /// The state changes of the breakers of `evenkeel` and `steps`.
    pub(crate) changes: Vec<BreakerChange>,
}

/// The result of one client.
pub(crate) struct ClientResult {
    pub(crate) figures: Metrics,
    /// The state changes of the breakers of the client; empty where it has none.
    pub(crate) changes: Vec<BreakerChange>,
}

/// Plays the incident against all four clients at once.
pub(crate) fn all_clients(plan: &RunPlan, bars: &Bars) -> Result<RunResult, BoxError> {
    let results = match plan.live {
        true => live::play(plan, bars)?,
        false => virtual_time::play(plan, bars)?,
    };
    let (clients, changes): (Vec<_>, Vec<_>) =
        results.into_iter().map(|result| (result.figures, result.changes)).unzip();
    let report = plan.scenario().report(clients);
    Ok(RunResult { plan: plan.clone(), report, changes: changes.concat() })
}

/// Plays the incident against one client.
pub(crate) async fn one_client<U: Upstream>(
    plan: &RunPlan,
    name: &str,
    environment: ClientEnvironment<U>,
    bars: &Bars,
) -> Result<ClientResult, BoxError> {
    let ClientEnvironment { harness, transport, secondary } = environment;
    let scenario = plan.scenario().on_progress(bars.on_progress(name));
    let setting = plan.setting();
    let without_breaker = |figures| ClientResult { figures, changes: Vec::new() };
    if name == NAMES[0] {
        return Ok(without_breaker(scenario.play(name, &harness, clients::plain(transport)).await));
    }
    if name == NAMES[1] {
        let client = clients::retries(transport, setting);
        return Ok(without_breaker(scenario.play(name, &harness, client).await));
    }
    let log = BreakerLog::default();
    let observer = log.clone();
    let client = match name == NAMES[2] {
        true if plan.alone => clients::alone(transport, setting, observer),
        true => clients::evenkeel(transport, &secondary, setting, observer),
        false => clients::steps(transport, &secondary, setting, observer),
    }?;
    let start = RunStart { at: Instant::now(), scale: setting.scale };
    let figures = scenario.play(name, &harness, client).await;
    let changes = log.changes(name, start, harness.url());
    Ok(ClientResult { figures, changes })
}
