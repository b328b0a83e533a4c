//! The client in reqwest and in reqwest-middleware, over real sockets and the real clock, with short limits.

#[cfg(feature = "reqwest-middleware")]
mod middleware;
#[cfg(feature = "reqwest-middleware")]
mod middleware_options;
mod uploads;

use std::{
    error::Error as StdError,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Client, ClientBuilder, Error, Profile,
    breaker::BreakerPolicy,
    context::{AttemptLog, Deadline},
    fallback::{Capabilities, Fallback, Prefill, Target},
    outcome::{Outcome, Phase, Verdict},
    retry::RetryPolicy,
    stream::MidStreamFailure,
    telemetry::{EventKind, SkipReason, StopReason},
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{Fault, Provider, Reply, Server, WORDS};
use futures_util::{StreamExt, stream};
use reqwest::{Method, Url};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{sleep, timeout},
};
use tower::ServiceExt;

use crate::support::{EventLog, ms, own_error, transport, wait_until, words};

/// Longer than any test: a future that does not end by then hangs.
const LONG: Duration = Duration::from_secs(5);
const BUSY: &str = "We are very busy.";
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user"}]}"#;
const JSON: &str = r#"{"model":"m","messages":[{"role":"user"}]}"#;

/// Limits and waits in milliseconds, so that failures are quick too.
fn quick() -> Profile {
    let second = Duration::from_secs(1);
    let timeout = TimeoutPolicy::new().attempt(2 * second).first_event(2 * second).idle(second);
    let retry = RetryPolicy::default().base(ms(10)).max_backoff(ms(40)).min_attempt_time(ms(1));
    let breaker =
        BreakerPolicy::default().consecutive_failures(None).failure_ratio(None).slow_ratio(None);
    let profile = Profile::interactive().deadline(4 * second).connect(2 * second);
    profile.timeout(timeout).retry(retry).breaker(breaker)
}

fn builder() -> ClientBuilder {
    Client::builder().profile(quick())
}

fn client(builder: ClientBuilder) -> Client {
    builder.build_with_reqwest(transport()).unwrap()
}

async fn serve(provider: &Provider) -> Server {
    Server::start(provider.clone()).await.unwrap()
}

/// A server with this reply to all requests that have no other.
async fn always(reply: Reply) -> (Server, Provider) {
    let provider = Provider::new("primary").always(reply);
    (serve(&provider).await, provider)
}

async fn once(reply: Reply) -> (Server, Provider) {
    let provider = Provider::new("primary").replies([reply]);
    (serve(&provider).await, provider)
}

fn url(server: &Server) -> Url {
    format!("{}/v1/chat/completions", server.url()).parse().unwrap()
}

fn post(server: &Server, body: impl Into<reqwest::Body>) -> reqwest::Request {
    let mut request = reqwest::Request::new(Method::POST, url(server));
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    request.headers_mut().insert("authorization", "Bearer the-first-key".parse().unwrap());
    *request.body_mut() = Some(body.into());
    request
}

/// The second server as a fallback.
fn fallback(server: &Server) -> Fallback {
    let target = Target::new(format!("{}/v1", server.url()));
    Fallback::target(target.bearer("the-second-key").model("spare"))
}

/// Asserts that a future ends, whatever its result.
async fn ends<T>(work: impl Future<Output = T>) -> T {
    timeout(LONG, work).await.expect("it ends")
}

// === as reqwest does it ===

#[tokio::test]
async fn an_answer_equals_that_of_plain_reqwest() {
    let (server, provider) = always(Reply::answer().header("x-request-id", "req-1")).await;
    let client = client(builder());
    for body in [JSON, STREAM] {
        let plain = transport().execute(post(&server, body)).await.unwrap();
        let answer = ends(client.execute(post(&server, body))).await.unwrap();
        assert_eq!((answer.status(), answer.version()), (plain.status(), plain.version()));
        assert_eq!(answer.headers(), plain.headers());
        assert_eq!((answer.url(), answer.remote_addr()), (&url(&server), plain.remote_addr()));
        assert_eq!(answer.content_length(), plain.content_length());
        assert!(
            answer
                .extensions()
                .get::<AttemptLog>()
                .is_some_and(|attempt_log| attempt_log.sent() == 1)
        );
        assert!(answer.extensions().get::<Verdict>().is_some());
        assert_eq!(answer.bytes().await.unwrap(), plain.bytes().await.unwrap());
    }
    assert_eq!(provider.count(), 4);
}

#[tokio::test]
async fn a_final_failure_equals_that_of_plain_reqwest() {
    for reply in [Reply::status(503), Reply::raw(502, "text/html", "<html>"), Reply::status(401)] {
        let (server, _) = always(reply).await;
        let plain = transport().execute(post(&server, JSON)).await.unwrap();
        let answer = ends(client(builder()).execute(post(&server, JSON))).await.unwrap();
        assert_eq!((answer.status(), answer.headers()), (plain.status(), plain.headers()));
        assert!(answer.error_for_status_ref().is_err());
        assert_eq!(answer.bytes().await.unwrap(), plain.bytes().await.unwrap());
    }
}

#[tokio::test]
async fn the_client_is_a_service_of_reqwests_requests() {
    let (server, provider) = once(Reply::status(500)).await;
    let request = post(&server, JSON);
    let answer: reqwest::Response = ends(client(builder()).oneshot(request)).await.unwrap();
    assert_eq!(words(&answer.text().await.unwrap()), WORDS);
    assert_eq!(provider.count(), 2);
}

#[tokio::test]
async fn a_stream_arrives_chunk_by_chunk() {
    let (server, provider) = always(Reply::answer().between_events(ms(10))).await;
    let client = client(builder());
    let mut answer = ends(client.execute(post(&server, STREAM))).await.unwrap();
    let first = ends(answer.chunk()).await.unwrap().expect("a first chunk");
    assert_eq!(provider.in_flight(), 1, "the provider is at it still");
    let mut text = first.to_vec();
    let mut chunks = 1;
    while let Some(chunk) = ends(answer.chunk()).await.unwrap() {
        text.extend_from_slice(&chunk);
        chunks += 1;
    }
    assert!(chunks > 10, "{chunks}");
    assert_eq!(words(&String::from_utf8(text).unwrap()), WORDS);

    let answer = ends(client.execute(post(&server, STREAM))).await.unwrap();
    let pieces: Vec<_> = ends(answer.bytes_stream().collect()).await;
    let text: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap()).collect();
    assert_eq!(words(&String::from_utf8(text).unwrap()), WORDS);
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_cancelled_at_the_provider() {
    let (server, provider) = always(Reply::answer().between_events(ms(20))).await;
    let log = EventLog::default();
    let mut answer =
        ends(client(log.attach_to(builder())).execute(post(&server, STREAM))).await.unwrap();
    ends(answer.chunk()).await.unwrap().unwrap();
    drop(answer);
    wait_until(|| provider.cancelled() == 1).await;
    wait_until(|| log.count("body_ended") == 1).await;
}

#[tokio::test]
async fn the_url_is_that_of_the_target_that_answered() {
    let (first, _) = always(Reply::status(503)).await;
    let (second, _) = always(Reply::answer()).await;
    let asked = url(&first);
    let client = client(builder().fallback(fallback(&second)).fallback(Fallback::canned(BUSY)));
    let answer = ends(client.execute(post(&first, JSON))).await.unwrap();
    assert_eq!(answer.url(), &url(&second));
    assert_eq!(answer.headers()["evenkeel-served-by"], "spare");
    drop(second);
    let answer = ends(client.execute(post(&first, JSON))).await.unwrap();
    assert_eq!((answer.url(), answer.status().as_u16()), (&asked, 200));
    assert_eq!(words(&answer.text().await.unwrap()), BUSY);
}

// === time ===

#[tokio::test]
async fn the_timeout_of_a_request_is_the_deadline_of_its_call() {
    let (server, provider) = always(Reply::hang()).await;
    let mut request = post(&server, JSON);
    *request.timeout_mut() = Some(ms(300));
    let error = ends(client(builder()).execute(request)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Deadline });
    assert_eq!(provider.count(), 1);

    let canned = client(builder().fallback(Fallback::canned(BUSY)));
    let mut request = post(&server, JSON);
    *request.timeout_mut() = Some(ms(300));
    let answer = ends(canned.execute(request)).await.unwrap();
    assert_eq!(answer.headers()["evenkeel-served-by"], "canned");
}

#[tokio::test]
async fn a_long_timeout_of_a_request_does_not_lift_the_deadline() {
    // As SDKs do, which set ten minutes for every request.
    let (server, provider) = always(Reply::status(503).head_after(ms(150))).await;
    let retry = RetryPolicy::default()
        .retries(50)
        .base(ms(50))
        .max_backoff(ms(50))
        .min_attempt_time(ms(1))
        .budget_reserve(100);
    let limits = TimeoutPolicy::new().attempt(ms(500)).first_event(ms(500));
    let profile = quick().deadline(ms(500)).connect(ms(500)).retry(retry).timeout(limits);
    let client = client(Client::builder().profile(profile));
    for timeout in [Some(Duration::from_secs(600)), None] {
        let mut request = post(&server, JSON);
        *request.timeout_mut() = timeout;
        let _ = ends(client.execute(request)).await;
        assert!(provider.count() <= 4, "{} attempts of 150 ms in half a second", provider.count());
        provider.forget();
    }
}

#[tokio::test]
async fn the_timeout_of_a_request_does_not_end_a_stream_that_goes_on() {
    let (server, _) = always(Reply::answer().between_events(ms(20))).await;
    let mut request = post(&server, STREAM);
    *request.timeout_mut() = Some(ms(600));
    let answer = ends(client(builder()).execute(request)).await.unwrap();
    assert_eq!(words(&answer.text().await.unwrap()), WORDS, "twelve hundred milliseconds of it");
}

#[tokio::test]
async fn the_sooner_of_a_timeout_and_a_deadline_holds() {
    let (server, provider) = always(Reply::hang()).await;
    let hour = Duration::from_secs(3600);
    for (timeout, deadline) in [(ms(300), hour), (hour, ms(300))] {
        for body in [reqwest::Body::from(JSON), reqwest::Body::wrap_stream(words_of(JSON))] {
            let request = http::Request::post(url(&server).as_str()).body(body).unwrap();
            let (mut parts, body) = request.into_parts();
            parts.extensions.insert(Deadline::within(deadline));
            let mut request: reqwest::Request =
                http::Request::from_parts(parts, body).try_into().unwrap();
            *request.timeout_mut() = Some(timeout);
            let limits = TimeoutPolicy::new().attempt(hour).first_event(hour);
            let profile = quick().timeout(limits).deadline(hour);
            let patient = client(Client::builder().profile(profile));
            let error = ends(patient.execute(request)).await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Deadline });
        }
    }
    assert_eq!(provider.count(), 4);
}

#[tokio::test]
async fn a_silent_server_is_left_for_the_next() {
    let (first, silent) = always(Reply::hang()).await;
    let (second, _) = always(Reply::answer()).await;
    let limits = TimeoutPolicy::new().attempt(ms(400)).first_event(ms(400));
    let builder = Client::builder().profile(quick().timeout(limits)).fallback(fallback(&second));
    for body in [JSON, STREAM] {
        let answer = ends(client(builder.clone()).execute(post(&first, body))).await.unwrap();
        assert_eq!(answer.headers()["x-served-by"], "primary");
        assert_eq!(answer.headers()["evenkeel-served-by"], "spare");
    }
    assert_eq!(silent.count(), 2);
    wait_until(|| silent.in_flight() == 0).await;
}

#[tokio::test]
async fn a_body_that_stalls_is_an_error_of_reqwests_with_ours_within() {
    let (server, _) = always(Reply::answer().with(Fault::stall(5))).await;
    let answer = ends(client(builder()).execute(post(&server, STREAM))).await.unwrap();
    let error = ends(answer.text()).await.unwrap_err();
    assert_eq!(own_error(&error).outcome(), Outcome::TimedOut { phase: Phase::Idle });
    assert_eq!(own_error(&error).attempt_log().unwrap().sent(), 1);
}

// === request bodies ===

fn words_of(text: &str) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + use<> {
    let pieces: Vec<_> = text.as_bytes().chunks(7).map(Bytes::copy_from_slice).collect();
    stream::iter(pieces.into_iter().map(Ok))
}

#[tokio::test]
async fn a_streamed_request_body_is_sent_once_and_whole() {
    let (first, provider) = once(Reply::answer()).await;
    let (second, spare) = always(Reply::answer()).await;
    let log = EventLog::default();
    let builder =
        log.attach_to(builder().fallback(fallback(&second)).fallback(Fallback::canned(BUSY)));
    let client = client(builder);
    let body = || reqwest::Body::wrap_stream(words_of(JSON));
    let answer = ends(client.execute(post(&first, body()))).await.unwrap();
    assert_eq!(words(&answer.text().await.unwrap()), WORDS);
    assert_eq!(provider.attempts()[0].messages, 1, "it was read whole at the other side");

    provider.set(Reply::status(503));
    provider.forget();
    let answer = ends(client.execute(post(&first, body()))).await.unwrap();
    assert_eq!(answer.status(), 503, "the provider's own answer");
    assert_eq!((provider.count(), spare.count()), (1, 0));
    let once = |event: &EventKind| match event {
        EventKind::RetryStopped { reason, .. } => *reason == StopReason::Once,
        EventKind::FallbackSkipped { reason, .. } => *reason == SkipReason::Once,
        _ => false,
    };
    assert_eq!(log.events().iter().filter(|event| once(event)).count(), 2);
}

#[tokio::test]
async fn a_large_request_arrives_whole_at_each_attempt() {
    let (server, provider) = once(Reply::status(500)).await;
    let messages = vec![serde_json::json!({"role": "user", "content": "x".repeat(100_000)}); 20];
    let body = serde_json::json!({"model": "m", "messages": messages}).to_string();
    ends(client(builder()).execute(post(&server, body))).await.unwrap();
    let messages: Vec<_> = provider.attempts().iter().map(|attempt| attempt.messages).collect();
    assert_eq!(messages, [20, 20]);
}

#[tokio::test]
async fn a_request_without_a_body_is_sent() {
    let (server, provider) = always(Reply::raw(200, "application/json", r#"{"data":[]}"#)).await;
    let url = format!("{}/v1/models", server.url()).parse().unwrap();
    let request = reqwest::Request::new(Method::GET, url);
    let answer = ends(client(builder()).execute(request)).await.unwrap();
    assert_eq!((answer.text().await.unwrap().as_str(), provider.count()), (r#"{"data":[]}"#, 1));
}

// === connections ===

#[tokio::test]
async fn a_refused_connection_is_unreachable_and_the_next_target_is_asked() {
    let (first, provider) = always(Reply::refused()).await;
    let (second, _) = always(Reply::answer()).await;
    first.settle().await;
    let error = ends(client(builder()).execute(post(&first, JSON))).await.unwrap_err();
    assert_eq!((error.outcome(), error.is_connect()), (Outcome::Unreachable, true));
    assert_eq!(error.attempt_log().unwrap().sent(), 3, "nothing was sent, so it is tried again");
    let source = error.source().and_then(|source| source.downcast_ref::<reqwest::Error>());
    assert!(source.expect("the transport's own").is_connect());

    let both = client(builder().fallback(fallback(&second)));
    let answer = ends(both.execute(post(&first, STREAM))).await.unwrap();
    assert_eq!(answer.headers()["evenkeel-served-by"], "spare");
    assert_eq!(words(&answer.text().await.unwrap()), WORDS);
    assert_eq!(provider.count(), 0);
}

#[tokio::test]
async fn a_connection_that_is_reset_is_tried_once_more() {
    let (server, provider) = always(Reply::reset()).await;
    let error = ends(client(builder()).execute(post(&server, JSON))).await.unwrap_err();
    assert_eq!((error.outcome(), provider.count()), (Outcome::ConnectionLost, 2));
    assert!(error.source().is_some_and(|source| source.is::<reqwest::Error>()));

    let (server, provider) = once(Reply::reset()).await;
    let answer = ends(client(builder()).execute(post(&server, JSON))).await.unwrap();
    assert_eq!((words(&answer.text().await.unwrap()), provider.count()), (WORDS.into(), 2));
}

#[tokio::test]
async fn a_cut_answer_is_retried_and_a_cut_stream_is_an_error() {
    for fault in [Fault::Cut { words: 40 }, Fault::ResetAfter { bytes: 300 }] {
        let (server, provider) = once(Reply::answer().with(fault.clone())).await;
        let answer = ends(client(builder()).execute(post(&server, JSON))).await.unwrap();
        assert_eq!((words(&answer.text().await.unwrap()), provider.count()), (WORDS.into(), 2));

        // A reset may overtake the first words: the stream is truncated, or requested again.
        let (server, provider) = once(Reply::answer().with(fault)).await;
        let answer = ends(client(builder()).execute(post(&server, STREAM))).await.unwrap();
        match answer.text().await {
            Ok(text) => assert_eq!((words(&text), provider.count()), (WORDS.into(), 2)),
            Err(error) => {
                assert!(own_error(&error).is_truncated() && provider.count() == 1, "{error:?}")
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_dies_is_read_whole_and_once_where_the_second_server_goes_on() {
    for fault in [Fault::Cut { words: 40 }, Fault::ResetAfter { bytes: 5000 }] {
        let (first, _) = always(Reply::answer().with(fault).between_events(ms(2))).await;
        let provider = Provider::new("secondary").continues();
        let second = serve(&provider).await;
        let able =
            fallback(&second).capabilities(Capabilities::default().prefill(Prefill::Message));
        let client =
            client(builder().fallback(able).mid_stream_failure(MidStreamFailure::Continue));
        let answer = ends(client.execute(post(&first, STREAM))).await.unwrap();
        let mut body = answer.bytes_stream();
        let (mut text, mut held, mut done) = (String::new(), String::new(), 0);
        // As a parser of server-sent events reads: line by line, with an event at each blank line.
        ends(async {
            while let Some(bytes) = body.next().await {
                held += std::str::from_utf8(&bytes.expect("no error reaches the reader")).unwrap();
                while let Some((event, rest)) = held.split_once("\n\n") {
                    let data = event.strip_prefix("data: ").expect("nothing else is sent");
                    match data {
                        "[DONE]" => done += 1,
                        _ => text += &words(data),
                    }
                    held = rest.to_owned();
                }
            }
        })
        .await;
        assert_eq!((text.as_str(), done, held.as_str()), (WORDS, 1, ""));
        assert_eq!(provider.count(), 1);
        assert!(provider.attempts()[0].prefill);
    }
}

#[tokio::test]
async fn calls_at_once_are_all_answered_while_the_first_target_goes_away() {
    let (first, provider) = always(Reply::answer().between_events(ms(1))).await;
    let (second, _) = always(Reply::answer()).await;
    let client = client(
        Client::builder()
            .profile(quick().breaker(BreakerPolicy::default()))
            .fallback(fallback(&second)),
    );
    let calls = (0..50).map(|n| {
        let (client, request) = (client.clone(), post(&first, JSON));
        let provider = provider.clone();
        async move {
            sleep(ms(n * 4)).await;
            if n == 20 {
                provider.set(Reply::refused());
            }
            let answer = client.execute(request).await.unwrap();
            words(&answer.text().await.unwrap())
        }
    });
    let answers = ends(futures_util::future::join_all(calls)).await;
    assert!(answers.iter().all(|answer| answer == WORDS));
}

// === keys ===

/// A server that records every request, and answers each in the same way.
async fn recorder(answer: String) -> (Url, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap()).parse().unwrap();
    let seen = Arc::new(Mutex::new(String::new()));
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut bytes = vec![0; 65_536];
            let mut length = 0;
            // The client sends no body without a length here, and each request fits into one or two reads.
            while !String::from_utf8_lossy(&bytes[..length]).ends_with('}') {
                match socket.read(&mut bytes[length..]).await {
                    Ok(0) | Err(_) => break,
                    Ok(more) => length += more,
                }
            }
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = socket.shutdown().await;
        }
    });
    (url, seen)
}

fn marked(server: &Server) -> reqwest::Request {
    let mut request = post(server, JSON);
    let headers = request.headers_mut();
    for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization"] {
        headers.insert(name, "the-first-key".parse().unwrap());
    }
    headers.insert("cookie", "session=the-first-key".parse().unwrap());
    headers.insert("openai-organization", "the-first-key".parse().unwrap());
    headers.insert("x-trace", "the-first-key".parse().unwrap());
    headers.insert("traceparent", "goes-along".parse().unwrap());
    request.url_mut().set_query(Some("key=the-first-key"));
    request
}

const ANSWER: &str =
    r#"{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}"#;

#[tokio::test]
async fn the_key_of_the_first_server_is_never_sent_to_the_second() {
    let (first, _) = always(Reply::status(503)).await;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        ANSWER.len()
    );
    let (url, seen) = recorder(head + ANSWER).await;
    let keyed = Target::new(&url).bearer("the-second-key");
    for target in [keyed, Target::new(&url)] {
        let client = client(builder().fallback(Fallback::target(target)));
        let answer = ends(client.execute(marked(&first))).await.unwrap();
        assert_eq!(words(&answer.text().await.unwrap()), "hello");
    }
    let seen = seen.lock().unwrap();
    assert!(!seen.contains("the-first-key"), "{seen}");
    assert_eq!(seen.matches("Bearer the-second-key").count(), 1);
    assert_eq!(seen.matches("goes-along").count(), 2, "what is for every provider goes along");
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_key_there() {
    let (other, seen) = recorder("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into()).await;
    for status in [301, 302, 303, 307, 308] {
        let moved = Reply::raw(status, "text/plain", "").header("location", other.as_str());
        let (server, provider) = always(moved).await;
        // The transport that evenkeel builds; a custom transport may follow redirects.
        let client = builder().build().unwrap();
        let answer = ends(client.execute(marked(&server))).await.unwrap();
        assert_eq!((answer.status().as_u16(), provider.count()), (status, 1));
        let canned = builder().fallback(Fallback::canned(BUSY)).build().unwrap();
        let answer = ends(canned.execute(marked(&server))).await.unwrap();
        assert_eq!(answer.headers()["evenkeel-served-by"], "canned");
    }
    assert_eq!(*seen.lock().unwrap(), "", "nobody went there");
}

#[tokio::test]
async fn no_key_shows_in_an_error_of_the_transport() {
    let (server, _) = always(Reply::refused()).await;
    server.settle().await;
    let (reset, _) = always(Reply::reset()).await;
    let (cut, _) = always(Reply::answer().with(Fault::Cut { words: 20 })).await;
    for server in [&server, &reset, &cut] {
        for body in [JSON, STREAM] {
            let mut request = marked(server);
            *request.body_mut() = Some(body.into());
            request.url_mut().set_username("the-first-key").unwrap();
            request.url_mut().set_password(Some("the-first-key")).unwrap();
            request.url_mut().set_fragment(Some("the-first-key"));
            let error: Box<dyn StdError> = match ends(client(builder()).execute(request)).await {
                Ok(answer) => Box::new(answer.bytes().await.unwrap_err()),
                Err(error) => Box::new(error),
            };
            let ours = own_error(&*error);
            let mut text = format!("{ours} {ours:?} {ours:#?}");
            let mut next = ours.source();
            while let Some(source) = next {
                text += &format!(" {source} {source:?}");
                next = source.source();
            }
            assert!(!text.contains("the-first-key"), "{text}");
        }
    }
}
