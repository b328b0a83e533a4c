//! Makes one call of a scenario.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use evenkeel::{BoxError, Request};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};
use tower::{Service, ServiceExt};

use crate::scenario::{CallResult, Harness, received_answer::ReceivedAnswer};

/// One call that has ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CallRecord {
    /// The number of the call.
    pub(super) call: usize,
    pub(super) result: CallResult,
    /// The reason for which the call failed.
    pub(super) reason: Option<String>,
    /// The fallback that answered, if the head names it.
    pub(super) fallback: Option<Box<str>>,
    /// The time from the call to its first content, or to its end if it has no answer.
    pub(super) latency: Duration,
    /// The time from the call to its first content.
    pub(super) first_content: Option<Duration>,
}

/// One call that is to be made.
pub(super) struct PlannedCall {
    /// The number of the call.
    pub(super) number: usize,
    pub(super) request: Request,
    pub(super) harness: Harness,
    /// The seconds that a second of the incident lasts.
    pub(super) scale: f64,
}

/// An answer that is complete.
struct CompleteAnswer {
    result: CallResult,
    fallback: Option<Box<str>>,
}

/// The model of every call.
pub(super) const MODEL: &str = "model-1";
/// The time after which a call is hung.
pub(super) const HUNG_AFTER: Duration = Duration::from_secs(120);

// === impl PlannedCall ===

impl PlannedCall {
    /// Makes the call and reads its whole answer. Times are in the time of the incident.
    pub(super) async fn make<S, B>(self, client: S) -> CallRecord
    where
        S: Service<Request, Response = http::Response<B>>,
        S::Error: Into<BoxError>,
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let Self { number: call, request, harness, scale } = self;
        let start = Instant::now();
        let elapsed = || start.elapsed().div_f64(scale);
        let mut first = None;
        let reading = read(client, request, &harness, || first = Some(elapsed()));
        let answer = timeout_at(start + HUNG_AFTER.mul_f64(scale), reading).await;
        let end = elapsed();
        let (result, reason, fallback) = match answer {
            Ok(Ok(answer)) => (answer.result, None, answer.fallback),
            Ok(Err(reason)) => (CallResult::Error, Some(reason), None),
            Err(_) => (CallResult::Hung, None, None),
        };
        let first_content = if result.is_answer() { first.or(Some(end)) } else { first };
        let latency = first_content.filter(|_| result.is_answer()).unwrap_or(end);
        CallRecord { call, result, reason, fallback, latency, first_content }
    }
}

/// Whether the call of that number has the tools of an incident with tools: every second call has them.
pub(super) fn has_tools(call: usize) -> bool {
    call % 2 == 1
}

/// Makes one call and reads its whole answer, or returns the reason for which it failed. Calls `on_first` at the first
/// content.
async fn read<S, B>(
    client: S,
    request: Request,
    harness: &Harness,
    on_first: impl FnOnce(),
) -> Result<CompleteAnswer, String>
where
    S: Service<Request, Response = http::Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let reason = |error: BoxError| error.to_string();
    let response = client.oneshot(request).await.map_err(|error| reason(error.into()))?;
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return Err(format!("status {}", head.status.as_u16()));
    }
    let mut answer = ReceivedAnswer::new(&head.headers);
    let mut on_first = Some(on_first);
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| reason(error.into()))?;
        let Some(data) = frame.data_ref() else { continue };
        if answer.push(data) {
            if let Some(on_first) = on_first.take() {
                on_first();
            }
        }
    }
    let fallback =
        head.headers.get("evenkeel-served-by").and_then(|fallback| fallback.to_str().ok());
    Ok(CompleteAnswer {
        result: answer.finish(&head.headers, harness)?,
        fallback: fallback.map(Into::into),
    })
}
