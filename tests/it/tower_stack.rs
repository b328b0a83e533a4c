//! evenkeel among the layers and clients of others: Tower's, tower-http's, axum's and hyper's, above it and under it.

use std::{convert::Infallible, io};

use axum::{Router, response::IntoResponse, routing::post};
use bytes::Bytes;
use evenkeel::{
    BoxError, Client, ClientBuilder, Error, Request, Response, ResponseExt, Upstream,
    adapter::{CollectLayer, HttpService},
    fallback::Fallback,
    outcome::{Outcome, Phase},
};
use evenkeel_testkit::{Provider, Reply, WORDS};
use futures_util::StreamExt as _;
use futures_util::stream;
use http::StatusCode;
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use tower::{
    Service, ServiceBuilder, ServiceExt, load_shed::LoadShedLayer, service_fn,
    util::BoxCloneSyncService,
};
use tower_http::trace::TraceLayer;

use crate::support::{
    PRIMARY, RequestLog, StrictReadiness, call, chat, ms, secs, text, without_retries,
};

fn builder() -> ClientBuilder {
    Client::builder().profile(without_retries())
}

fn client(upstream: impl Upstream) -> Client {
    builder().build_with(upstream).unwrap()
}

/// The error of one call through that upstream.
async fn failure(upstream: impl Upstream) -> Error {
    let result = client(upstream).send(chat(false)).await;
    result.and_then(ResponseExt::into_result).expect_err("it fails")
}

/// A service over bytes, as evenkeel's are, with the error of a layer.
fn of_bytes<S: Service<Request>>(inner: S) -> HttpService<S, Bytes> {
    HttpService::with_body(inner, |bytes| bytes)
}

/// A client of somebody else, with an error of its own.
fn foreign<R, E>(
    answer: impl Fn() -> Result<http::Response<R>, E> + Clone + Send + Sync + 'static,
) -> impl Service<
    http::Request<Full<Bytes>>,
    Response = http::Response<R>,
    Error = E,
    Future = impl Send + 'static,
> + Clone
+ Send
+ Sync
+ 'static
where
    R: Send + 'static,
    E: Send + 'static,
{
    service_fn(move |_: http::Request<Full<Bytes>>| std::future::ready(answer()))
}

// === under evenkeel ===

#[tokio::test(start_paused = true)]
async fn an_axum_router_is_an_upstream_although_its_bodies_are_not_sync() {
    let provider = Provider::new("api");
    let ask = move |request: axum::extract::Request| {
        let provider = provider.clone();
        async move {
            let (head, body) = request.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let response = provider.oneshot(Request::from_parts(head, bytes)).await.unwrap();
            response.map(axum::body::Body::new).into_response()
        }
    };
    let router = Router::new().route("/v1/chat/completions", post(ask));
    let own = HttpService::with_body(router.clone(), axum::body::Body::from);
    for (upstream, stream) in [(client(HttpService::new(router)), true), (client(own), false)] {
        call(&upstream, chat(stream)).await.unwrap().is_whole();
    }
}

#[tokio::test(start_paused = true)]
async fn layers_of_tower_work_under_evenkeel() {
    let provider = Provider::new("api");
    let inner = ServiceBuilder::new()
        .timeout(secs(10))
        .layer(LoadShedLayer::new())
        .concurrency_limit(4)
        .layer(TraceLayer::new_for_http())
        .layer(CollectLayer::new())
        .service(provider.clone());
    let boxed = BoxCloneSyncService::new(inner.clone());
    for client in [client(HttpService::new(inner)), client(HttpService::new(boxed))] {
        for stream in [true, false] {
            call(&client, chat(stream)).await.unwrap().is_whole();
        }
    }
    assert_eq!(provider.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_tower_is_a_timeout() {
    let provider = Provider::new("api").always(Reply::hang());
    let inner = ServiceBuilder::new().timeout(ms(100)).service(provider);
    let error = failure(of_bytes(inner)).await;
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Attempt });
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_is_busy_is_waited_for_within_the_deadline() {
    let provider = Provider::new("api").always(Reply::hang());
    let inner = ServiceBuilder::new().concurrency_limit(1).service(provider.clone());
    let canned = builder().fallback(Fallback::canned("Busy."));
    let client = canned.build_with(of_bytes(inner)).unwrap();
    let calls = async { tokio::join!(client.send(chat(false)), client.send(chat(false))) };
    let (first, second) = tokio::time::timeout(secs(60), calls).await.expect("both end");
    assert!(first.unwrap().served_by().is_canned() && second.unwrap().served_by().is_canned());
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_is_never_ready_ends_with_the_deadline() {
    let canned = builder().fallback(Fallback::canned("Busy."));
    let client = canned.build_with(crate::support::NeverReady).unwrap();
    let answer = tokio::time::timeout(secs(60), client.send(chat(false))).await;
    assert!(answer.expect("it ends").unwrap().served_by().is_canned());
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_sheds_load_is_no_failure_of_the_provider() {
    let provider = Provider::new("api").always(Reply::answer().head_after(secs(1)));
    let inner = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .concurrency_limit(1)
        .service(provider.clone());
    let client = client(of_bytes(inner));
    let (first, second) = tokio::join!(client.send(chat(false)), client.send(chat(false)));
    assert!(first.unwrap().status().is_success());
    assert!(second.unwrap_err().is_refused());
    crate::support::assert_no_failure(&client);
}

#[tokio::test(start_paused = true)]
async fn errors_of_other_clients_are_known_for_what_they_are() {
    let refused =
        || Err::<http::Response<Full<Bytes>>, _>(io::Error::from(io::ErrorKind::ConnectionRefused));
    assert!(failure(HttpService::new(foreign(refused))).await.is_connect());
    let reset =
        || Err::<http::Response<Full<Bytes>>, _>(io::Error::from(io::ErrorKind::ConnectionReset));
    assert!(failure(HttpService::new(foreign(reset))).await.is_connection_lost());
    let own = || {
        let inside = io::Error::other(Error::new(Outcome::Blocked));
        Err::<http::Response<Full<Bytes>>, BoxError>(Box::new(inside))
    };
    assert!(failure(HttpService::new(foreign(own))).await.is_blocked());
}

/// A body that is only `Send`, of data that is not `Bytes`, and fails after its frames.
fn odd_body(
    frames: &[&'static str],
    fails: bool,
) -> UnsyncBoxBody<io::Cursor<&'static [u8]>, io::Error> {
    let frames: Vec<_> =
        frames.iter().map(|text| Ok(Frame::data(io::Cursor::new(text.as_bytes())))).collect();
    let end = fails.then(|| Err(io::Error::from(io::ErrorKind::ConnectionReset)));
    UnsyncBoxBody::new(StreamBody::new(stream::iter(frames.into_iter().chain(end))))
}

#[tokio::test(start_paused = true)]
async fn a_body_of_any_kind_is_passed_on_whole_or_fails_as_cut() {
    let events = [
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choi",
        "ces\":[{\"index\":0,\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n",
    ];
    let answer = move |frames: usize, fails: bool| {
        move || {
            let response = http::Response::builder().header("content-type", "text/event-stream");
            Ok::<_, Infallible>(response.body(odd_body(&events[..frames], fails)).unwrap())
        }
    };
    let whole =
        call(&client(HttpService::new(foreign(answer(3, false)))), chat(true)).await.unwrap();
    assert_eq!(whole.bytes(), events.concat());
    assert!(whole.error.is_none());
    let cut = call(&client(HttpService::new(foreign(answer(1, true)))), chat(true)).await.unwrap();
    assert!(cut.error.expect("it was cut").is_truncated());
}

#[cfg(feature = "hyper")]
#[tokio::test]
async fn a_client_of_hyper_is_an_upstream() {
    use evenkeel::adapter::Reconnect;
    use hyper_util::{client::legacy, rt::TokioExecutor};

    let server = evenkeel_testkit::Server::start(Provider::new("api")).await.unwrap();
    let hyper = || {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http();
        Reconnect::new(HttpService::new(http))
    };
    let request = |base: &str| {
        let (mut head, body) = chat(true).into_parts();
        head.uri = format!("{base}/v1/chat/completions").parse().unwrap();
        Request::from_parts(head, body)
    };
    call(&client(hyper()), request(&server.url())).await.unwrap().is_whole();
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client(hyper()).send(request(&format!("http://{free}"))).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
}

// === above evenkeel ===

#[tokio::test(start_paused = true)]
async fn layers_of_tower_work_above_evenkeel() {
    let provider = Provider::new("api");
    let service = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .timeout(secs(60))
        .concurrency_limit(2)
        .layer(CollectLayer::new())
        .service(client(provider.clone()));
    let boxed = BoxCloneSyncService::new(service.clone());
    let answer = service.oneshot(chat(false).map(Full::new)).await.unwrap();
    assert_eq!(crate::support::words(&text(answer.map(evenkeel::Body::wrap)).await), WORDS);
    assert_eq!(boxed.oneshot(chat(true).map(Full::new)).await.unwrap().status(), 200);
    provider.set(Reply::hang());
    let late = ServiceBuilder::new().timeout(ms(10)).service(client(provider.clone()));
    let error = late.oneshot(chat(false)).await.unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>());
    tokio::task::yield_now().await;
    assert_eq!(provider.in_flight(), 0, "the call under it was cancelled");
}

/// A request with a streamed body.
fn streamed(
    parts: Vec<Result<Bytes, io::Error>>,
) -> http::Request<UnsyncBoxBody<Bytes, io::Error>> {
    let frames = stream::iter(parts).map(|part| part.map(Frame::data));
    http::Request::post(PRIMARY).body(UnsyncBoxBody::new(StreamBody::new(frames))).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_request_with_any_body_is_collected_and_sent_again() {
    let log = RequestLog::default();
    let down = StatusCode::SERVICE_UNAVAILABLE;
    let upstream = log.answering(move |_| {
        let mut response = Response::default();
        *response.status_mut() = down;
        Ok(response)
    });
    let client = Client::builder().build_with(upstream).unwrap();
    let service = ServiceBuilder::new().layer(CollectLayer::new()).service(client);
    let parts = [r#"{"model":"m","messages":[{"role":"user","#, r#""content":"hi"}]}"#];
    let request = streamed(parts.map(|part| Ok(Bytes::from(part))).into());
    assert_eq!(service.oneshot(request).await.unwrap().status(), down);
    let sent = log.all();
    assert_eq!(sent.len(), 3, "with two retries");
    assert!(sent.iter().all(|request| *request.body() == parts.concat()));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_long_or_breaks_off_is_not_sent() {
    let provider = Provider::new("api");
    let layer = CollectLayer::new().max_bytes(8);
    let service = ServiceBuilder::new().layer(layer).service(client(provider.clone()));
    let part = || Ok(Bytes::from("12345"));
    let error = service.clone().oneshot(streamed(vec![part(), part()])).await.unwrap_err();
    assert!(error.is_too_large());
    let broken = vec![part(), Err(io::ErrorKind::BrokenPipe.into())];
    let error = service.oneshot(streamed(broken)).await.unwrap_err();
    assert!(error.is_cancelled() && Error::find(&error).is_some());
    assert_eq!(provider.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn collecting_calls_the_service_that_was_polled_ready() {
    let inner = StrictReadiness::new(|| Ok(Response::default()));
    let service = ServiceBuilder::new().layer(CollectLayer::new()).service(inner);
    for _ in 0..2 {
        let request = http::Request::post(PRIMARY).body(Full::new(Bytes::from("{}"))).unwrap();
        assert!(service.clone().oneshot(request).await.is_ok());
    }
}
