//! Settings of one call: by the builder of a call, in extensions, by a scope; their precedence, and what is refused.

#[cfg(feature = "reqwest")]
mod over_reqwest;
mod refusals;
mod requests;
mod scopes;

use std::{future::Future, sync::Arc};

use evenkeel::{
    CallOptions, Client, Error, Request, Response,
    cache::Tenant,
    context::{AffinityKey, Deadline, Priority},
    dialect::Dialect,
    fallback::{Fallback, Fallbacks, Target},
    stream::{CommitPolicy, MidStreamFailure},
};
use evenkeel_testkit::{Provider, Reply};
use tokio::time::Instant;

use crate::support::{RequestLog, chat, ms, over, post, secs, with_extension};

/// A client over a service that records its requests.
fn recording() -> (Client, RequestLog) {
    let log = RequestLog::default();
    let body = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    let upstream = log.answering(move |_| {
        let answer = http::Response::builder().header("content-type", "application/json");
        Ok(answer.body(body.into()).unwrap())
    });
    (Client::builder().build_with(upstream).unwrap(), log)
}

/// The models that a provider was asked for, in order.
fn models(provider: &Provider) -> Vec<Arc<str>> {
    provider.attempts().into_iter().filter_map(|attempt| attempt.model).collect()
}

/// The deadline that the last request had left when it was sent, from `start`.
fn deadline(log: &RequestLog, start: Instant) -> std::time::Duration {
    log.last().extensions().get::<Deadline>().expect("a deadline").left(start)
}

fn full() -> CallOptions {
    CallOptions::new()
        .deadline(secs(7))
        .priority(Priority::Batch)
        .fallback_models(["b"])
        .affinity("talk-7")
        .commit(CommitPolicy::Complete)
        .tenant("a tenant")
        .mid_stream_failure(MidStreamFailure::Continue)
        .dialect(Dialect::OpenAiChat)
}

/// The values of a request that layers read.
fn values(request: &Request) -> [bool; 7] {
    let it = request.extensions();
    [
        it.get() == Some(&Priority::Batch),
        it.get::<Fallbacks>().is_some(),
        it.get() == Some(&AffinityKey::new("talk-7")),
        it.get() == Some(&CommitPolicy::Complete),
        it.get() == Some(&Tenant::new("a tenant")),
        it.get() == Some(&MidStreamFailure::Continue),
        it.get() == Some(&Dialect::OpenAiChat),
    ]
}

async fn ask(call: impl Future<Output = Result<Response, Error>>) -> Response {
    call.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_field_reaches_the_layers_by_each_way() {
    let (client, log) = recording();
    let start = Instant::now();
    ask(client.call(chat(false)).options(full()).send()).await;
    assert_eq!((values(&log.last()), deadline(&log, start)), ([true; 7], secs(7)));
    ask(client.send(with_extension(chat(false), full()))).await;
    assert_eq!((values(&log.last()), deadline(&log, start)), ([true; 7], secs(7)));
    ask(full().scope(client.send(chat(false)))).await;
    assert_eq!((values(&log.last()), deadline(&log, start)), ([true; 7], secs(7)));
    let mut request = chat(false);
    full().apply(request.extensions_mut()).unwrap();
    assert_eq!(values(&request), [true; 7]);
    ask(client.send(chat(false))).await;
    assert_eq!(values(&log.last()), [false; 7], "the next call has none of them");
    assert!(log.last().extensions().get::<CallOptions>().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_setters_of_a_call_are_those_of_the_options() {
    let (client, log) = recording();
    let call = client
        .call(chat(false))
        .deadline(secs(9))
        .priority(Priority::Batch)
        .fallbacks([Fallback::canned("never asked")])
        .affinity("talk-7")
        .commit(CommitPolicy::Complete)
        .tenant("a tenant")
        .mid_stream_failure(MidStreamFailure::Continue)
        .dialect(Dialect::OpenAiChat);
    let start = Instant::now();
    call.await.unwrap();
    assert_eq!((values(&log.last()), deadline(&log, start)), ([true; 7], secs(9)));
    let at = start + secs(3);
    client.call(chat(false)).deadline(secs(9)).deadline_at(at).await.unwrap();
    assert_eq!(deadline(&log, start), secs(3), "the last one set");
}

#[tokio::test(start_paused = true)]
async fn the_more_explicit_value_of_each_field_wins() {
    let (client, log) = recording();
    let start = Instant::now();
    let of = |limit| CallOptions::new().deadline(secs(limit));
    let scope = of(1).priority(Priority::Batch).affinity("scope").tenant("scope");
    let inside = of(2).priority(Priority::Interactive).affinity("inside");
    let request = with_extension(chat(false), inside);
    let request = with_extension(request, Deadline::within(secs(3)));
    let call = client.call(request).deadline(secs(4)).send();
    ask(scope.scope(call)).await;
    let last = log.last();
    let it = last.extensions();
    assert_eq!(deadline(&log, start), secs(4), "the call's own");
    assert_eq!(it.get(), Some(&Priority::Interactive), "that of the request");
    assert_eq!(it.get(), Some(&AffinityKey::new("inside")));
    assert_eq!(it.get(), Some(&Tenant::new("scope")), "that of the scope");

    let request = with_extension(chat(false), of(2));
    let request = with_extension(request, Deadline::within(secs(3)));
    ask(of(1).scope(client.send(request))).await;
    assert_eq!(deadline(&log, start), secs(3), "a single value before options");
    ask(of(1).scope(client.send(with_extension(chat(false), of(2))))).await;
    assert_eq!(deadline(&log, start), secs(2), "options of the request before the scope");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_one_call_ends_it_and_fallbacks_of_it_answer_before() {
    let silent = Provider::new("primary").always(Reply::hang());
    let client = over(Client::builder(), [&silent]);
    let start = Instant::now();
    let error = client.call(chat(false)).deadline(ms(300)).await.unwrap_err();
    assert!(error.is_timeout() && start.elapsed() <= ms(300), "{:?}", start.elapsed());
    let start = Instant::now();
    let call = client.call(chat(false)).deadline(ms(300)).fallbacks([Fallback::canned("busy")]);
    let answer = call.await.unwrap();
    assert_eq!(answer.headers()["evenkeel-served-by"], "canned");
    assert!(start.elapsed() <= ms(300), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_counts_from_the_moment_at_which_the_call_is_sent() {
    let silent = Provider::new("primary").always(Reply::hang());
    let client = over(Client::builder(), [&silent]);
    let call = client.call(chat(false)).deadline(ms(300)).send();
    tokio::time::sleep(secs(5)).await;
    let start = Instant::now();
    assert!(call.await.unwrap_err().is_timeout());
    assert_eq!(start.elapsed(), ms(300));
}

#[tokio::test(start_paused = true)]
async fn models_are_asked_for_where_the_call_is_addressed() {
    let failing =
        [Reply::error(404, "", "model_not_found"), Reply::error(404, "", "model_not_found")];
    let primary = Provider::new("primary").replies(failing);
    let client = over(Client::builder(), [&primary]);
    let answer = client.call(chat(false)).fallback_models(["b", "org/c:free"]).await.unwrap();
    assert_eq!(answer.headers()["evenkeel-served-by"], "org/c:free");
    assert_eq!(models(&primary), ["m", "b", "org/c:free"].map(Arc::from).to_vec());
}

#[tokio::test(start_paused = true)]
async fn models_are_asked_for_at_the_first_target_of_the_client() {
    let (log, missing) = (RequestLog::default(), r#"{"error":{"code":"model_not_found"}}"#);
    let upstream = log.answering(move |_| {
        let answer = http::Response::builder().status(404);
        Ok(answer.header("content-type", "application/json").body(missing.into()).unwrap())
    });
    let target = |host: &str| Target::new(format!("http://{host}/v1")).bearer(host).model("own");
    let one = Client::builder().primary(target("one"));
    let client = one.build_with(upstream.clone()).unwrap();
    ask(client.call(chat(false)).fallback_models(["b"]).send()).await;
    assert_eq!(
        (log.hosts(), log.models()),
        (vec!["one".into(); 2], vec!["own".into(), "b".to_owned()])
    );
    assert_eq!(log.last().headers()["authorization"], "Bearer one");

    let several = Client::builder().primaries(["one", "two"].map(target));
    let client = several.build_with(upstream).unwrap();
    ask(client.call(chat(false)).fallback_models(["c"]).send()).await;
    assert!(log.hosts().iter().all(|host| ["one", "two"].contains(&host.as_str())));
    assert_eq!(log.models().last().map(String::as_str), Some("c"));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_model_has_no_other_models() {
    let primary = Provider::new("primary").always(Reply::error(404, "", "model_not_found"));
    let client = over(Client::builder(), [&primary]);
    let request = || post("/v1/embeddings", r#"{"model":"e","input":"text"}"#);
    ask(client.call(request()).fallback_models(["b"]).send()).await;
    let alone = primary.count();
    primary.forget();
    ask(client.send(request())).await;
    assert_eq!(alone, primary.count());
}

#[tokio::test(start_paused = true)]
async fn a_dialect_of_a_scope_leaves_calls_of_another_kind_alone() {
    let (client, log) = recording();
    let options = CallOptions::new().dialect(Dialect::OpenAiChat);
    ask(options.scope(client.send(post("/v1/embeddings", r#"{"input":"text"}"#)))).await;
    assert!(log.last().extensions().get::<Dialect>().is_none());
    ask(options.scope(client.send(post("/custom", r#"{"messages":[]}"#)))).await;
    assert_eq!(log.last().extensions().get(), Some(&Dialect::OpenAiChat));
}
