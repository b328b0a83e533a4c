//! The bot: asks through evenkeel, and hands on the answer word by word.

use std::{error::Error as StdError, time::Duration};

use evenkeel::{
    Client, ConfigError, Error, Profile,
    breaker::{BreakerPolicy, Breakers},
    context::AttemptLog,
    fallback::{Fallback, Target},
    outcome::Outcome,
    retry::RetryPolicy,
    timeout::TimeoutPolicy,
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use crate::{shop::Shop, why};

/// Asks. Clones share everything.
#[derive(Clone)]
pub(crate) struct Assistant {
    client: Client,
    http: reqwest::Client,
    url: String,
}

/// What comes of a question, piece by piece: `Why` is the last.
#[derive(Debug)]
pub(crate) enum Said {
    /// The next words of the answer.
    Words(String),
    /// There is no answer, or not all of it.
    Sorry(String),
    /// Who answered, and why.
    Why(String),
}

/// The words of a stream, whatever pieces it comes in.
#[derive(Default)]
struct Words(Vec<u8>);

/// The limits in [`profile`], for the screen.
pub(crate) const LIMITS: [&str; 2] = [
    "interactive profile, limits cut to a quarter so that you see them at work:",
    "call 8 s · first word 2.5 s · silence 3 s · breaker: 3 failures, 4 s open",
];

/// The interactive profile, scaled down so that one person at a keyboard sees what it does within seconds.
fn profile() -> Profile {
    let ms = Duration::from_millis;
    let timeout = TimeoutPolicy::new().attempt(ms(5000)).first_event(ms(2500)).idle(ms(3000));
    let breaker = BreakerPolicy::default()
        .consecutive(3)
        .minimum(4)
        .slow_after(ms(1500), ms(4000))
        .open_for(ms(4000), ms(10_000))
        .probe_limit(ms(5000))
        .recover(ms(8000), 0.1);
    Profile::interactive()
        .deadline(ms(8000))
        .connect(ms(1000))
        .timeout(timeout)
        .retry(RetryPolicy::new().base(ms(100)).cap(ms(1000)).least(ms(500)))
        .breaker(breaker)
}

// === impl Assistant ===

impl Assistant {
    pub(crate) fn new(shop: &Shop) -> Result<Self, Box<dyn StdError>> {
        let [primary, secondary] = &shop.0;
        // Nothing stands between us and a provider on this machine.
        let http = reqwest::Client::builder().no_proxy().build()?;
        let client = Self::client(&secondary.url(), secondary.model, http.clone())?;
        Ok(Self { client, http, url: format!("{}/v1/chat/completions", primary.url()) })
    }

    fn client(second: &str, model: &str, http: reqwest::Client) -> Result<Client, ConfigError> {
        Client::builder()
            .profile(profile())
            .fallback(Fallback::target(Target::new(second).model(model)).named("secondary"))
            .fallback(Fallback::canned(
                "Sorry, I cannot look that up at the moment. A colleague will write to you today.",
            ))
            .with_reqwest(http)
    }

    pub(crate) fn breakers(&self) -> &Breakers {
        self.client.breakers()
    }

    /// Asks, and says what comes of it.
    pub(crate) async fn answer(self, question: String, say: mpsc::Sender<Said>) {
        let started = Instant::now();
        let body = json!({
            "model": "large",
            "stream": true,
            "messages": [
                { "role": "system", "content": "You answer the customers of a shop." },
                { "role": "user", "content": question },
            ],
        });
        let request = self.http.post(&self.url).body(body.to_string()).build();
        // A listener that is gone wants to hear no more.
        let _ = match request {
            Ok(request) => match self.client.execute(request).await {
                Ok(response) => self.stream(response, started, &say).await,
                Err(error) => self.fail(&error, started, &say).await,
            },
            Err(error) => say.send(Said::Sorry(format!("No request can be made: {error}."))).await,
        };
    }

    /// Hands on an answer as it comes. From its first word on it is the customer's: a failure is told, not hidden.
    async fn stream(
        &self,
        mut response: reqwest::Response,
        started: Instant,
        say: &mpsc::Sender<Said>,
    ) -> Sent {
        let attempt_log = AttemptLog::of(response.extensions());
        let rung = attempt_log.rung().unwrap_or_else(|| "the provider".into());
        let mut why = why::answered(&attempt_log, started.elapsed(), self.breakers());
        if !response.status().is_success() {
            let status = response.status();
            say.send(Said::Sorry(format!(
                "Sorry, I cannot answer that: the provider says {status}."
            )))
            .await?;
        }
        let mut words = Words::default();
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    for word in words.read(&bytes) {
                        say.send(Said::Words(word)).await?;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    say.send(Said::Sorry(sorry(&rung, outcome(&error)))).await?;
                    why +=
                        &format!("; it broke off after {:.2} s", started.elapsed().as_secs_f64());
                    break;
                }
            }
        }
        say.send(Said::Why(why)).await
    }

    async fn fail(&self, error: &Error, started: Instant, say: &mpsc::Sender<Said>) -> Sent {
        say.send(Said::Sorry(format!("Sorry, I have no answer: {error}."))).await?;
        let attempt_log = error.attempt_log().cloned().unwrap_or_default();
        say.send(Said::Why(why::answered(&attempt_log, started.elapsed(), self.breakers()))).await
    }
}

type Sent = Result<(), mpsc::error::SendError<Said>>;

/// What evenkeel says of the end of a body, underneath what reqwest says of it.
fn outcome(error: &reqwest::Error) -> Option<Outcome> {
    Error::find(error).map(Error::outcome)
}

fn sorry(rung: &str, outcome: Option<Outcome>) -> String {
    let what = match outcome {
        Some(Outcome::TimedOut { .. }) => format!("{rung} fell silent in the middle of it"),
        Some(Outcome::Truncated) | None => format!("{rung} cut it off in the middle"),
        Some(other) => format!("{rung} failed in the middle of it ({other})"),
    };
    format!("Sorry, this answer is not whole: {what}. Please ask again.")
}

// === impl Words ===

impl Words {
    /// The words in all events that are complete by now.
    fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        self.0.extend_from_slice(bytes);
        let whole = self.0.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.0.drain(..whole).collect();
        let events =
            lines.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: "));
        let text = |data: &[u8]| {
            let event: Value = serde_json::from_slice(data).ok()?;
            event["choices"][0]["delta"]["content"].as_str().map(String::from)
        };
        events.filter_map(text).filter(|text| !text.is_empty()).collect()
    }
}
