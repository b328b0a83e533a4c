//! What the tests of the whole share: requests, a client over providers in process, what was told, an answer read to its
//! end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Client, ClientBuilder, Error, Request, Response,
    context::AttemptLog,
    fallback::{Fallback, Target},
    outcome::{Outcome, Verdict},
    telemetry::Event,
    testkit::{Hosts, Provider},
};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use tokio::time::Instant;

pub(crate) const PRIMARY: &str = "http://primary/v1/chat/completions";

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A chat request to the primary.
pub(crate) fn chat(stream: bool) -> Request {
    let usage = if stream { r#""stream_options":{"include_usage":true},"# } else { "" };
    let body = format!(
        r#"{{"model":"m","stream":{stream},{usage}"messages":[{{"role":"user","content":"where is my parcel?"}}]}}"#
    );
    with_body(body)
}

pub(crate) fn with_body(body: impl Into<Bytes>) -> Request {
    let request = http::Request::post(PRIMARY).header("content-type", "application/json");
    request.header("authorization", "Bearer the-first-key").body(body.into()).unwrap()
}

/// The second target: another host with a model and a key of its own.
pub(crate) fn secondary() -> Fallback {
    Fallback::target(Target::new("http://secondary/v1").bearer("the-second-key").model("spare"))
}

/// What a client told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<(Instant, Event)>>>);

impl Told {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().iter().map(|(_, event)| event.clone()).collect()
    }

    /// When attempts met a rate limit.
    pub(crate) fn limited_at(&self) -> Vec<Instant> {
        let told = self.0.lock().unwrap();
        let limited = told.iter().filter(|(_, event)| match event {
            Event::AttemptEnded { verdict, .. } => {
                matches!(verdict.outcome(), Outcome::RateLimited { .. })
            }
            _ => false,
        });
        limited.map(|(at, _)| *at).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.events().iter().map(name).collect()
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.names().iter().filter(|told| *told == name).count()
    }

    pub(crate) fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(crate) fn listen(&self, builder: ClientBuilder) -> ClientBuilder {
        let told = self.0.clone();
        builder.observe(move |event: &Event| {
            told.lock().unwrap().push((Instant::now(), event.clone()))
        })
    }
}

/// The name of an event.
pub(crate) fn name(event: &Event) -> String {
    let text = format!("{event:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// A client over providers, each at the host of its name.
pub(crate) fn over<const N: usize>(builder: ClientBuilder, providers: [&Provider; N]) -> Client {
    builder.over(Hosts::new(providers.map(Clone::clone))).unwrap()
}

/// A primary and a secondary at the hosts of their names.
pub(crate) fn pair() -> (Provider, Provider) {
    (Provider::new("primary"), Provider::new("secondary"))
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) frames: Vec<Bytes>,
    pub(crate) error: Option<Error>,
    pub(crate) attempt_log: Option<AttemptLog>,
    pub(crate) verdict: Option<Verdict>,
}

impl Answer {
    pub(crate) fn bytes(&self) -> Bytes {
        self.frames.concat().into()
    }

    /// Who answered.
    pub(crate) fn from(&self) -> &str {
        let rung = self.headers.get("x-served-by").or(self.headers.get("evenkeel-rung"));
        rung.map_or("nobody", |name| name.to_str().unwrap())
    }

    /// Its words.
    pub(crate) fn words(&self) -> String {
        words(std::str::from_utf8(&self.bytes()).unwrap())
    }

    /// That this is the whole text of a good answer, and nothing else.
    #[track_caller]
    pub(crate) fn is_whole(&self) {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!(self.status, 200, "{:?}", self.attempt_log);
        assert_eq!(self.words(), evenkeel::testkit::WORDS);
    }
}

/// The words of an answer, streamed or not.
pub(crate) fn words(text: &str) -> String {
    let parts = text.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
    let values = parts.filter_map(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    let words = values.filter_map(|value| {
        let choice = value["choices"].get(0)?;
        let piece = choice.get("delta").or(choice.get("message"))?;
        Some(piece["content"].as_str()?.to_owned())
    });
    words.collect()
}

/// Reads an answer to its end.
pub(crate) async fn read(response: Response) -> Answer {
    let (head, mut body) = response.into_parts();
    let mut answer = Answer {
        status: head.status,
        headers: head.headers,
        frames: Vec::new(),
        error: None,
        attempt_log: head.extensions.get().cloned(),
        verdict: head.extensions.get().cloned(),
    };
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => answer.frames.extend(frame.into_data().ok()),
            Err(error) => {
                answer.error = Some(error);
                break;
            }
        }
    }
    answer
}

/// One call, and its whole answer.
pub(crate) async fn call(client: &Client, request: Request) -> Result<Answer, Error> {
    Ok(read(client.send(request).await?).await)
}

/// Keeps every event and span of `tracing` switched on: what a thread without a listener meets first would else be switched off
/// for all of them.
pub(crate) fn listen_everywhere() {
    static ALWAYS: std::sync::Once = std::sync::Once::new();
    let everywhere = || tracing::subscriber::set_global_default(tracing_subscriber::registry());
    ALWAYS.call_once(|| everywhere().expect("nobody else sets it"));
}
