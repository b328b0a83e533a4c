//! Two embedded providers, and the ways in which they fail.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

#[cfg(test)]
use evenkeel_testkit::Hosts;
use evenkeel_testkit::{Fault, Provider, Reply, Server};
use serde::{Deserialize, Serialize};

use crate::{language::Language, providers::Endpoint};

/// What a provider does with requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Answers without delay.
    #[default]
    Healthy,
    /// Sends the first word after 3 s.
    Slow,
    /// Answers every request with 503.
    Down,
    /// Accepts requests and never answers.
    Silent,
    /// Breaks off each answer in the middle.
    Cut,
}

/// A provider of the testkit.
pub(crate) struct EmbeddedProvider {
    model: &'static str,
    url: String,
    provider: Provider,
    /// Serves the provider until it is dropped; `None` in process.
    server: Option<Server>,
    mode: Mode,
    language: Language,
}

/// The primary and the backup, in this order.
pub(crate) struct EmbeddedProviders(Mutex<[EmbeddedProvider; 2]>);

// === impl Mode ===

impl Mode {
    fn reply(self, text: &str) -> Reply {
        let ms = Duration::from_millis;
        let reply = Reply::answer().text(text).first_content_after(ms(300)).between_events(ms(60));
        match self {
            Self::Healthy => reply,
            Self::Slow => reply.first_content_after(ms(3000)),
            Self::Down => Reply::status(503),
            Self::Silent => Reply::hang(),
            Self::Cut => reply.with(Fault::Cut { words: text.split_whitespace().count() / 2 }),
        }
    }
}

// === impl EmbeddedProvider ===

impl EmbeddedProvider {
    fn new(name: &str, model: &'static str) -> Self {
        let (provider, url) = (Provider::new(name), format!("http://{name}"));
        let (mode, language) = (Mode::default(), Language::default());
        let mut new = Self { model, url, provider, server: None, mode, language };
        new.apply();
        new
    }

    fn both() -> [Self; 2] {
        [Self::new("primary", "large"), Self::new("backup", "small")]
    }

    async fn on_socket(mut self) -> io::Result<Self> {
        let server = Server::start(self.provider.clone()).await?;
        self.url = server.url();
        self.server = Some(server);
        Ok(self)
    }

    fn is_at(&self, address: &str) -> bool {
        self.url.strip_prefix("http://") == Some(address)
    }

    /// Sets the replies to all requests from now on.
    fn apply(&mut self) {
        self.provider.set(self.mode.reply(self.language.embedded_answer(self.model)));
    }
}

// === impl EmbeddedProviders ===

impl EmbeddedProviders {
    /// Providers without sockets, at `http://primary` and `http://backup` of [`hosts`](Self::hosts): for tests in virtual time.
    #[cfg(test)]
    pub(crate) fn in_process() -> Self {
        Self(Mutex::new(EmbeddedProvider::both()))
    }

    pub(crate) async fn on_sockets() -> io::Result<Self> {
        let [primary, backup] = EmbeddedProvider::both();
        Ok(Self(Mutex::new([primary.on_socket().await?, backup.on_socket().await?])))
    }

    pub(crate) fn endpoints(&self) -> [Endpoint; 2] {
        let both = self.lock();
        [&both[0], &both[1]].map(|one| Endpoint {
            url: one.url.clone(),
            model: one.model.into(),
            key: None,
        })
    }

    /// The providers, which count their attempts.
    #[cfg(test)]
    pub(crate) fn providers(&self) -> [Provider; 2] {
        self.lock().each_ref().map(|one| one.provider.clone())
    }

    /// The transport in process.
    #[cfg(test)]
    pub(crate) fn hosts(&self) -> Hosts {
        Hosts::new(self.lock().iter().map(|one| one.provider.clone()))
    }

    /// Sets the mode of the provider at that address. Returns whether there is one.
    pub(crate) fn set_mode(&self, address: &str, mode: Mode) -> bool {
        let mut both = self.lock();
        let Some(one) = both.iter_mut().find(|one| one.is_at(address)) else { return false };
        one.mode = mode;
        one.apply();
        true
    }

    /// The mode of the provider at that address.
    pub(crate) fn mode(&self, address: &str) -> Option<Mode> {
        self.lock().iter().find(|one| one.is_at(address)).map(|one| one.mode)
    }

    /// Sets the language of the next answers, because the embedded providers do not read the questions.
    pub(crate) fn set_language(&self, language: Language) {
        for one in self.lock().iter_mut() {
            one.language = language;
            one.apply();
        }
    }

    /// No code panics under the lock, and the providers stay usable if one does.
    fn lock(&self) -> MutexGuard<'_, [EmbeddedProvider; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
