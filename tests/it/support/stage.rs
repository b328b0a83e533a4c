//! Two targets and a client, as a bot uses them.

use std::time::Duration;

use evenkeel::{Client, ClientBuilder};
use evenkeel_testkit::Provider;
use tokio::time::Instant;

use super::{
    bodies::Answer,
    clients::{call, over, secondary},
    events::EventLog,
    requests::chat,
};

/// A primary, a healthy secondary, and a client over both.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) primary: Provider,
    pub(crate) second: Provider,
    pub(crate) client: Client,
    pub(crate) log: EventLog,
    pub(crate) start: Instant,
}

// === impl Stage ===

impl Stage {
    pub(crate) fn new(primary: Provider) -> Self {
        Self::with(primary, Client::builder())
    }

    pub(crate) fn with(primary: Provider, builder: ClientBuilder) -> Self {
        let (second, log) = (Provider::new("secondary"), EventLog::default());
        let client = over(log.attach_to(builder.fallback(secondary())), [&primary, &second]);
        Self { primary, second, client, log, start: Instant::now() }
    }

    pub(crate) async fn ask(&self, stream: bool) -> Answer {
        call(&self.client, chat(stream)).await.unwrap()
    }

    /// The number of attempts that each of the two has received.
    pub(crate) fn attempts(&self) -> [u64; 2] {
        [self.primary.count(), self.second.count()]
    }

    /// The times of the attempts at the primary, since the start.
    pub(crate) fn times(&self) -> Vec<Duration> {
        self.primary.attempts().iter().map(|attempt| attempt.at - self.start).collect()
    }
}
