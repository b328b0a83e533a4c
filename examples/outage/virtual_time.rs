//! The incident at full length, in virtual time and in process. Each client has its own thread and clock.

use std::thread;

use super::{
    clients::{NAMES, reconnecting},
    plan::RunPlan,
    play::{BoxError, ClientEnvironment, ClientResult, one_client},
    progress::Bars,
};

/// Plays the incident against all four clients at once.
pub(crate) fn play(plan: &RunPlan, bars: &Bars) -> Result<Vec<ClientResult>, BoxError> {
    thread::scope(|scope| {
        let threads = NAMES.map(|name| (name, scope.spawn(move || play_client(plan, name, bars))));
        threads
            .into_iter()
            .map(|(name, thread)| thread.join().map_err(|_| format!("{name} panicked"))?)
            .collect()
    })
}

fn play_client(plan: &RunPlan, name: &str, bars: &Bars) -> Result<ClientResult, BoxError> {
    // The breakers take their jitter from the generator of the thread.
    fastrand::seed(plan.seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let harness = plan.scenario().harness();
        let secondary = "http://secondary".into();
        if NAMES[..2].contains(&name) {
            let transport = harness.hosts();
            let environment = ClientEnvironment { harness, transport, secondary };
            return one_client(plan, name, environment, bars).await;
        }
        let transport = reconnecting(&harness);
        let environment = ClientEnvironment { harness, transport, secondary };
        one_client(plan, name, environment, bars).await
    })
}
