//! The day at full length, in virtual time, in process: each client on a thread and a clock of its own.

use std::thread;

use super::{
    clients::{NAMES, reconnecting},
    plan::Plan,
    play::{Failure, Part, Place, one},
    progress::Bars,
};

/// Plays all four clients at once.
pub(crate) fn play(plan: &Plan, bars: &Bars) -> Result<Vec<Part>, Failure> {
    thread::scope(|scope| {
        let threads = NAMES.map(|name| (name, scope.spawn(move || client(plan, name, bars))));
        threads
            .into_iter()
            .map(|(name, thread)| thread.join().map_err(|_| format!("{name} panicked"))?)
            .collect()
    })
}

fn client(plan: &Plan, name: &str, bars: &Bars) -> Result<Part, Failure> {
    // The breakers draw their jitter from the thread's own generator.
    fastrand::seed(plan.seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let stage = plan.drill().stage();
        let secondary = "http://secondary".into();
        if NAMES[..2].contains(&name) {
            let transport = stage.hosts();
            return one(plan, name, Place { stage, transport, secondary }, bars).await;
        }
        let transport = reconnecting(&stage);
        one(plan, name, Place { stage, transport, secondary }, bars).await
    })
}
