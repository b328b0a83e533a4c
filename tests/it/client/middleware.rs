//! The stack as a middleware of reqwest-middleware, between other middlewares.

use std::sync::atomic::{AtomicU32, Ordering};

use evenkeel::adapter::reqwest_middleware::EvenkeelMiddleware;
use http::Extensions;
use reqwest_middleware::{ClientWithMiddleware, Middleware, Next, Result};

use super::*;

/// Counts the requests that pass through, and records it in the extensions; `wrong` is a reply instead.
#[derive(Clone, Default)]
struct Counts {
    passed: Arc<AtomicU32>,
    urls: Arc<Mutex<Vec<String>>>,
    keys: Arc<Mutex<Vec<String>>>,
    wrong: Option<&'static str>,
}

/// The value that the outer one sets, and the value that the inner one leaves.
#[derive(Clone, Debug, PartialEq)]
struct Name(&'static str);
#[derive(Clone, Debug, PartialEq)]
struct Times(u32);

impl Counts {
    fn count(&self) -> u32 {
        self.passed.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl Middleware for Counts {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<reqwest::Response> {
        let times = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        self.urls.lock().unwrap().push(request.url().to_string());
        let key = request.headers().get("authorization").and_then(|key| key.to_str().ok());
        self.keys.lock().unwrap().push(key.unwrap_or_default().into());
        if extensions.get() == Some(&Name("given")) {
            extensions.insert(Times(times));
        }
        match self.wrong {
            Some(wrong) => Err(reqwest_middleware::Error::Middleware(anyhow::anyhow!(wrong))),
            None => next.run(request, extensions).await,
        }
    }
}

/// A client with one middleware before ours and one after it.
struct Onion {
    outer: Counts,
    inner: Counts,
    client: ClientWithMiddleware,
}

impl Onion {
    fn new(builder: ClientBuilder) -> Self {
        Self::with(builder, Counts::default())
    }

    fn with(builder: ClientBuilder, inner: Counts) -> Self {
        let outer = Counts::default();
        let client = reqwest_middleware::ClientBuilder::new(transport())
            .with(outer.clone())
            .with(EvenkeelMiddleware::new(builder).unwrap())
            .with(inner.clone())
            .build();
        Self { outer, inner, client }
    }

    async fn ask(&self, request: reqwest::Request) -> Result<reqwest::Response> {
        ends(self.client.execute(request)).await
    }
}

fn within(error: &reqwest_middleware::Error) -> &Error {
    match error {
        reqwest_middleware::Error::Middleware(error) => {
            error.downcast_ref().expect("an error of ours")
        }
        other => panic!("not from a middleware: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_added_before_runs_once_a_call_and_what_is_added_after_once_an_attempt() {
    let provider = Provider::new("p").replies([Reply::status(500), Reply::status(503)]);
    let server = serve(&provider).await;
    let onion = Onion::new(builder());
    let answer = onion.ask(post(&server, STREAM)).await.unwrap();
    assert_eq!(
        (answer.url(), answer.headers()["x-served-by"].as_bytes()),
        (&url(&server), &b"p"[..])
    );
    assert_eq!(words(&answer.text().await.unwrap()), WORDS);
    assert_eq!((onion.outer.count(), onion.inner.count(), provider.count()), (1, 3, 3));
}

#[tokio::test]
async fn what_is_added_after_sees_each_target_with_its_key() {
    let (first, _) = always(Reply::status(401)).await;
    let (second, _) = always(Reply::answer()).await;
    let onion = Onion::new(builder().fallback(fallback(&second)));
    let answer = onion.ask(post(&first, JSON)).await.unwrap();
    assert_eq!(answer.url(), &url(&second));
    assert_eq!(*onion.inner.urls.lock().unwrap(), [url(&first).as_str(), url(&second).as_str()]);
    assert_eq!(
        *onion.inner.keys.lock().unwrap(),
        ["Bearer the-first-key", "Bearer the-second-key"]
    );
    assert_eq!(*onion.outer.keys.lock().unwrap(), ["Bearer the-first-key"]);
}

#[tokio::test]
async fn extensions_go_in_to_every_attempt_and_come_back_out_of_the_last() {
    let (server, _) = once(Reply::status(500)).await;
    let onion = Onion::new(builder());
    let mut extensions = Extensions::new();
    extensions.insert(Name("given"));
    let request = post(&server, JSON);
    let answer =
        ends(onion.client.execute_with_extensions(request, &mut extensions)).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(extensions.get(), Some(&Times(2)));
    assert_eq!(extensions.get(), Some(&Name("given")));
}

#[tokio::test]
async fn an_error_keeps_its_outcome_and_its_source() {
    let (server, _) = always(Reply::refused()).await;
    server.settle().await;
    let onion = Onion::new(builder());
    let error = onion.ask(post(&server, JSON)).await.unwrap_err();
    let ours = within(&error);
    assert!(ours.is_connect() && !ours.is_timeout());
    assert_eq!(ours.attempt_log().unwrap().sent(), 3);
    let source = ours.source().and_then(|source| source.downcast_ref::<reqwest::Error>());
    assert!(source.expect("reqwest's own").is_connect());
    assert_eq!((onion.outer.count(), onion.inner.count()), (1, 3));

    let (silent, _) = always(Reply::hang()).await;
    let mut request = post(&silent, JSON);
    *request.timeout_mut() = Some(ms(300));
    let error = onion.ask(request).await.unwrap_err();
    assert!(within(&error).is_timeout());
}

#[tokio::test]
async fn an_error_of_a_middleware_within_is_the_source_of_ours() {
    let (server, provider) = always(Reply::answer()).await;
    let inner = Counts { wrong: Some("no signature today"), ..Counts::default() };
    let onion = Onion::with(builder(), inner);
    let error = onion.ask(post(&server, JSON)).await.unwrap_err();
    let source = within(&error).source().expect("its own").to_string();
    assert_eq!((source.as_str(), provider.count()), ("no signature today", 0));

    let inner = Counts { wrong: Some("no signature today"), ..Counts::default() };
    let canned = Onion::with(builder().fallback(Fallback::canned(BUSY)), inner);
    let answer = canned.ask(post(&server, JSON)).await.unwrap();
    assert_eq!(words(&answer.text().await.unwrap()), BUSY);
}

#[tokio::test]
async fn an_attempt_that_the_stack_gives_up_is_cancelled() {
    let (first, silent) = always(Reply::hang()).await;
    let (second, _) = always(Reply::answer()).await;
    let limits = TimeoutPolicy::new().attempt(ms(400)).first_event(ms(400));
    let profile = quick().timeout(limits);
    let onion = Onion::new(Client::builder().profile(profile).fallback(fallback(&second)));
    let answer = onion.ask(post(&first, STREAM)).await.unwrap();
    assert_eq!(answer.headers()["evenkeel-served-by"], "spare");
    wait_until(|| silent.cancelled() == 1).await;
    assert_eq!(words(&answer.text().await.unwrap()), WORDS);
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_the_attempt_and_leaves_the_breaker_alone() {
    let (server, provider) = always(Reply::hang()).await;
    let log = EventLog::default();
    let onion = Onion::new(log.attach_to(Client::builder()));
    for n in 1..=6 {
        let (client, request) = (onion.client.clone(), post(&server, JSON));
        let call = tokio::spawn(async move { client.execute(request).await });
        wait_until(|| provider.in_flight() == 1).await;
        call.abort();
        wait_until(|| provider.cancelled() == n).await;
    }
    assert_eq!((log.count("call_ended"), log.count("breaker_changed")), (6, 0));
    provider.set(Reply::answer());
    assert_eq!(onion.ask(post(&server, JSON)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_stream_comes_through_chunk_by_chunk_and_its_failure_as_ours() {
    let dies = Reply::answer().between_events(ms(5)).with(Fault::Cut { words: 40 });
    let well = Reply::answer().between_events(ms(5));
    let provider = Provider::new("primary").replies([well]).always(dies);
    let server = serve(&provider).await;
    let onion = Onion::new(builder());
    let mut answer = onion.ask(post(&server, STREAM)).await.unwrap();
    ends(answer.chunk()).await.unwrap().unwrap();
    assert_eq!(provider.in_flight(), 1);
    ends(answer.text()).await.unwrap();
    let answer = onion.ask(post(&server, STREAM)).await.unwrap();
    let error = ends(answer.text()).await.unwrap_err();
    assert!(own_error(&error).is_truncated());
}

#[tokio::test]
async fn a_streamed_request_body_passes_once() {
    let (server, provider) = once(Reply::answer()).await;
    let onion = Onion::new(builder());
    let body = || reqwest::Body::wrap_stream(words_of(JSON));
    let answer = onion.ask(post(&server, body())).await.unwrap();
    assert_eq!(words(&answer.text().await.unwrap()), WORDS);
    assert_eq!(provider.attempts()[0].messages, 1);
    provider.set(Reply::status(503));
    provider.forget();
    assert_eq!(onion.ask(post(&server, body())).await.unwrap().status(), 503);
    assert_eq!((provider.count(), onion.inner.count()), (1, 2));
}

#[tokio::test]
async fn many_calls_at_once_share_the_stack_and_not_each_others_attempts() {
    let (server, provider) = always(Reply::answer().between_events(ms(1))).await;
    let onion = Onion::new(builder());
    let calls = (0..40).map(|n| {
        let body = format!(r#"{{"model":"m{n}","messages":[]}}"#);
        let call = onion.ask(post(&server, body));
        async move {
            let text = call.await.unwrap().text().await.unwrap();
            assert!(text.contains(&format!(r#""model":"m{n}""#)), "{text}");
        }
    });
    ends(futures_util::future::join_all(calls)).await;
    assert_eq!((onion.inner.count(), provider.count()), (40, 40));
}
