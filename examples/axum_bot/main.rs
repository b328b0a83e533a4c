//! A customer-service bot as a web server, with a chat page: `cargo run --example axum_bot`.
//!
//! The answer is streamed to the browser word by word. When the provider fails, a second model answers; when both fail, the
//! visitor gets a canned reply in their language. The page marks such answers, shows the routes and their breakers, and can
//! take the embedded providers down. Without configuration the example needs no API key; `--help` shows how to use a real provider.
//!
//! | concern | file |
//! |---|---|
//! | evenkeel: targets, fallbacks, the request | `assistant` |
//! | one answer: from the call to the parts that the page gets | `reply`, `content`, `errors` |
//! | the server: routes, the question, the live status | `app`, `ask`, `status` |
//! | the texts for visitors | `language`, `page.html` |
//! | the providers: of the environment, or embedded ones that fail on request | `options`, `providers`, `embedded` |

mod app;
mod ask;
mod assistant;
mod content;
mod embedded;
mod errors;
mod language;
mod options;
mod providers;
mod reply;
mod status;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    io::{self, ErrorKind},
    net::Ipv4Addr,
    process::ExitCode,
    time::Duration,
};

use app::{App, BoxError, router};
use options::{HELP, Options};
use providers::Providers;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    time::{sleep, timeout},
};

/// The time that answers in progress have after a stop.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::read(std::env::args_os().skip(1), |name| std::env::var(name).ok())
    {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(line) => {
            eprintln!("axum_bot: {line}");
            return ExitCode::from(2);
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("axum_bot: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), BoxError> {
    // evenkeel logs what operators need: it has no text of a visitor and no key.
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).init();
    let listener = listen(options.port).await?;
    let providers = match options.endpoints {
        Some(endpoints) => Providers::of(endpoints),
        None => Providers::embedded().await?,
    };
    let client = assistant::client(&providers)?;
    println!("{}", providers.describe());
    println!("The bot is at http://{} (Ctrl+C stops it)", listener.local_addr()?);
    serve(listener, App::new(client, providers), stop(options.stop_after)).await
}

/// Loopback only: the page has controls that are not for the public.
async fn listen(port: u16) -> Result<TcpListener, BoxError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            format!("port {port} is in use; --port sets another, 0 a free one").into()
        }
        _ => format!("port {port}: {error}").into(),
    })
}

/// Serves until `stop`, then ends the answers in progress, within [`GRACE`].
async fn serve(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), BoxError> {
    let (stopping, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(app)).with_graceful_shutdown(async move {
        stop.await;
        // The receiver is dropped only with the server.
        let _ = stopping.send(());
    });
    let mut server = std::pin::pin!(server.into_future());
    tokio::select! {
        result = &mut server => return Ok(result?),
        _ = stopped => println!("Stopping: answers in progress have {} s", GRACE.as_secs()),
    }
    match timeout(GRACE, server).await {
        Ok(result) => Ok(result?),
        // What is left is cut off when the server is dropped.
        Err(_) => Ok(()),
    }
}

/// Waits for Ctrl+C, or for the time after which the bot stops by itself.
async fn stop(after: Option<Duration>) {
    let elapsed = async {
        match after {
            Some(after) => sleep(after).await,
            None => std::future::pending().await,
        }
    };
    let interrupted = async {
        // Without a handler for the signal the bot stops only by `--for`, or when it is killed.
        let result: io::Result<()> = tokio::signal::ctrl_c().await;
        if result.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = elapsed => {}
        () = interrupted => {}
    }
}
