//! The task that reads the configuration again.

use std::{
    fmt,
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use evenkeel::config::Config;
use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    changes::Changes,
    current::Current,
    file_watch::{Content, FileWatch},
    hangup::Hangup,
};
use crate::{
    config_file,
    options::Options,
    setup::{Setup, SetupSource},
};

/// Where a configuration comes from, and the one that is in use.
#[derive(Clone)]
pub(crate) struct Source {
    options: Options,
    config: Config,
    /// The text of the file when the configuration was built.
    text: Option<String>,
    env: Arc<Env>,
    every: Duration,
}

/// Looks up a variable of the environment.
type Env = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The task.
struct Reloader {
    source: Source,
    path: PathBuf,
    watch: FileWatch,
    current: Current,
}

/// The time between two reads.
const EVERY: Duration = Duration::from_secs(1);
/// On a request: the time between two reads, and the most reads.
const AGAIN: Duration = Duration::from_millis(50);
const MOST_READS: usize = 20;

/// Watches the file of the command line, if there is one, as long as the runtime runs. Asks for one more read come through the
/// returned sender, as by SIGHUP.
pub(crate) fn start(source: Source, current: Current) -> mpsc::Sender<()> {
    let (ask, asked) = mpsc::channel(1);
    // Without a file there is nothing to read, and the end of a terminal ends what was started in it.
    let listens = source.options.config.is_some() || !std::io::stderr().is_terminal();
    let hangup = if listens { Hangup::new() } else { Hangup::default() };
    tokio::spawn(run(source, current, hangup, asked));
    ask
}

// === impl Source ===

impl Source {
    /// The source of that setup, with the environment of the process.
    pub(crate) fn new(setup: &Setup) -> Self {
        Self::with(setup, |name| std::env::var(name).ok())
    }

    pub(crate) fn with(
        setup: &Setup,
        env: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let (options, config) = (setup.options.clone(), setup.config.clone());
        Self { options, config, text: setup.text.clone(), env: Arc::new(env), every: EVERY }
    }

    /// Reads the file that often.
    #[cfg(test)]
    pub(crate) fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("options", &self.options).finish_non_exhaustive()
    }
}

async fn run(source: Source, current: Current, mut hangup: Hangup, mut asked: mpsc::Receiver<()>) {
    let mut every = interval(source.every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reloader = Reloader::new(source, current);
    loop {
        let on_request = tokio::select! {
            () = hangup.next() => true,
            Some(()) = asked.recv() => true,
            _ = every.tick() => false,
        };
        match (&mut reloader, on_request) {
            (Some(reloader), true) => reloader.on_request().await,
            (Some(reloader), false) => reloader.on_tick().await,
            (None, true) => tracing::warn!("nothing is read again: there is no --config"),
            (None, false) => {}
        }
    }
}

// === impl Reloader ===

impl Reloader {
    /// A reloader of the file of the command line. `None`: it names none.
    fn new(mut source: Source, current: Current) -> Option<Self> {
        let path = source.options.config.clone()?;
        let watch = FileWatch::new(Ok(source.text.take()?));
        Some(Self { source, path, watch, current })
    }

    /// Takes the file if it has changed.
    async fn on_tick(&mut self) {
        let content = read(&self.path).await;
        if let Some(content) = self.watch.read(content).cloned() {
            self.load(content).await;
        }
    }

    /// Takes the file as it is, once two reads in a row agree.
    async fn on_request(&mut self) {
        let mut content = read(&self.path).await;
        for _ in 1..MOST_READS {
            sleep(AGAIN).await;
            let again = read(&self.path).await;
            if std::mem::replace(&mut content, again) == content {
                break;
            }
        }
        let content = self.watch.take(content).clone();
        self.load(content).await;
    }

    /// Builds a gateway of that content and lets it answer; or logs why it cannot.
    async fn load(&mut self, content: Content) {
        let (source, current) = (self.source.clone(), self.current.clone());
        // Reading key files and building take their time.
        let loaded = spawn_blocking(move || source.load(content?, &current)).await;
        match loaded.unwrap_or_else(|_| Err("it could not be built; this is a bug".to_owned())) {
            Ok(config) => {
                let changes = Changes::between(&self.source.config, &config);
                tracing::info!("the configuration is read again; {}", changes.shown());
                changes.only_at_start().for_each(|key| {
                    tracing::warn!("{key} is changed only by a restart");
                });
                self.source.config = config;
            }
            Err(error) => {
                tracing::error!("the configuration is refused, the one before stays: {error}");
                self.current.refuse(error);
            }
        }
    }
}

// === impl Source ===

impl Source {
    /// Replaces the gateway by one of that text, with the same state. The error is one line.
    fn load(&self, text: String, current: &Current) -> Result<Config, String> {
        let before = current.gateway();
        let setup = Setup::of(SetupSource {
            options: self.options.clone(),
            text: Some(text),
            env: &*self.env,
            before: Some(&before),
        })?;
        current.replace(setup.gateway);
        Ok(setup.config)
    }
}

/// The text of the file now. It may be on a file system of the network.
async fn read(path: &Path) -> Content {
    let path = path.to_owned();
    let read = spawn_blocking(move || config_file::read(&path)).await;
    read.unwrap_or_else(|_| Err("it could not be read".to_owned()))
}
