//! One simulated day: a provider whose answers are drawn for each call and attempt, its traffic, and the result of each call.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::{
    Body, BoxError, Error, Request, Response, Upstream, context::Deadline, outcome::Outcome,
};
use fastrand::Rng;
use http_body_util::BodyExt;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tower::{Service, ServiceExt, service_fn};

use crate::support::{in_virtual_time, ms};

/// One attempt, as the provider sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) call: u64,
    /// 0 for the first attempt of a call.
    pub(crate) nth: u32,
    /// The time of the day.
    pub(crate) at: Duration,
}

/// The provider's reaction to an attempt, after a time.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Answers(Duration),
    Status(u16, Duration),
    /// 429, with a wait in seconds or without.
    Limited(Option<u64>),
    /// A status with its own body.
    Says(u16, &'static str),
    /// The connection is lost after the request was sent.
    Loses(Duration),
    Hangs,
}

type Does = Arc<dyn Fn(Attempt) -> Act + Send + Sync>;

/// A provider. Clones are the same provider.
#[derive(Clone)]
pub(crate) struct World {
    does: Does,
    start: Instant,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    attempts: HashMap<u64, u32>,
    in_flight: usize,
    most: Vec<(Duration, usize)>,
}

/// Calls at random times, as of many people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    /// Calls a second.
    pub(crate) rate: f64,
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    /// The number of the first call.
    pub(crate) from: u64,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Got {
    /// The answer from that host.
    Answer(String),
    Status(u16),
    /// Refused by evenkeel's own breaker, limit or budget.
    Refused,
    /// An error of evenkeel.
    Failed(Outcome),
    /// An error of another kind, with its text.
    FailedElsewhere(String),
    /// No result within the caller's time.
    Nothing,
}

/// A call and its result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Came {
    pub(crate) call: u64,
    pub(crate) at: Duration,
    pub(crate) got: Got,
}

/// The caller's time where no other is set.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const NUMBER: &str = "x-call";
const HOST: &str = "x-from";

// === impl World ===

impl World {
    pub(crate) fn new(does: impl Fn(Attempt) -> Act + Send + Sync + 'static) -> Self {
        Self { does: Arc::new(does), start: Instant::now(), seen: Arc::default() }
    }

    /// Fails that share of the attempts with 503, each independently; answers the rest. Either takes 0.3 s.
    pub(crate) fn failing(share: f64, seed: u64) -> Self {
        Self::new(move |it| match draw(seed, it) < share {
            true => Act::Status(503, ms(300)),
            false => Act::Answers(ms(300)),
        })
    }

    /// The transport to it.
    pub(crate) fn transport(&self) -> impl Upstream + use<> {
        let world = self.clone();
        service_fn(move |request: Request| world.clone().answer(request))
    }

    /// The number of attempts received.
    pub(crate) fn count(&self) -> u64 {
        let seen = self.seen.lock().unwrap();
        seen.attempts.values().map(|count| u64::from(*count)).sum()
    }

    /// The first time of the day, from `from` on, with that many attempts in progress.
    pub(crate) fn first_with(&self, in_flight: usize, from: Duration) -> Option<Duration> {
        let seen = self.seen.lock().unwrap();
        let enough = |(at, number): &&(Duration, usize)| *at >= from && *number >= in_flight;
        seen.most.iter().find(enough).map(|(at, _)| *at)
    }

    /// The time of the day.
    pub(crate) fn time(&self) -> Duration {
        self.start.elapsed()
    }

    async fn answer(self, request: Request) -> Result<Response, Error> {
        let host = name(&request);
        let _under_way = UnderWay(self.seen.clone());
        match (self.does)(self.begin(&request)) {
            Act::Answers(after) => {
                sleep(after).await;
                Ok(response(200, &host, whole(&request)))
            }
            Act::Status(status, after) => {
                sleep(after).await;
                Ok(response(status, &host, r#"{"error":{"message":"no"}}"#))
            }
            Act::Limited(hint) => {
                sleep(ms(100)).await;
                let mut response = response(429, &host, LIMITED);
                if let Some(hint) = hint {
                    response.headers_mut().insert("retry-after", hint.into());
                }
                Ok(response)
            }
            Act::Says(status, text) => {
                sleep(ms(100)).await;
                Ok(response(status, &host, text))
            }
            Act::Loses(after) => {
                sleep(after).await;
                Err(Error::new(Outcome::ConnectionLost))
            }
            Act::Hangs => std::future::pending().await,
        }
    }

    fn begin(&self, request: &Request) -> Attempt {
        let number = request.headers().get(NUMBER).and_then(|number| number.to_str().ok());
        let call = number.and_then(|number| number.parse().ok()).unwrap_or(0);
        let at = self.start.elapsed();
        let seen = &mut *self.seen.lock().unwrap();
        seen.in_flight += 1;
        seen.most.push((at, seen.in_flight));
        let nth = seen.attempts.entry(call).or_default();
        *nth += 1;
        Attempt { call, nth: *nth - 1, at }
    }
}

/// An attempt in progress. It ends on drop.
struct UnderWay(Arc<Mutex<Seen>>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

/// A number from 0 to 1: the same for the same attempt of the same call.
pub(crate) fn draw(seed: u64, attempt: Attempt) -> f64 {
    let mixed = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(attempt.call.wrapping_mul(0xBF58_476D_1CE4_E5B9))
        .wrapping_add(u64::from(attempt.nth).wrapping_mul(0x94D0_49BB_1331_11EB));
    Rng::with_seed(mixed).f64()
}

const LIMITED: &str =
    r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#;
const EVENTS: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\
    \"delta\":{\"role\":\"assistant\",\"content\":\"On its way.\"}}]}\n\ndata: {\"id\":\"c\",\"object\":\
    \"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: [DONE]\n\n";
const WHOLE: &str = "{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"m\",\"choices\":[{\"index\":0,\
    \"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"On its way.\"}}]}";

/// The host, and the key after it if it is not the default key.
fn name(request: &Request) -> String {
    let host = request.uri().host().unwrap_or_default();
    let key = request.headers().get("authorization").and_then(|key| key.to_str().ok());
    match key.and_then(|key| key.strip_prefix("Bearer key-")) {
        Some(key) => format!("{host}/{key}"),
        None => host.to_owned(),
    }
}

fn whole(request: &Request) -> &'static str {
    let streamed = request.body().windows(13).any(|part| part == br#""stream":true"#);
    if streamed { EVENTS } else { WHOLE }
}

fn response(status: u16, host: &str, body: &'static str) -> Response {
    let kind = if body.starts_with("data:") { "text/event-stream" } else { "application/json" };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.try_into().unwrap();
    response.headers_mut().insert("content-type", kind.parse().unwrap());
    response.headers_mut().insert(HOST, host.parse().unwrap());
    response
}

// === impl Traffic ===

impl Traffic {
    pub(crate) fn new(rate: f64, length: Duration, seed: u64) -> Self {
        Self { rate, length, seed, from: 0 }
    }

    /// The times of its calls.
    pub(crate) fn times(self) -> Vec<Duration> {
        let mut rng = Rng::with_seed(self.seed);
        let mut at = 0.0;
        let times = std::iter::from_fn(|| {
            at -= (1.0 - rng.f64()).ln() / self.rate;
            (at < self.length.as_secs_f64()).then(|| Duration::from_secs_f64(at))
        });
        times.take(200_000).collect()
    }

    /// Makes its calls, and waits for the result of each.
    pub(crate) async fn play<S>(self, client: S, request: impl Fn(u64) -> Request) -> Vec<Came>
    where
        S: Service<Request, Response = Response> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        let start = Instant::now();
        let mut calls = JoinSet::new();
        for (n, at) in self.times().into_iter().enumerate() {
            sleep_until(start + at).await;
            let call = self.from + n as u64;
            let request = numbered(request(call), call);
            let client = client.clone();
            calls.spawn(async move { Came { call, at, got: one(client, request).await } });
        }
        let mut came = calls.join_all().await;
        came.sort_unstable_by_key(|came| came.call);
        came
    }
}

/// A request with the number of its call.
pub(crate) fn numbered(mut request: Request, call: u64) -> Request {
    request.headers_mut().insert(NUMBER, call.into());
    request
}

/// Makes one call. Returns its result within the caller's time.
pub(crate) async fn one<S>(client: S, request: Request) -> Got
where
    S: Service<Request, Response = Response>,
    S::Error: Into<BoxError>,
{
    let now = Instant::now();
    let deadline = request.extensions().get::<Deadline>();
    // A timer fires a little late.
    let has = deadline.map_or(PATIENCE, |it| it.left(now)) + ms(10);
    timeout(has, read(client, request)).await.unwrap_or(Got::Nothing)
}

async fn read<S>(client: S, request: Request) -> Got
where
    S: Service<Request, Response = Response>,
    S::Error: Into<BoxError>,
{
    let response = match client.oneshot(request).await {
        Ok(response) => response,
        Err(error) => return failed(error.into()),
    };
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return Got::Status(head.status.as_u16());
    }
    let from = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    match body.collect().await {
        Ok(whole) => match whole.to_bytes().is_empty() {
            true => Got::Failed(Outcome::Empty),
            false => Got::Answer(from.unwrap_or("canned").into()),
        },
        Err(error) => failed(error.into()),
    }
}

fn failed(error: BoxError) -> Got {
    match error.downcast_ref::<Error>().map(Error::outcome) {
        Some(Outcome::NotSent { .. }) => Got::Refused,
        Some(outcome) => Got::Failed(outcome),
        None => Got::FailedElsewhere(error.to_string()),
    }
}

// === impl Came ===

impl Came {
    /// Whether a provider answered in time.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(&self.got, Got::Answer(from) if from != "canned")
    }
}

/// The share of calls that a provider answered in time.
pub(crate) fn answered(came: &[Came]) -> f64 {
    part(came, Came::is_answered)
}

/// The share of calls that were refused.
pub(crate) fn refused(came: &[Came]) -> f64 {
    part(came, |came| came.got == Got::Refused)
}

pub(crate) fn part(came: &[Came], is: impl Fn(&Came) -> bool) -> f64 {
    came.iter().filter(|came| is(came)).count() as f64 / came.len().max(1) as f64
}

/// Runs in virtual time, with the same jitter for the same seed.
pub(crate) fn play<T>(seed: u64, work: impl Future<Output = T>) -> T {
    fastrand::seed(seed);
    in_virtual_time(work)
}

/// A transport to both, by the host of the request.
pub(crate) fn between(primary: &World, secondary: &World) -> impl Upstream + use<> {
    let (primary, secondary) = (primary.clone(), secondary.clone());
    service_fn(move |request: Request| match request.uri().host() {
        Some("primary") => primary.clone().answer(request),
        _ => secondary.clone().answer(request),
    })
}

/// A transport to all of them: the first is the primary, the others are at the hosts of their numbers.
pub(crate) fn among(worlds: Vec<World>) -> impl Upstream + use<> {
    let worlds: Arc<[World]> = worlds.into();
    service_fn(move |request: Request| {
        let host = request.uri().host().and_then(|host| host.split('.').next());
        let number = host.and_then(|host| host.parse().ok()).unwrap_or(0_usize);
        worlds[number].clone().answer(request)
    })
}
