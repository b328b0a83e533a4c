//! Makes the calls of a drill.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use evenkeel::{BoxError, Request};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};
use tower::{Service, ServiceExt};

use crate::{
    reply::CALL,
    scenario::{Figures, Kind, Progress, Scenario, Stage, answer::Answer, tally::Tally},
};

/// One call: what became of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) call: usize,
    pub(super) kind: Kind,
    pub(super) why: Option<String>,
    /// The rung that answered, where the head names one.
    pub(super) rung: Option<Box<str>>,
    /// From the call to its first content; to its end where it has none.
    pub(super) took: Duration,
    pub(super) first: Option<Duration>,
}

/// How long a call may take before nobody waits any more.
pub(super) const HUNG: Duration = Duration::from_secs(120);
/// So many questions are asked, again and again: an even number, so that each always brings tools, or never.
const QUESTIONS: usize = 200;
/// The model that every call asks for.
pub(super) const MODEL: &str = "model-1";

// === impl Scenario ===

impl Scenario {
    /// Plays the incident against one client, from its first minute to its last call's end.
    ///
    /// # Panics
    ///
    /// When the client panics, or the URL of the stage is none.
    pub async fn play<S, B>(&self, name: &str, stage: &Stage, client: S) -> Figures
    where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let arrivals = self.arrivals.times(self);
        let requests = self.requests(stage);
        let mut records = Vec::with_capacity(arrivals.len());
        let mut calls = JoinSet::new();
        let mut so_far = Progress { calls: arrivals.len() as u64, ..Progress::default() };
        stage.start();
        let start = Instant::now();
        for (n, at) in arrivals.iter().enumerate() {
            sleep_until(start + at.mul_f64(self.scale)).await;
            let mut request = requests[n % requests.len()].clone();
            request.headers_mut().insert(CALL, (n as u64).into());
            calls.spawn(record(n, client.clone(), request, (stage.clone(), self.scale)));
            while let Some(call) = calls.try_join_next() {
                records.push(so_far.take(joined(call)));
            }
            (so_far.made, so_far.at) = (n as u64 + 1, *at);
            self.tell(so_far);
        }
        while let Some(call) = calls.join_next().await {
            records.push(so_far.take(joined(call)));
            self.tell(so_far);
        }
        records.sort_unstable_by_key(|record| record.call);
        Tally { drill: self, stage, start, arrivals: &arrivals, records: &records }.figures(name)
    }

    fn tell(&self, so_far: Progress) {
        if let Some(watch) = &self.progress {
            watch(so_far);
        }
    }

    fn requests(&self, stage: &Stage) -> Vec<Request> {
        let uri = format!("{}/v1/chat/completions", stage.url());
        let tools: Vec<_> = self.incident.tools().into_iter().map(tool).collect();
        let request = |n: usize| {
            let mut body = serde_json::json!({
                "model": MODEL,
                "stream": self.stream,
                "messages": [{ "role": "user", "content": format!("Where is parcel {n}?") }],
            });
            if !tools.is_empty() && brings_tools(n) {
                body["tools"] = tools.clone().into();
            }
            http::Request::post(&uri)
                .header("content-type", "application/json")
                .header("authorization", "Bearer drill")
                .body(Bytes::from(body.to_string()))
                .expect("the URL of a stage is one")
        };
        (0..QUESTIONS).map(request).collect()
    }
}

/// Whether the call of that number brings the tools of an incident that has some: every second does.
pub(super) fn brings_tools(call: usize) -> bool {
    call % 2 == 1
}

fn tool(name: &str) -> serde_json::Value {
    serde_json::json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}})
}

// === impl Progress ===

impl Progress {
    /// Counts a call that has ended.
    fn take(&mut self, record: Record) -> Record {
        match record.kind.is_answer() {
            true => self.answered += 1,
            false => self.failed += 1,
        }
        record
    }
}

fn joined(call: Result<Record, tokio::task::JoinError>) -> Record {
    match call {
        Ok(record) => record,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn record<S, B>(call: usize, client: S, request: Request, on: (Stage, f64)) -> Record
where
    S: Service<Request, Response = http::Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (stage, scale) = on;
    let start = Instant::now();
    let since = || start.elapsed().div_f64(scale);
    let mut first = None;
    let reading = read(client, request, &stage, || first = Some(since()));
    let result = timeout_at(start + HUNG.mul_f64(scale), reading).await;
    let end = since();
    let (kind, why, rung) = match result {
        Ok(Ok((kind, rung))) => (kind, None, rung),
        Ok(Err(why)) => (Kind::Error, Some(why), None),
        Err(_) => (Kind::Hung, None, None),
    };
    let first = if kind.is_answer() { first.or(Some(end)) } else { first };
    let took = first.filter(|_| kind.is_answer()).unwrap_or(end);
    Record { call, kind, why, rung, took, first }
}

/// Makes one call and reads its whole answer: what it is, and which rung gave it. `first` is called at its first content.
async fn read<S, B>(
    client: S,
    request: Request,
    stage: &Stage,
    first: impl FnOnce(),
) -> Result<(Kind, Option<Box<str>>), String>
where
    S: Service<Request, Response = http::Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let said = |error: BoxError| error.to_string();
    let response = client.oneshot(request).await.map_err(|error| said(error.into()))?;
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return Err(format!("status {}", head.status.as_u16()));
    }
    let mut answer = Answer::new(&head.headers);
    let mut first = Some(first);
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| said(error.into()))?;
        let Some(data) = frame.data_ref() else { continue };
        if answer.push(data) {
            if let Some(first) = first.take() {
                first();
            }
        }
    }
    let rung = head.headers.get("evenkeel-rung").and_then(|rung| rung.to_str().ok());
    Ok((answer.finish(&head.headers, stage)?, rung.map(Into::into)))
}
