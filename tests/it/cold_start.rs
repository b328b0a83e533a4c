//! A local model that has to be loaded by the first call, on a paused clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Body, Client, Error, Profile, Request, Response, Upstream,
    context::Deadline,
    fallback::{Fallback, FallbackPolicy, Fallbacks, Target},
    timeout::TimeoutPolicy,
};
use tokio::time::{Instant, sleep};
use tower::service_fn;

use crate::support::secs;

const ANSWER: &str = r#"{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}"#;

/// A server that loads its model for `loading`, from the beginning again if the caller leaves, and then answers at once.
#[derive(Clone, Default)]
struct Local {
    loading: Duration,
    loaded: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

impl Local {
    fn loading(seconds: u64) -> Self {
        Self { loading: secs(seconds), ..Self::default() }
    }

    fn service(&self) -> impl Upstream {
        let local = self.clone();
        service_fn(move |request: Request| {
            let local = local.clone();
            async move {
                if request.uri().host() == Some("second.example") {
                    return Ok::<_, Error>(Response::new(Body::from(ANSWER)));
                }
                local.asked.fetch_add(1, Ordering::Relaxed);
                if !local.loaded.load(Ordering::Relaxed) {
                    sleep(local.loading).await;
                    local.loaded.store(true, Ordering::Relaxed);
                }
                Ok(Response::new(Body::from(ANSWER)))
            }
        })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

fn chat(host: &str) -> Request {
    let body = Bytes::from_static(br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#);
    let uri = format!("http://{host}/v1/chat/completions");
    http::Request::post(uri).header("content-type", "application/json").body(body).unwrap()
}

async fn timed(client: &Client, request: Request) -> (Result<Response, Error>, u64) {
    let start = Instant::now();
    let result = client.send(request).await;
    (result, start.elapsed().as_secs())
}

fn client(local: &Local, profile: Profile) -> Client {
    Client::builder().profile(profile).build_with(local.service()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_call_waits_until_a_local_model_is_loaded() {
    for host in ["127.0.0.1:8080", "localhost:11434", "gpu.local", "192.168.1.7"] {
        let local = Local::loading(45);
        let (result, took) = timed(&client(&local, Profile::interactive()), chat(host)).await;
        assert!(result.is_ok(), "{host}: {result:?}");
        assert_eq!((took, local.asked()), (45, 1), "{host}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_elsewhere_keeps_the_usual_deadline() {
    let local = Local::loading(45);
    let (result, took) =
        timed(&client(&local, Profile::interactive()), chat("api.example.com")).await;
    assert!(result.unwrap_err().is_timeout());
    assert_eq!(took, 30);
}

#[tokio::test(start_paused = true)]
async fn a_local_model_that_has_answered_keeps_the_usual_deadline_until_it_may_be_unloaded() {
    let local = Local::loading(45);
    let client = client(&local, Profile::interactive());
    assert!(timed(&client, chat("localhost")).await.0.is_ok());
    local.loaded.store(false, Ordering::Relaxed);
    let (result, took) = timed(&client, chat("localhost")).await;
    assert!(result.unwrap_err().is_timeout());
    assert_eq!(took, 30, "it has answered just now: silence is a failure");
    sleep(secs(300)).await;
    let (result, took) = timed(&client, chat("localhost")).await;
    assert_eq!((result.is_ok(), took), (true, 45), "Ollama unloads a model after 5 min");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_never_ends_is_a_timeout_after_two_minutes() {
    let local = Local::loading(3600);
    let (result, took) = timed(&client(&local, Profile::interactive()), chat("localhost")).await;
    assert!(result.unwrap_err().is_timeout());
    assert_eq!(took, 120);
}

#[tokio::test(start_paused = true)]
async fn limits_that_are_set_apply_to_local_models_too() {
    let deadline = Profile::interactive().deadline(secs(8));
    let attempt =
        Profile::interactive().timeout(TimeoutPolicy::new().attempt(secs(5)).first_event(secs(5)));
    let off = Profile::interactive().cold_start(None);
    for (profile, expected) in [(deadline, 8), (attempt, 5), (off, 30)] {
        let local = Local::loading(45);
        let (result, took) = timed(&client(&local, profile), chat("localhost")).await;
        assert!(result.unwrap_err().is_timeout());
        assert_eq!(took, expected);
    }
    let mut request = chat("localhost");
    request.extensions_mut().insert(Deadline::within(secs(3)));
    let local = Local::loading(45);
    let (result, took) = timed(&client(&local, Profile::interactive()), request).await;
    assert!(result.unwrap_err().is_timeout());
    assert_eq!(took, 3, "the caller's own deadline");
}

#[tokio::test(start_paused = true)]
async fn another_target_answers_within_the_usual_deadline() {
    let local = Local::loading(45);
    let fallbacks = FallbackPolicy::new()
        .fallback(Fallback::target(Target::new("http://second.example/v1")).named("second"));
    let client = Client::builder().fallback_policy(fallbacks).build_with(local.service()).unwrap();
    let (result, took) = timed(&client, chat("localhost")).await;
    assert_eq!(result.unwrap().headers()["evenkeel-served-by"], "second");
    assert_eq!(took, 20, "the first target has two thirds of the deadline");
}

#[tokio::test(start_paused = true)]
async fn a_call_with_fallbacks_of_its_own_keeps_the_usual_deadline() {
    let local = Local::loading(45);
    let client = client(&local, Profile::interactive());
    let mut request = chat("localhost");
    let second = Fallback::target(Target::new("http://second.example/v1")).named("second");
    request.extensions_mut().insert(Fallbacks::new([second]).unwrap());
    let (result, took) = timed(&client, request).await;
    assert_eq!(result.unwrap().headers()["evenkeel-served-by"], "second");
    assert_eq!(took, 20);
}

#[tokio::test(start_paused = true)]
async fn a_load_within_the_share_of_the_first_target_is_answered_by_it_although_another_is_there() {
    let local = Local::loading(19);
    let fallbacks = FallbackPolicy::new()
        .fallback(Fallback::target(Target::new("http://second.example/v1")).named("second"));
    let client = Client::builder().fallback_policy(fallbacks).build_with(local.service()).unwrap();
    let (result, took) = timed(&client, chat("localhost")).await;
    assert!(!result.unwrap().headers().contains_key("evenkeel-served-by"));
    assert_eq!(took, 19);
}
