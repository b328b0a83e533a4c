//! Plays a scenario: makes all its calls.

use bytes::Bytes;
use evenkeel::{BoxError, Request};
use http_body::Body;
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tower::Service;

use crate::{
    reply::CALL,
    scenario::{
        Harness, Metrics, Progress, Scenario,
        call::{CallRecord, MODEL, PlannedCall, has_tools},
        recording::Recording,
    },
};

/// The number of different questions. It is even, so that each question has tools in all its calls or in none.
const QUESTIONS: usize = 200;
// === impl Scenario ===

impl Scenario {
    /// Plays the incident against one client, from its first minute to the end of the last call.
    ///
    /// # Panics
    ///
    /// When the client panics, or the URL of the harness is not valid.
    pub async fn play<S, B>(&self, name: &str, harness: &Harness, client: S) -> Metrics
    where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let arrivals = self.arrivals.times(self);
        let requests = self.requests(harness);
        let mut records = Vec::with_capacity(arrivals.len());
        let mut calls = JoinSet::new();
        let mut progress = Progress { calls: arrivals.len() as u64, ..Progress::default() };
        harness.start();
        let start = Instant::now();
        for (number, time) in arrivals.iter().enumerate() {
            sleep_until(start + time.mul_f64(self.scale)).await;
            let mut request = requests[number % requests.len()].clone();
            request.headers_mut().insert(CALL, (number as u64).into());
            let (harness, scale) = (harness.clone(), self.scale);
            calls.spawn(PlannedCall { number, request, harness, scale }.make(client.clone()));
            while let Some(call) = calls.try_join_next() {
                records.push(progress.count(joined(call)));
            }
            (progress.made, progress.at) = (number as u64 + 1, *time);
            self.report_progress(progress);
        }
        while let Some(call) = calls.join_next().await {
            records.push(progress.count(joined(call)));
            self.report_progress(progress);
        }
        records.sort_unstable_by_key(|record| record.call);
        Recording { scenario: self, harness, start, arrivals: &arrivals, records: &records }
            .metrics(name)
    }

    fn report_progress(&self, progress: Progress) {
        if let Some(callback) = &self.progress {
            callback(progress);
        }
    }

    /// The requests of all questions.
    fn requests(&self, harness: &Harness) -> Vec<Request> {
        let uri = format!("{}/v1/chat/completions", harness.url());
        let tools: Vec<_> = self.incident.tools().into_iter().map(tool).collect();
        let request = |n: usize| {
            let mut body = serde_json::json!({
                "model": MODEL,
                "stream": self.stream,
                "messages": [{ "role": "user", "content": format!("Where is parcel {n}?") }],
            });
            if !tools.is_empty() && has_tools(n) {
                body["tools"] = tools.clone().into();
            }
            http::Request::post(&uri)
                .header("content-type", "application/json")
                .header("authorization", "Bearer scenario")
                .body(Bytes::from(body.to_string()))
                .expect("the URL of a harness is valid, as documented")
        };
        (0..QUESTIONS).map(request).collect()
    }
}

fn tool(name: &str) -> serde_json::Value {
    serde_json::json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}})
}

// === impl Progress ===

impl Progress {
    /// Counts a call that has ended.
    fn count(&mut self, record: CallRecord) -> CallRecord {
        match record.result.is_answer() {
            true => self.answered += 1,
            false => self.failed += 1,
        }
        record
    }
}

/// The result of a call that has ended. A panic of the client goes on here.
pub(super) fn joined<T>(call: Result<T, JoinError>) -> T {
    match call {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
