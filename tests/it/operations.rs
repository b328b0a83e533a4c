//! Operations other than chat: which ones stay at their target, which are repeated, and the routes that their failures count
//! against.

use std::sync::{Arc, Mutex};

use evenkeel::{
    Body, Client, ClientBuilder, Error, Profile, Request, Response,
    breaker::CircuitState,
    context::Route,
    dialect::Operation,
    fallback::{Fallback, Target},
    outcome::{Outcome, Rejection},
    telemetry::{EventKind, SkipReason},
};
use evenkeel_testkit::{Fault, Provider, Reply};
use http::HeaderName;
use tower::service_fn;

use crate::support::{Answer, EventLog, call, chat, over, pair, post, request_to, secondary, secs};

mod empty_answers;
mod failure_scope;
mod side_effects;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

fn json(status: u16, body: &str) -> Reply {
    Reply::raw(status, "application/json", body.to_owned())
}

/// A primary with that reply, and a second provider that answers everything.
struct Houses {
    first: Provider,
    second: Provider,
    log: EventLog,
}

impl Houses {
    fn new(reply: Reply) -> Self {
        let (first, second) = pair();
        let well = json(200, "{}");
        Self { first: first.always(reply), second: second.always(well), log: EventLog::default() }
    }

    fn client(&self) -> Client {
        self.over(Client::builder().fallback(secondary()))
    }

    fn over(&self, builder: ClientBuilder) -> Client {
        over(self.log.attach_to(builder), [&self.first, &self.second])
    }

    fn counts(&self) -> (u64, u64) {
        (self.first.count(), self.second.count())
    }

    /// The reason the second was skipped.
    fn skipped(&self) -> Option<SkipReason> {
        self.log.events().into_iter().find_map(|event| match event {
            EventKind::FallbackSkipped { reason: why, .. } => Some(why),
            _ => None,
        })
    }
}

async fn one(houses: &Houses, request: Request) -> Result<Answer, Error> {
    call(&houses.client(), request).await
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_answer_was_cut_is_sent_once() {
    let cut = json(200, r#"{"id":"batch_1"}"#).with(Fault::ResetAfter { bytes: 5 });
    for reply in [cut, Reply::reset(), Reply::status(500), Reply::status(504), Reply::hang()] {
        let houses = Houses::new(reply.clone());
        let batch = post("/v1/batches", r#"{"input_file_id":"file-1"}"#);
        let failed = one(&houses, batch).await;
        assert!(failed.is_err() || !failed.unwrap().status.is_success(), "{reply:?}");
        assert_eq!(houses.counts(), (1, 0), "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_certainly_not_executed_is_sent_again() {
    let limited = Reply::rate_limited(Some(secs(1)));
    for reply in [Reply::status(503), Reply::status(529), Reply::status(409), limited] {
        let houses = Houses::new(reply.clone());
        one(&houses, post("/v1/batches", "{}")).await.unwrap();
        assert_eq!(houses.counts(), (3, 0), "{reply:?}");
    }
    let houses = Houses::new(Reply::refused());
    one(&houses, post("/v1/batches", "{}")).await.unwrap_err();
    let tried = houses.log.count("attempt_ended");
    assert_eq!((tried, houses.second.count()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failed_image_generation_is_not_repeated() {
    let houses = Houses::new(Reply::status(500));
    let answer = one(&houses, post("/v1/images/generations", r#"{"prompt":"a keel"}"#)).await;
    assert_eq!((answer.unwrap().status.as_u16(), houses.counts()), (500, (1, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_404_for_a_file_to_be_deleted_is_returned() {
    let houses = Houses::new(Reply::error(404, "invalid_request_error", "not_found"));
    let client = houses.client();
    for _ in 0..10 {
        let answer = call(&client, request_to("DELETE", "/v1/files/f1", "")).await.unwrap();
        let wrong = Outcome::Rejected { why: Rejection::Request };
        assert_eq!((answer.status.as_u16(), answer.verdict.unwrap().outcome()), (404, wrong));
    }
    assert_eq!(houses.counts(), (10, 0));
    assert!(client.breakers().list().iter().all(|(_, shown)| shown.state == CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_304_is_an_answer() {
    let houses = Houses::new(json(304, ""));
    for path in ["/v1/models", "/v1/files/f1", "/custom"] {
        let answer = one(&houses, request_to("GET", path, "")).await.unwrap();
        let outcome = answer.verdict.unwrap().outcome();
        assert_eq!((answer.status.as_u16(), outcome), (304, Outcome::Success), "{path}");
    }
    assert_eq!(houses.counts(), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn the_contents_of_a_file_go_to_no_other_provider() {
    for reply in [Reply::status(503), Reply::quota_exhausted(), Reply::status(401)] {
        let houses = Houses::new(reply.clone());
        one(&houses, post("/v1/files", "the contents")).await.unwrap();
        assert_eq!(
            (houses.second.count(), houses.skipped()),
            (0, Some(SkipReason::Bound)),
            "{reply:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn embeddings_never_come_from_another_model() {
    let houses = Houses::new(Reply::status(500));
    let embed = || post("/v1/embeddings", r#"{"model":"m","input":"a keel"}"#);
    let answer = one(&houses, embed()).await.unwrap();
    assert_eq!((answer.status.as_u16(), houses.counts()), (500, (3, 0)));
    assert_eq!(houses.skipped(), Some(SkipReason::Bound));
    // Another model at the same account is not used, either.
    let houses = Houses::new(Reply::status(500));
    let here = Fallback::target(Target::same_host().model("small"));
    call(&houses.over(Client::builder().fallback(here)), embed()).await.unwrap();
    assert_eq!(houses.counts(), (3, 0));
}

const BOUND: [(&str, &str); 6] = [
    ("/v1/responses", r#"{"previous_response_id":"resp_1","input":"hi"}"#),
    ("/v1/responses", r#"{"conversation":"conv_1","input":"hi"}"#),
    ("/v1/responses", r#"{"tools":[{"type":"file_search","vector_store_ids":["vs_1"]}]}"#),
    ("/v1/responses", r#"{"tools":[{"type":"code_interpreter","container":"cntr_1"}]}"#),
    ("/v1/messages", r#"{"container":"container_1","messages":[]}"#),
    ("/v1/chat/completions", r#"{"messages":[{"content":[{"file":{"file_id":"file-1"}}]}]}"#),
];

#[tokio::test(start_paused = true)]
async fn stored_objects_are_asked_for_at_their_account() {
    for (path, body) in BOUND {
        let houses = Houses::new(Reply::status(503));
        let answer = one(&houses, post(path, body)).await.unwrap();
        assert_eq!((answer.status.as_u16(), houses.counts()), (503, (3, 0)), "{body}");
        assert_eq!(houses.skipped(), Some(SkipReason::Bound), "{body}");
    }
    // Another model of the same account has the file as well.
    let houses = Houses::new(Reply::status(404));
    let here = Fallback::target(Target::same_host().model("small"));
    let (path, body) = BOUND[0];
    call(&houses.over(Client::builder().fallback(here)), post(path, body)).await.unwrap();
    assert_eq!(houses.counts(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_not_added_to_a_conversation_twice() {
    let houses = Houses::new(Reply::status(500));
    let (path, body) = BOUND[1];
    let answer = one(&houses, post(path, body)).await.unwrap();
    assert_eq!((answer.status.as_u16(), houses.counts()), (500, (1, 0)));
    // A request that only reads stored things is retried.
    let houses = Houses::new(Reply::status(500));
    let (path, body) = BOUND[0];
    one(&houses, post(path, body)).await.unwrap();
    assert_eq!(houses.counts(), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_canned_reply_answers_operations_bound_to_their_target() {
    let houses = Houses::new(Reply::status(503));
    let (path, body) = BOUND[5];
    let builder = Client::builder().fallback(secondary()).fallback(Fallback::canned("busy"));
    let answer = call(&houses.over(builder), post(path, body)).await.unwrap();
    assert_eq!((answer.words(), houses.counts()), ("busy".to_owned(), (3, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_takes_by_name_operations_bound_to_their_target() {
    for (operation, path, body) in [
        (Operation::Embeddings, "/v1/embeddings", "{}"),
        (Operation::Images, "/v1/images/generations", "{}"),
        (Operation::Audio, "/v1/audio/speech", "{}"),
        (Operation::Chat, "/v1/responses", BOUND[0].1),
    ] {
        let houses = Houses::new(Reply::status(500));
        let taking = Client::builder().fallback(secondary().operations([operation]));
        let _ = call(&houses.over(taking), post(path, body)).await;
        assert!(houses.second.count() > 0, "{path}");
        let other = Client::builder().fallback(secondary().operations([Operation::Files]));
        let houses = Houses::new(Reply::status(500));
        call(&houses.over(other), post(path, body)).await.unwrap();
        assert_eq!(houses.second.count(), 0, "{path}");
    }
    // With or without `operations`, nothing is created twice.
    for (status, second) in [(500, 0), (503, 1), (429, 1)] {
        let houses = Houses::new(Reply::status(status));
        let taking = Client::builder().fallback(secondary().operations([Operation::Batches]));
        call(&houses.over(taking), post("/v1/batches", "{}")).await.unwrap();
        assert_eq!(houses.second.count(), second, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_recovery_creates_nothing_twice() {
    let houses = Houses::new(Reply::status(500));
    let client = houses.over(Client::builder().profile(Profile::pipeline()));
    let answer = call(&client, post("/v1/batches", "{}")).await.unwrap();
    assert_eq!((answer.status.as_u16(), houses.first.count()), (500, 1));
}

/// Four keys of one provider, each an equal target.
fn keys(target: impl Fn(usize) -> Target) -> ClientBuilder {
    Client::builder().primaries((0..4).map(target))
}

fn key(n: usize) -> Target {
    Target::new("http://primary/v1").bearer(&format!("key-{n}")).label(&format!("key-{n}"))
}

/// The credentials of the attempts.
fn asked(log: &EventLog) -> Vec<String> {
    let routes = log.events().into_iter().filter_map(|event| match event {
        EventKind::AttemptStarted { route, .. } => Some(route.credential().to_owned()),
        _ => None,
    });
    let mut asked: Vec<_> = routes.collect();
    asked.sort();
    asked.dedup();
    asked
}

#[tokio::test(start_paused = true)]
async fn a_file_stays_at_one_account_of_equal_targets() {
    let houses = Houses::new(Reply::status(503));
    let client = houses.over(keys(key));
    for request in [request_to("GET", "/v1/files/f1", ""), post(BOUND[5].0, BOUND[5].1)] {
        for _ in 0..5 {
            let _ = call(&client, request.clone()).await;
        }
    }
    assert_eq!(asked(&houses.log), ["key-0"]);
    // A name marks keys of one account.
    let houses = Houses::new(Reply::status(503));
    let client = houses.over(keys(|n| key(n).account(if n < 2 { "a" } else { "b" })));
    for _ in 0..5 {
        let _ = call(&client, request_to("GET", "/v1/files/f1", "")).await;
    }
    assert_eq!(asked(&houses.log), ["key-0", "key-1"]);
}

#[tokio::test(start_paused = true)]
async fn equal_targets_with_the_same_model_make_embeddings() {
    let houses = Houses::new(Reply::status(503));
    let client = houses.over(keys(|n| if n == 2 { key(n).model("other") } else { key(n) }));
    for _ in 0..9 {
        let _ = call(&client, post("/v1/embeddings", r#"{"model":"m","input":"hi"}"#)).await;
    }
    assert_eq!(asked(&houses.log), ["key-0", "key-1", "key-3"]);
}

/// An upstream that answers every request with that status, and records the idempotency keys.
async fn with_keys(target: Target, request: Request) -> Vec<Option<String>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = seen.clone();
    let upstream = service_fn(move |request: Request| {
        let key = request.headers().get(KEY).map(|key| key.to_str().unwrap().to_owned());
        keep.lock().unwrap().push(key);
        let mut response = Response::new(Body::from("{}"));
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        std::future::ready(Ok::<_, Error>(response))
    });
    let client = Client::builder().primary(target).build_with(upstream).unwrap();
    client.send(request).await.unwrap();
    Arc::try_unwrap(seen)
        .map_or_else(|seen| seen.lock().unwrap().clone(), |it| it.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_target_is_sent_one_key_for_all_attempts_of_a_call() {
    let plain = || Target::new("http://primary/v1").bearer("k");
    let batch = || post("/v1/batches", "{}");
    let keys = with_keys(plain().idempotent(), batch()).await;
    assert!(keys.len() == 3 && keys[0].is_some() && keys.iter().all(|key| *key == keys[0]));
    let others = with_keys(plain().idempotent(), batch()).await;
    assert_ne!(keys[0], others[0], "another call has another");
    // No key is added for a target that is not known to use it.
    assert_eq!(with_keys(plain(), batch()).await, [None]);
    assert_eq!(with_keys(plain().idempotent(), chat(false)).await, [None, None, None]);
    // The caller's own key stays, and has the same meaning.
    let mut own = batch();
    own.headers_mut().insert(KEY, http::HeaderValue::from_static("mine"));
    let mine = Some("mine".to_owned());
    assert_eq!(
        with_keys(Target::same_host().model("m"), own).await,
        [mine.clone(), mine.clone(), mine]
    );
}
