//! The two embedded providers and their failure modes.

use std::{io, time::Duration};

use evenkeel_testkit::{Fault, Provider, Reply, Server};

use crate::answers::Topic;

/// The mode of a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ProviderMode {
    /// Answers without delay.
    #[default]
    Healthy,
    /// Sends the first word after 2 s.
    Slow,
    /// Answers every request with 503.
    Down,
    /// Accepts requests and never answers.
    Silent,
    /// Cuts off each answer in the middle.
    Truncating,
}

/// A provider on a loopback socket.
pub(crate) struct EmbeddedProvider {
    pub(crate) name: &'static str,
    pub(crate) model: &'static str,
    pub(crate) mode: ProviderMode,
    server: Server,
    /// The topic of the next question.
    topic: &'static Topic,
}

/// The primary and the secondary, in this order.
pub(crate) struct Providers(pub(crate) [EmbeddedProvider; 2]);

/// One of the two providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProviderRole {
    Primary,
    Secondary,
}

// === impl ProviderMode ===

impl ProviderMode {
    /// The next mode. The last mode is followed by the first.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Healthy => Self::Slow,
            Self::Slow => Self::Down,
            Self::Down => Self::Silent,
            Self::Silent => Self::Truncating,
            Self::Truncating => Self::Healthy,
        }
    }

    /// The mode in words.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Slow => "slow (first word after 2 s)",
            Self::Down => "down (answers 503)",
            Self::Silent => "silent (never answers)",
            Self::Truncating => "truncating its answers",
        }
    }

    /// The reply of a provider in this mode.
    fn reply(self, text: &str) -> Reply {
        let ms = Duration::from_millis;
        let reply = Reply::answer().text(text).first_content_after(ms(300)).between_events(ms(60));
        match self {
            Self::Healthy => reply,
            Self::Slow => reply.first_content_after(ms(2000)),
            Self::Down => Reply::status(503),
            Self::Silent => Reply::hang(),
            Self::Truncating => {
                reply.with(Fault::Cut { words: text.split_whitespace().count() / 2 })
            }
        }
    }
}

// === impl EmbeddedProvider ===

impl EmbeddedProvider {
    async fn start(name: &'static str, model: &'static str) -> io::Result<Self> {
        let server = Server::start(Provider::new(name)).await?;
        Ok(Self { name, model, mode: ProviderMode::Healthy, server, topic: Topic::of("") })
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The provider, which counts its attempts.
    #[cfg(test)]
    pub(crate) fn provider(&self) -> &Provider {
        self.server.provider()
    }

    /// Whether `provider`, the name in a route, is the address of this provider.
    pub(crate) fn has_address(&self, provider: &str) -> bool {
        self.server.address().to_string() == provider
    }

    /// Sets the mode for all requests from now on.
    pub(crate) fn set_mode(&mut self, mode: ProviderMode) {
        self.mode = mode;
        let text = self.topic.answer(self.model);
        self.server.provider().set(mode.reply(text));
    }
}

// === impl Providers ===

impl Providers {
    pub(crate) async fn start() -> io::Result<Self> {
        let primary = EmbeddedProvider::start("primary", "large").await?;
        let secondary = EmbeddedProvider::start("secondary", "small").await?;
        Ok(Self([primary, secondary]))
    }

    /// The provider of that role.
    pub(crate) fn get_mut(&mut self, role: ProviderRole) -> &mut EmbeddedProvider {
        let [primary, secondary] = &mut self.0;
        match role {
            ProviderRole::Primary => primary,
            ProviderRole::Secondary => secondary,
        }
    }

    /// Prepares the answers to the next question, because the embedded models do not read the requests.
    pub(crate) fn prepare_answers(&mut self, question: &str) {
        for provider in &mut self.0 {
            provider.topic = Topic::of(question);
            provider.set_mode(provider.mode);
        }
    }
}
