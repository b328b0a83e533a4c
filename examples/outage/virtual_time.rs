//! The day at full length, in virtual time, in process: each client on a thread and a clock of its own.

use std::thread;

use evenkeel::testkit::{Drill, Figures};

use crate::clients;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Plays all three clients at once.
pub(crate) fn play(drill: &Drill) -> Result<Vec<Figures>, Failure> {
    thread::scope(|scope| {
        let threads = ["plain", "retries", "evenkeel"]
            .map(|name| (name, scope.spawn(move || client(drill, name))));
        threads
            .into_iter()
            .map(|(name, thread)| thread.join().map_err(|_| format!("{name} panicked"))?)
            .collect()
    })
}

fn client(drill: &Drill, name: &str) -> Result<Figures, Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let stage = drill.stage();
        let t = std::time::SystemTime::now();
        let r = Ok(match name {
            "plain" => drill.play(name, &stage, clients::plain(stage.hosts())).await,
            "retries" => drill.play(name, &stage, clients::retries(stage.hosts(), 1.0, 1)).await,
            _ => {
                let client = clients::evenkeel(stage.hosts(), "http://secondary", 1.0, |_: &_| ())?;
                drill.play(name, &stage, client).await
            }
        });
        eprintln!("{name} {:?}", t.elapsed());
        r
    })
}
