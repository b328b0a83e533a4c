//! Requests to shut down, and the kill switch of chaos.

use std::io;

use tokio::sync::mpsc;

/// One item for each request to shut down.
pub(crate) type Shutdown = mpsc::Receiver<()>;

/// SIGTERM and SIGINT as requests to shut down.
#[cfg(unix)]
pub(crate) fn signals() -> io::Result<Shutdown> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (request, shutdown) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
            if request.send(()).await.is_err() {
                break;
            }
        }
    });
    Ok(shutdown)
}

/// Ctrl-C as a request to shut down.
#[cfg(not(unix))]
pub(crate) fn signals() -> io::Result<Shutdown> {
    let (request, shutdown) = mpsc::channel(4);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() && request.send(()).await.is_ok() {}
    });
    Ok(shutdown)
}

/// Calls `stop` at each SIGUSR2, whose default would be to end the process.
#[cfg(unix)]
pub(crate) fn on_kill_switch(stop: impl Fn() + Send + 'static) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut kill = signal(SignalKind::user_defined2())?;
    tokio::spawn(async move {
        while kill.recv().await.is_some() {
            stop();
        }
    });
    Ok(())
}

/// There is no such signal.
#[cfg(not(unix))]
pub(crate) fn on_kill_switch(_: impl Fn() + Send + 'static) -> io::Result<()> {
    Ok(())
}
