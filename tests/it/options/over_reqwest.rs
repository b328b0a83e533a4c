//! The requests of reqwest, over sockets.

use std::error::Error as _;

use evenkeel_testkit::Server;

use super::*;
use crate::support::transport;

const JSON: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

/// A client, and a server with that reply; it serves until it is dropped.
async fn stage(reply: Reply) -> (Client, Provider, String, Server) {
    let provider = Provider::new("primary").always(reply);
    let server = Server::start(provider.clone()).await.unwrap();
    let url = format!("{}/v1/chat/completions", server.url());
    (Client::builder().build_with_reqwest(transport()).unwrap(), provider, url, server)
}

fn streaming() -> reqwest::Body {
    let pieces = [Ok::<_, std::io::Error>(bytes::Bytes::from(JSON))];
    reqwest::Body::wrap_stream(futures_util::stream::iter(pieces))
}

#[tokio::test]
async fn a_request_and_a_builder_of_reqwest_are_sent_and_answered_as_reqwest_does() {
    let (client, provider, url, _server) = stage(Reply::answer()).await;
    let http = transport();
    let asked = http.post(&url).body(JSON);
    let answer = client.call(asked.try_clone().unwrap().build().unwrap()).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.url().as_str()), (200, url.as_str()));
    let answer = client.execute(asked).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.url().as_str()), (200, url.as_str()));
    let answer = client.call(http.post(&url).body(JSON)).priority(Priority::Batch).send().await;
    assert_eq!((answer.unwrap().status().as_u16(), provider.count()), (200, 3));
}

#[tokio::test]
async fn a_builder_that_cannot_be_built_is_the_error_of_the_call() {
    let (client, provider, ..) = stage(Reply::answer()).await;
    let wrong = || transport().post("no url").body(JSON);
    let error = client.call(wrong()).await.unwrap_err();
    let source = error.source().and_then(|source| source.downcast_ref::<reqwest::Error>());
    assert!(source.is_some_and(reqwest::Error::is_builder) && provider.count() == 0);
    assert!(client.routes_of(&wrong()).is_empty());
}

#[tokio::test]
async fn questions_about_requests_of_reqwest_name_the_routes_that_their_calls_use() {
    let (client, _, url, _server) = stage(Reply::answer()).await;
    let asked = || transport().post(&url).bearer_auth("k").body(JSON);
    client.execute(asked()).await.unwrap();
    let [(used, _)] = &client.breakers().list()[..] else { panic!("one route") };
    assert_eq!(client.routes_of(&asked()), std::slice::from_ref(used));
    assert_eq!(client.routes_of(&asked().build().unwrap()), std::slice::from_ref(used));
    assert!(client.availability_of(&asked()).is_clear());
    // A body that streams cannot be read: the model is not known.
    let unread = transport().post(&url).bearer_auth("k").body(streaming()).build().unwrap();
    let [route] = &client.routes_of(&unread)[..] else { panic!("one route") };
    assert_eq!((route.provider(), route.model()), (used.provider(), "-"));
}

#[tokio::test]
async fn a_deadline_and_the_timeout_of_a_request_apply_both() {
    let (client, _, url, _server) = stage(Reply::hang()).await;
    for (timeout, deadline) in [(300, 60_000), (60_000, 300)] {
        let start = Instant::now();
        let request = transport().post(&url).body(JSON).timeout(ms(timeout));
        let error = client.call(request).deadline(ms(deadline)).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert!(start.elapsed() < secs(10), "{timeout} {deadline}");
    }
}

#[tokio::test]
async fn a_body_that_streams_has_options_too() {
    let (client, provider, url, _server) = stage(Reply::hang()).await;
    let start = Instant::now();
    let call = client.call(transport().post(&url).body(streaming()));
    assert!(call.deadline(ms(300)).await.unwrap_err().is_timeout());
    assert!(start.elapsed() < secs(10) && provider.count() <= 1);
}
