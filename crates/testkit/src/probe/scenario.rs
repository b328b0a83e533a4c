//! The ways in which a layer is driven.

use std::time::Duration;

use bytes::Bytes;
use evenkeel::{Error, Request, Response};
use http_body_util::BodyExt;
use tokio::{task::JoinSet, time};
use tower::{Service, ServiceExt};

use crate::{
    Probe, Reply,
    probe::Rule,
    reply::{Facts, Step},
};

/// Long enough for a call to get to the upstream, and nothing to a limit.
const MOMENT: Duration = Duration::from_millis(50);
/// As often as the readiness of the upstream may be asked for one call: more than any layer needs, far from a spin.
const POLLS: u64 = 20;
const CALLS: u64 = 3;

pub(super) async fn one_after_the_other<S>(mut service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    for _ in 0..CALLS {
        let service = service.ready().await.map_err(|_| Rule::Failed)?;
        whole(service.call(request(false)).await).await?;
    }
    if probe.polls() > CALLS * POLLS { Err(Rule::Spins) } else { Ok(()) }
}

pub(super) async fn a_clone_beside_a_ready_service<S>(mut service: S, _: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    // A layer with a permit for one must not hold it here for ever, so the clone is only tried.
    let ready = service.ready().await.map_err(|_| Rule::Failed)?;
    let clone = ready.clone();
    let beside = time::timeout(MOMENT, clone.oneshot(request(false))).await;
    if let Ok(result) = beside {
        whole(result).await?;
    }
    whole(ready.call(request(true)).await).await
}

pub(super) async fn at_the_same_time<S>(service: S, _: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut calls = JoinSet::new();
    for n in 0..16 {
        let call = service.clone().oneshot(request(n % 2 == 0));
        calls.spawn(async { whole(call.await).await });
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
    if probe.polls() > CALLS * POLLS {
        return Err(Rule::Spins);
    }
    gone(probe).await?;
    well(service, probe).await
}

pub(super) async fn ready_and_never_called<S>(service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    for _ in 0..16 {
        service.clone().ready().await.map_err(|_| Rule::Failed)?;
    }
    well(service, probe).await
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
    gone(probe).await?;
    well(service, probe).await
}

pub(super) async fn a_final_failure<S>(service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    let text = r#"{"error": {"message":"No."} }"#;
    probe.provider().set(Reply::raw(400, "application/json", text).header("x-mark", "kept"));
    let response = service.oneshot(request(false)).await.map_err(|_| Rule::Failed)?;
    let kept = response.status() == 400 && response.headers().contains_key("x-mark");
    let body = response.into_body().collect().await.map_err(|_| Rule::Failed)?.to_bytes();
    if kept && body == text { Ok(()) } else { Err(Rule::Changed) }
}

pub(super) async fn an_upstream_that_is_never_ready<S>(
    mut service: S,
    probe: &Probe,
) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    probe.breaks(true);
    // What comes of it is the layer's to say; that something does is not.
    if let Ok(service) = service.ready().await {
        let _ = service.call(request(true)).await;
    }
    if probe.polls() > POLLS { Err(Rule::Spins) } else { Ok(()) }
}

/// The layer works as if nothing had been.
async fn well<S>(service: S, probe: &Probe) -> Result<(), Rule>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    probe.provider().set(Reply::answer());
    for stream in [false, true] {
        whole(service.clone().oneshot(request(stream)).await).await?;
    }
    Ok(())
}

/// Nothing is under way at the upstream any more.
async fn gone(probe: &Probe) -> Result<(), Rule> {
    // Whatever has to hear of the drop is given the time to.
    time::sleep(MOMENT).await;
    if probe.provider().in_flight() > 0 { Err(Rule::LeftBehind) } else { Ok(()) }
}

/// The answer is that of the upstream, byte for byte.
async fn whole(result: Result<Response, Error>) -> Result<(), Rule> {
    let response = result.map_err(|_| Rule::Failed)?;
    let json =
        response.headers().get("content-type").is_some_and(|kind| kind == "application/json");
    let body = response.into_body().collect().await.map_err(|_| Rule::Failed)?.to_bytes();
    if body == sent(&request(!json)) { Ok(()) } else { Err(Rule::Changed) }
}

/// What the upstream sends.
fn sent(request: &Request) -> Vec<u8> {
    let facts = Facts::read(request.uri().path(), request.headers(), request.body());
    let data = |step| match step {
        Step::Data(data) => Some(data),
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
