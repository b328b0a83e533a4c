//! Settings of one call in reqwest-middleware, and the handles of the middleware.

use std::collections::BTreeSet;

use evenkeel::{
    CallOptions, ConfigError,
    adapter::reqwest_middleware::EvenkeelMiddleware,
    cache::{CachePolicy, Tenant},
    context::{AffinityKey, NonReplayable, Priority},
    dialect::Dialect,
    fallback::Fallbacks,
    limit::{Concurrency, LimitPolicy},
    stream::CommitPolicy,
};
use reqwest_middleware::{ClientWithMiddleware, Extension, RequestBuilder};

use super::*;

fn with(builder: ClientBuilder) -> (ClientWithMiddleware, Client) {
    let evenkeel = EvenkeelMiddleware::new(builder).unwrap();
    let handles = evenkeel.client().clone();
    (reqwest_middleware::ClientBuilder::new(transport()).with(evenkeel).build(), handles)
}

async fn send(request: RequestBuilder) -> reqwest_middleware::Result<reqwest::Response> {
    ends(request.send()).await
}

fn own(error: reqwest_middleware::Error) -> Error {
    match error {
        reqwest_middleware::Error::Middleware(error) => error.downcast().expect("ours"),
        other => panic!("not from a middleware: {other:?}"),
    }
}

#[tokio::test]
async fn options_and_single_values_of_a_request_reach_the_stack() {
    let (silent, _) = always(Reply::hang()).await;
    let (client, _) = with(builder());
    let request = || client.post(url(&silent)).body(JSON);
    let limit = || CallOptions::new().deadline(ms(200));
    let busy = || [Fallback::canned(BUSY)];
    assert!(own(send(request().with_extension(limit())).await.unwrap_err()).is_timeout());
    let single = request().with_extension(Deadline::within(ms(200)));
    assert!(own(send(single).await.unwrap_err()).is_timeout());
    let both = limit().fallbacks(busy());
    let answer = send(request().with_extension(both)).await.unwrap();
    assert_eq!(words(&answer.text().await.unwrap()), BUSY);
    let mixed = request().with_extension(Fallbacks::new(busy()).unwrap()).with_extension(limit());
    assert_eq!(words(&send(mixed).await.unwrap().text().await.unwrap()), BUSY);
    // A single value has precedence over options.
    let late = CallOptions::new().deadline(Duration::from_secs(60));
    let single = request().with_extension(Deadline::within(ms(200))).with_extension(late);
    assert!(own(send(single).await.unwrap_err()).is_timeout());
    let scoped = limit().scope(send(request()));
    assert!(own(scoped.await.unwrap_err()).is_timeout());
}

#[tokio::test]
async fn options_of_all_requests_are_set_once_for_a_client() {
    let (silent, _) = always(Reply::hang()).await;
    let evenkeel = EvenkeelMiddleware::new(builder()).unwrap();
    let client = reqwest_middleware::ClientBuilder::new(transport())
        .with_init(Extension(CallOptions::new().deadline(ms(200))))
        .with(evenkeel)
        .build();
    assert!(own(send(client.post(url(&silent)).body(JSON)).await.unwrap_err()).is_timeout());
}

#[tokio::test]
async fn the_timeout_of_a_request_and_the_options_apply_both() {
    let (silent, _) = always(Reply::hang()).await;
    let (client, _) = with(builder());
    for (timeout, deadline) in [(200, 60_000), (60_000, 200)] {
        let options = CallOptions::new().deadline(ms(deadline));
        let request = client.post(url(&silent)).body(JSON).timeout(ms(timeout));
        let error = own(send(request.with_extension(options)).await.unwrap_err());
        assert!(error.is_timeout(), "{timeout} {deadline}: {error:?}");
    }
}

#[tokio::test]
async fn commit_tenant_and_dialect_of_a_request_reach_the_stack() {
    let cut = || Reply::answer().with(Fault::Cut { words: 40 });
    let provider = Provider::new("p").replies([cut()]);
    let server = serve(&provider).await;
    let cache = CachePolicy::new().serve_fresh_for(Duration::from_secs(60));
    let (client, _) = with(builder().cache(cache));
    let request = |body| client.post(url(&server)).body(body);
    let answer = send(request(STREAM).with_extension(CommitPolicy::Complete)).await.unwrap();
    assert_eq!((words(&answer.text().await.unwrap()).as_str(), provider.count()), (WORDS, 2));
    provider.forget();
    for (tenant, sent) in [("a", 1), ("a", 1), ("b", 2)] {
        let answer = send(request(JSON).with_extension(Tenant::new(tenant))).await.unwrap();
        answer.text().await.unwrap();
        assert_eq!(provider.count(), sent, "{tenant}");
    }
    // At an unusual path, an error inside a 200 is known in a known dialect alone, and requested again.
    let down = r#"{"error":{"message":"down","type":"server_error","code":"server_error"}}"#;
    provider.set(Reply::raw(200, "application/json", down));
    let custom = || client.post(format!("{}/custom", server.url())).body(JSON);
    for (dialect, sent) in [(None, 1), (Some(Dialect::OpenAiChat), 3)] {
        provider.forget();
        // Whether the last failure is an error or an answer is not tested here.
        let _ = send(dialect.into_iter().fold(custom(), RequestBuilder::with_extension)).await;
        assert_eq!(provider.count(), sent, "{dialect:?}");
    }
}

#[tokio::test]
async fn affinity_of_a_request_reaches_the_stack() {
    let ((one, first), (two, second)) =
        (always(Reply::answer()).await, always(Reply::answer()).await);
    let target = |server: &Server| Target::new(format!("{}/v1", server.url())).bearer("k");
    let (client, _) = with(builder().primaries([target(&one), target(&two)]));
    for _ in 0..12 {
        let request = client.post(url(&one)).body(JSON).with_extension(AffinityKey::new("talk-7"));
        send(request).await.unwrap();
    }
    let counts = BTreeSet::from([first.count(), second.count()]);
    assert_eq!(counts, BTreeSet::from([0, 12]));
}

#[tokio::test]
async fn a_request_that_cannot_be_replayed_is_sent_once() {
    let (server, provider) = always(Reply::status(503)).await;
    let (client, _) = with(builder());
    // With a timeout the context of the call exists before its extensions are read.
    let request = client.post(url(&server)).body(JSON).timeout(Duration::from_secs(4));
    assert_eq!(send(request.with_extension(NonReplayable)).await.unwrap().status(), 503);
    assert_eq!(provider.count(), 1);
}

#[tokio::test]
async fn the_priority_of_a_request_reaches_the_queue() {
    let slow = Reply::answer().head_after(ms(150));
    let (server, provider) = always(slow).await;
    let profile = quick().limit(LimitPolicy::new().concurrency(Concurrency::Fixed(1)));
    let (client, handles) = with(Client::builder().profile(profile));
    let ask = |model: &str, priority| {
        let body = format!(r#"{{"model":"m","messages":[],"user":"{model}"}}"#);
        send(client.post(url(&server)).body(body).with_extension(priority))
    };
    let waiting = |n: usize| {
        let handles = handles.clone();
        async move { wait_until(|| handles.limits().list().iter().any(|it| it.1.waiting == n)).await }
    };
    let order = Mutex::new(Vec::new());
    let named = |name: &'static str, priority| {
        let (order, call) = (&order, ask(name, priority));
        async move {
            call.await.unwrap();
            order.lock().unwrap().push(name);
        }
    };
    let first = named("first", Priority::Interactive);
    let batch = async {
        wait_until(|| provider.in_flight() == 1).await;
        named("batch", Priority::Batch).await;
    };
    let later = async {
        waiting(1).await;
        named("interactive", Priority::Interactive).await;
    };
    ends(async { tokio::join!(first, batch, later) }).await;
    assert_eq!(*order.lock().unwrap(), ["first", "interactive", "batch"]);
}

#[tokio::test]
async fn a_wrong_option_is_the_error_of_the_request() {
    let (server, provider) = always(Reply::answer()).await;
    let (client, _) = with(builder());
    let wrong = CallOptions::new().fallback_models(["a b"]);
    let error = own(send(client.post(url(&server)).with_extension(wrong)).await.unwrap_err());
    let source = error.source().and_then(|source| source.downcast_ref::<ConfigError>());
    assert_eq!((source.map(ConfigError::field), provider.count()), (Some("fallback_models"), 0));
}

#[tokio::test]
async fn the_handles_show_and_change_the_routes_of_the_calls() {
    let (server, provider) = always(Reply::answer()).await;
    let (client, handles) = with(builder());
    let request = || client.post(url(&server)).body(JSON);
    send(request()).await.unwrap().text().await.unwrap();
    let asked = transport().post(url(&server)).body(JSON);
    let [(used, _)] = &handles.breakers().list()[..] else { panic!("one route") };
    assert_eq!(handles.routes_of(&asked), std::slice::from_ref(used));
    assert_eq!(handles.limits().list().len(), 1);
    assert!(handles.availability_of(&asked).is_clear());
    handles.breakers().force_open(used);
    assert!(handles.availability_of(&asked).is_unavailable());
    assert!(own(send(request()).await.unwrap_err()).is_refused());
    handles.reset(used);
    assert!(send(request()).await.is_ok());
    assert_eq!(provider.count(), 2);
}

#[tokio::test]
async fn the_handles_send_nothing_and_say_what_does() {
    let (server, provider) = always(Reply::answer()).await;
    let (_, handles) = with(builder().fallback(Fallback::canned(BUSY)));
    let asked = transport().post(url(&server)).body(JSON);
    let error = ends(handles.execute(asked)).await.unwrap_err();
    assert!(
        error.to_string().contains("allowed is a call through the reqwest-middleware client"),
        "{error}"
    );
    assert!(!error.is_refused() && !error.is_timeout() && provider.count() == 0);
    assert!(handles.breakers().list().is_empty(), "no breaker has recorded it");
}
