//! The cases of the check.

use std::time::Duration;

use bytes::Bytes;
use evenkeel::{Error, Request, Response};
use http_body_util::BodyExt;
use tokio::{task::JoinSet, time};
use tower::{Service, ServiceExt};

use crate::{
    Probe, Reply,
    probe::Rule,
    reply::{RequestFacts, ScriptStep},
};

/// Long enough for a call to reach the upstream, and shorter than any limit.
const MOMENT: Duration = Duration::from_millis(50);
/// The readiness polls allowed for one call: more than any layer needs, fewer than in a loop.
const MAX_POLLS: u64 = 20;
const CALLS: u64 = 3;

pub(super) async fn one_after_the_other<S>(mut service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    for _ in 0..CALLS {
        let service = service.ready().await.map_err(|_| Rule::Failed)?;
        unchanged(service.call(request(false)).await).await?;
    }
    if probe.readiness_polls() > CALLS * MAX_POLLS { Err(Rule::Spins) } else { Ok(()) }
}

pub(super) async fn a_clone_beside_a_ready_service<S>(mut service: S, _: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    // A layer with one permit may wait without end here, so the clone has a time limit.
    let ready = service.ready().await.map_err(|_| Rule::Failed)?;
    let clone = ready.clone();
    let beside = time::timeout(MOMENT, clone.oneshot(request(false))).await;
    if let Ok(result) = beside {
        unchanged(result).await?;
    }
    unchanged(ready.call(request(true)).await).await
}

pub(super) async fn at_the_same_time<S>(service: S, _: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut calls = JoinSet::new();
    for n in 0..16 {
        let call = service.clone().oneshot(request(n % 2 == 0));
        calls.spawn(async { unchanged(call.await).await });
    }
    while let Some(call) = calls.join_next().await {
        call.map_err(|_| Rule::Panicked)??;
    }
    Ok(())
}

pub(super) async fn dropped_while_pending<S>(service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    probe.provider().set(Reply::hang());
    for _ in 0..CALLS {
        let call = service.clone().oneshot(request(true));
        if time::timeout(MOMENT, call).await.is_ok() {
            return Err(Rule::Failed);
        }
    }
    if probe.readiness_polls() > CALLS * MAX_POLLS {
        return Err(Rule::Spins);
    }
    nothing_in_flight(probe).await?;
    answers(service, probe).await
}

pub(super) async fn ready_and_never_called<S>(service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    for _ in 0..16 {
        service.clone().ready().await.map_err(|_| Rule::Failed)?;
    }
    answers(service, probe).await
}

pub(super) async fn a_stream_dropped_half_way<S>(service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    probe.provider().set(Reply::answer().between_events(MOMENT));
    for _ in 0..16 {
        let response = service.clone().oneshot(request(true)).await.map_err(|_| Rule::Failed)?;
        let mut body = response.into_body();
        body.frame().await.ok_or(Rule::Changed)?.map_err(|_| Rule::Failed)?;
    }
    nothing_in_flight(probe).await?;
    answers(service, probe).await
}

pub(super) async fn a_final_failure<S>(service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    let text = r#"{"error": {"message":"No.","param":"x"} }"#;
    probe.provider().set(Reply::raw(400, "application/json", text).header("x-mark", "kept"));
    let response = service.oneshot(request(false)).await.map_err(|_| Rule::Failed)?;
    let is_unchanged = response.status() == 400 && response.headers().contains_key("x-mark");
    let body = response.into_body().collect().await.map_err(|_| Rule::Failed)?.to_bytes();
    if is_unchanged && body == text { Ok(()) } else { Err(Rule::Changed) }
}

pub(super) async fn an_upstream_that_is_never_ready<S>(
    mut service: S,
    probe: &Probe,
) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    probe.fail_readiness(true);
    // The layer decides the result; the call has to return.
    if let Ok(service) = service.ready().await {
        let _ = service.call(request(true)).await;
    }
    if probe.readiness_polls() > MAX_POLLS { Err(Rule::Spins) } else { Ok(()) }
}

/// The layer passes whole answers on.
async fn answers<S>(service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    probe.provider().set(Reply::answer());
    for stream in [false, true] {
        unchanged(service.clone().oneshot(request(stream)).await).await?;
    }
    Ok(())
}

/// No attempt is in progress at the upstream.
async fn nothing_in_flight(probe: &Probe) -> Result<(), Rule> {
    // Time for the drop to take effect.
    time::sleep(MOMENT).await;
    if probe.provider().in_flight() > 0 { Err(Rule::LeftBehind) } else { Ok(()) }
}

/// The answer is the upstream's, byte for byte.
async fn unchanged(result: Result<Response, Error>) -> Result<(), Rule> {
    let response = result.map_err(|_| Rule::Failed)?;
    let json =
        response.headers().get("content-type").is_some_and(|kind| kind == "application/json");
    let body = response.into_body().collect().await.map_err(|_| Rule::Failed)?.to_bytes();
    if body == expected_body(&request(!json)) { Ok(()) } else { Err(Rule::Changed) }
}

/// The bytes that the upstream sends.
fn expected_body(request: &Request) -> Vec<u8> {
    let facts = RequestFacts::read(request.uri().path(), request.headers(), request.body());
    let data = |step| match step {
        ScriptStep::Data(data) => Some(data),
        _ => None,
    };
    let script = Reply::answer().script(&facts, "probe");
    script.filter_map(data).flatten().collect()
}

fn request(stream: bool) -> Request {
    let body = if stream { r#"{"model":"m","stream":true}"# } else { r#"{"model":"m"}"# };
    http::Request::post("http://probe/v1/chat/completions")
        .header("content-type", "application/json")
        .body(Bytes::from_static(body.as_bytes()))
        .expect("a request of constants")
}
