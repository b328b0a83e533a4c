//! The bot: sends questions through evenkeel and passes on the answers word by word.

use std::{error::Error as StdError, time::Duration};

use evenkeel::{
    Client, ConfigError, Error, Profile,
    breaker::{AnswerTimes, BreakerPolicy, Breakers},
    context::AttemptLog,
    fallback::{Fallback, Target},
    outcome::Outcome,
    retry::RetryPolicy,
    timeout::TimeoutPolicy,
};
use serde_json::json;
use tokio::{sync::mpsc, time::Instant};

use crate::{content::ContentReader, explanation, providers::Providers};

/// Sends questions to the primary. Clones share the client.
#[derive(Clone)]
pub(crate) struct Assistant {
    client: Client,
    http: reqwest::Client,
    url: String,
}

/// A part of an answer. `Explanation` is the last part.
#[derive(Debug)]
pub(crate) enum AnswerPart {
    /// The next words of the answer.
    Words(String),
    /// A message in place of the answer or of its rest.
    Apology(String),
    /// The source of the answer and the failed attempts.
    Explanation(String),
}

/// The limits of [`profile`] in words.
pub(crate) const LIMITS_TEXT: [&str; 2] = [
    "interactive profile, with limits cut to about a quarter so that they are reached within seconds:",
    "call 8 s · first word 2.5 s · silence 3 s · breaker: 3 failures, 4 s open",
];

/// The interactive profile with shorter limits, so that a user at a keyboard reaches them within seconds.
fn profile() -> Profile {
    let ms = Duration::from_millis;
    let timeout = TimeoutPolicy::new().attempt(ms(5000)).first_event(ms(2500)).idle(ms(3000));
    let breaker = BreakerPolicy::default()
        .consecutive_failures(3)
        .min_calls(4)
        .slow_after(AnswerTimes { first_event: ms(1500), whole_answer: ms(4000) })
        .open_backoff(ms(4000)..=ms(10_000))
        .probe_timeout(ms(5000))
        .ramp(ms(8000), 0.1);
    Profile::interactive()
        .deadline(ms(8000))
        .connect(ms(1000))
        .timeout(timeout)
        .retry(RetryPolicy::new().base(ms(100)).max_backoff(ms(1000)).min_attempt_time(ms(500)))
        .breaker(breaker)
}

// === impl Assistant ===

impl Assistant {
    pub(crate) fn new(providers: &Providers) -> Result<Self, Box<dyn StdError>> {
        let [primary, secondary] = &providers.0;
        // The providers are on this machine; a proxy of the environment cannot reach them.
        let http = reqwest::Client::builder().no_proxy().build()?;
        let client = Self::client(&secondary.url(), secondary.model, http.clone())?;
        Ok(Self { client, http, url: format!("{}/v1/chat/completions", primary.url()) })
    }

    fn client(secondary: &str, model: &str, http: reqwest::Client) -> Result<Client, ConfigError> {
        Client::builder()
            .profile(profile())
            .fallback(Fallback::target(Target::new(secondary).model(model)).named("secondary"))
            .fallback(Fallback::canned(
                "Sorry, I cannot look that up at the moment. A colleague will write to you today.",
            ))
            .build_with_reqwest(http)
    }

    pub(crate) fn breakers(&self) -> &Breakers {
        self.client.breakers()
    }

    /// Sends a question and passes the parts of its answer to `parts`.
    pub(crate) async fn answer(self, question: String, parts: mpsc::Sender<AnswerPart>) {
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
        // An error means that the receiver was dropped, which ends the answer.
        let _ = match request {
            Ok(request) => match self.client.execute(request).await {
                Ok(response) => self.stream(response, started, &parts).await,
                Err(error) => self.fail(&error, started, &parts).await,
            },
            Err(error) => {
                let text = format!("The request cannot be built: {error}.");
                parts.send(AnswerPart::Apology(text)).await
            }
        };
    }

    /// Passes on an answer as it arrives. A failure after the first word is reported, because the customer has seen the words.
    async fn stream(
        &self,
        mut response: reqwest::Response,
        started: Instant,
        parts: &mpsc::Sender<AnswerPart>,
    ) -> SendResult {
        let attempt_log = AttemptLog::of(response.extensions());
        let source = attempt_log.served_by().unwrap_or_else(|| "the provider".into());
        let mut explanation =
            explanation::of_answer(&attempt_log, started.elapsed(), self.breakers());
        if !response.status().is_success() {
            let status = response.status();
            let text = format!("Sorry, I cannot answer that: the provider returned {status}.");
            parts.send(AnswerPart::Apology(text)).await?;
        }
        let mut reader = ContentReader::default();
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    for words in reader.read(&bytes) {
                        parts.send(AnswerPart::Words(words)).await?;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let text = truncation_apology(&source, outcome(&error));
                    parts.send(AnswerPart::Apology(text)).await?;
                    let after = started.elapsed().as_secs_f64();
                    explanation += &format!("; the answer broke off after {after:.2} s");
                    break;
                }
            }
        }
        parts.send(AnswerPart::Explanation(explanation)).await
    }

    async fn fail(
        &self,
        error: &Error,
        started: Instant,
        parts: &mpsc::Sender<AnswerPart>,
    ) -> SendResult {
        let text = format!("Sorry, I have no answer: {error}.");
        parts.send(AnswerPart::Apology(text)).await?;
        let attempt_log = error.attempt_log().cloned().unwrap_or_default();
        let explanation = explanation::of_answer(&attempt_log, started.elapsed(), self.breakers());
        parts.send(AnswerPart::Explanation(explanation)).await
    }
}

/// An error means that the receiver was dropped.
type SendResult = Result<(), mpsc::error::SendError<AnswerPart>>;

/// The outcome in the source of an error of reqwest, if evenkeel ended the body.
fn outcome(error: &reqwest::Error) -> Option<Outcome> {
    Error::find(error).map(Error::outcome)
}

/// The message to a customer who has seen only a part of the answer.
fn truncation_apology(source: &str, outcome: Option<Outcome>) -> String {
    let reason = match outcome {
        Some(Outcome::TimedOut { .. }) => format!("{source} stopped sending in the middle"),
        Some(Outcome::Truncated) | None => format!("{source} cut it off in the middle"),
        Some(other) => format!("{source} failed in the middle ({other})"),
    };
    format!("Sorry, this answer is incomplete: {reason}. Please ask again.")
}
