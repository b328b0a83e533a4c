//! The two embedded providers, and what can be done to them.

use std::{io, time::Duration};

use evenkeel_testkit::{Fault, Provider, Reply, Server};

use crate::answers::Topic;

/// How a provider does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Answers at once.
    #[default]
    Well,
    /// Takes long to its first word.
    Slow,
    /// Answers 503.
    Down,
    /// Takes the question and never answers.
    Silent,
    /// Breaks off in the middle of each answer.
    Cut,
}

/// A provider on a loopback socket.
pub(crate) struct Host {
    pub(crate) name: &'static str,
    pub(crate) model: &'static str,
    pub(crate) mood: Mood,
    server: Server,
    topic: &'static Topic,
}

/// The providers, in the order in which they are asked.
pub(crate) struct Shop(pub(crate) [Host; 2]);

// === impl Mood ===

impl Mood {
    /// The mood after this one, round and round.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Well => Self::Slow,
            Self::Slow => Self::Down,
            Self::Down => Self::Silent,
            Self::Silent => Self::Cut,
            Self::Cut => Self::Well,
        }
    }

    /// In words.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Slow => "slow (first word after 2 s)",
            Self::Down => "down (answers 503)",
            Self::Silent => "silent (never answers)",
            Self::Cut => "cutting its answers off",
        }
    }

    fn reply(self, text: &str) -> Reply {
        let ms = Duration::from_millis;
        let reply = Reply::answer().text(text).first_content_after(ms(300)).between_events(ms(60));
        match self {
            Self::Well => reply,
            Self::Slow => reply.first_content_after(ms(2000)),
            Self::Down => Reply::status(503),
            Self::Silent => Reply::hang(),
            Self::Cut => reply.with(Fault::Cut { words: text.split_whitespace().count() / 2 }),
        }
    }
}

// === impl Host ===

impl Host {
    async fn open(name: &'static str, model: &'static str) -> io::Result<Self> {
        let server = Server::start(Provider::new(name)).await?;
        Ok(Self { name, model, mood: Mood::Well, server, topic: Topic::of("") })
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Whether that is what a route calls it.
    pub(crate) fn is(&self, provider: &str) -> bool {
        self.server.address().to_string() == provider
    }

    /// From now on it does so.
    pub(crate) fn turn(&mut self, mood: Mood) {
        self.mood = mood;
        let text = self.topic.answer(self.model);
        self.server.provider().set(mood.reply(text));
    }
}

// === impl Shop ===

impl Shop {
    pub(crate) async fn open() -> io::Result<Self> {
        let primary = Host::open("primary", "large").await?;
        let secondary = Host::open("secondary", "small").await?;
        Ok(Self([primary, secondary]))
    }

    /// The next question will be this: an embedded model does not read, it is told.
    pub(crate) fn expect(&mut self, question: &str) {
        for host in &mut self.0 {
            host.topic = Topic::of(question);
            host.turn(host.mood);
        }
    }
}
