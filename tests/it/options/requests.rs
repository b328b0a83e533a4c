//! The requests that a client takes: all kinds of bodies.

use evenkeel::Availability;

use super::*;

const URL: &str = "http://primary/v1/chat/completions";
const BODY: &str = r#"{"model":"m","messages":[]}"#;

fn request<B>(body: B) -> http::Request<B> {
    http::Request::post(URL).header("authorization", "Bearer k").body(body).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_request_with_any_body_of_bytes_is_sent() {
    let (client, log) = recording();
    client.execute(request(BODY)).await.unwrap();
    client.execute(request(BODY.to_owned())).await.unwrap();
    client.execute(request(BODY.as_bytes().to_vec())).await.unwrap();
    client.call(request(bytes::Bytes::from(BODY))).await.unwrap();
    assert!(log.all().iter().all(|sent| sent.body() == BODY) && log.len() == 4);
    let routes = client.routes_of(&request(BODY));
    assert_eq!((client.breakers().list().len(), routes.len()), (1, 1));
    assert_eq!(routes, client.routes_of(&request(BODY.to_owned())));
    assert_eq!(client.availability_of(&request(BODY)), Availability::Clear);
}

#[tokio::test(start_paused = true)]
async fn questions_know_the_settings_of_a_call() {
    let (client, _) = recording();
    let models = |routes: Vec<evenkeel::context::Route>| {
        routes.iter().map(|route| route.model().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(models(client.call(request(BODY)).fallback_models(["b"]).routes()), ["m", "b"]);
    let options = CallOptions::new().fallback_models(["c"]);
    assert_eq!(models(client.routes_of(&with_extension(chat(false), options.clone()))), ["m", "c"]);
    let asked = options.scope(async { client.routes_of(&request(BODY)) }).await;
    assert_eq!(models(asked), ["m", "c"]);
    let route = client.routes_of(&request(BODY)).remove(0);
    client.breakers().force_open(&route);
    assert!(client.availability_of(&request(BODY)).is_unavailable());
    let call = client.call(request(BODY)).fallback_models(["b"]);
    assert!(matches!(call.availability(), Availability::Degraded { .. }));
}

#[test]
fn a_call_can_be_spawned_and_shared() {
    fn is_spawnable(_: impl Future + Send + 'static) {}
    fn is_shareable(_: impl Send + Sync) {}
    let (client, _) = recording();
    is_spawnable(client.call(request(BODY)).send());
    is_spawnable(client.call(request(BODY)).into_future());
    is_spawnable(full().scope(client.call(request(BODY)).send()));
    is_shareable(client.call(request(BODY)));
    is_shareable(full());
}
