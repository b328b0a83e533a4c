//! In virtual time: an answer, an outage, canned replies, recovery.

use std::time::Duration;

use axum::{Router, body::Body};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

use super::{ShownAnswer, question};
use crate::{
    app::{App, router},
    ask::Question,
    assistant,
    embedded::{EmbeddedProviders, Mode},
    language::Language,
    providers::Providers,
};

/// The bot over providers in process.
struct Bot {
    router: Router,
    app: App,
}

impl Bot {
    fn new() -> Self {
        let providers = Providers::with(EmbeddedProviders::in_process());
        let hosts = embedded(&providers).hosts();
        let client = assistant::builder(&providers).build_with(hosts).unwrap();
        let app = App::new(client, providers);
        Self { router: router(app.clone()), app }
    }

    async fn send(&self, path: &str, body: String) -> http::Response<Body> {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT_LANGUAGE, "de-CH, en;q=0.5");
        self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    async fn ask(&self) -> ShownAnswer {
        let response = self.send("/api/ask", question("Wo ist mein Paket?")).await;
        assert_eq!(response.status(), StatusCode::OK);
        ShownAnswer::of(&text(response.into_body()).await)
    }

    async fn set(&self, provider: &str, mode: Mode) {
        let body = serde_json::json!({ "provider": provider, "mode": mode }).to_string();
        assert_eq!(self.send("/api/outage", body).await.status(), StatusCode::NO_CONTENT);
    }

    async fn status(&self) -> Value {
        let request = Request::get("/api/status").body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        serde_json::from_str(&text(response.into_body()).await).unwrap()
    }

    fn cancelled(&self) -> [u64; 2] {
        embedded(self.app.providers()).providers().map(|provider| provider.cancelled())
    }

    fn in_flight(&self) -> usize {
        embedded(self.app.providers()).providers().map(|provider| provider.in_flight()).iter().sum()
    }
}

fn embedded(providers: &Providers) -> &EmbeddedProviders {
    providers.embedded.as_ref().unwrap()
}

async fn text(body: Body) -> String {
    String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_visitor_is_answered_before_in_and_after_an_outage() {
    let (bot, german) = (Bot::new(), Language::German.texts());
    let answer = bot.ask().await;
    assert_eq!((answer.source.as_deref(), answer.label), (Some("primary"), None));
    assert_eq!(answer.words, Language::German.embedded_answer("large"));

    bot.set("primary", Mode::Down).await;
    let answer = bot.ask().await;
    assert_eq!(
        (answer.source.as_deref(), answer.label.as_deref()),
        (Some("backup"), Some(german.backup_label))
    );
    assert_eq!(answer.words, Language::German.embedded_answer("small"));

    bot.set("backup", Mode::Silent).await;
    for _ in 0..8 {
        let asked = Instant::now();
        let answer = bot.ask().await;
        assert_eq!(
            (answer.source.as_deref(), answer.label.as_deref()),
            (Some("canned"), Some(german.canned_label))
        );
        assert_eq!((&*answer.words, answer.failed), (german.canned, None));
        assert!(asked.elapsed() <= Duration::from_secs(12), "{:?}", asked.elapsed());
    }
    let status = bot.status().await;
    assert_eq!(status["availability"], "unavailable", "{status}");
    assert_eq!(status["routes"][0]["state"], "open", "{status}");
    let change = status["changes"][0]["text"].as_str().unwrap();
    assert!(change.contains("→ open for") && change.contains("because"), "{change}");

    bot.set("primary", Mode::Healthy).await;
    bot.set("backup", Mode::Healthy).await;
    for _ in 0..60 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(bot.ask().await.failed, None);
    }
    assert_eq!(bot.ask().await.source.as_deref(), Some("primary"));
    let status = bot.status().await;
    assert_eq!(
        (&status["availability"], &status["routes"][0]["state"]),
        (&"clear".into(), &"closed".into())
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_is_shown_as_incomplete() {
    let (bot, german) = (Bot::new(), Language::German.texts());
    bot.set("primary", Mode::Cut).await;
    let answer = bot.ask().await;
    assert_eq!(answer.failed.as_deref(), Some(german.broken_off));
    let whole = Language::German.embedded_answer("large");
    assert!(
        !answer.words.is_empty()
            && whole.starts_with(answer.words.trim_end())
            && answer.words != whole
    );
    let attempts = answer.attempts.unwrap();
    assert!(attempts.ends_with(", then the answer was cut short"), "{attempts}");
}

#[tokio::test(start_paused = true)]
async fn a_visitor_who_leaves_ends_the_attempt() {
    let bot = Bot::new();
    let mut body = bot.send("/api/ask", question("Wo ist mein Paket?")).await.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert!(first.data_ref().is_some_and(|data| data.starts_with(b"{\"type\":\"source\"")));
    assert_eq!(bot.in_flight(), 1);
    drop(body);
    assert_eq!((bot.in_flight(), bot.cancelled()), (0, [1, 0]), "after the first word");

    bot.set("primary", Mode::Silent).await;
    let mut body = bot.send("/api/ask", question("Wo ist mein Paket?")).await.into_body();
    tokio::select! {
        _ = body.frame() => panic!("a silent provider has answered"),
        () = sleep(Duration::from_secs(1)) => assert_eq!(bot.in_flight(), 1),
    }
    drop(body);
    assert_eq!((bot.in_flight(), bot.cancelled()), (0, [2, 0]), "before the first word");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_not_one_is_rejected_with_a_reason() {
    let bot = Bot::new();
    let turn = |who: &str, text: &str| format!("{{\"{who}\":\"{text}\"}}");
    let turns = |turns: &[String]| format!("{{\"turns\":[{}]}}", turns.join(","));
    for (body, reason) in [
        (turns(&[]), "the last turn"),
        (turns(&[turn("bot", "Hello")]), "the last turn"),
        (turns(&[turn("visitor", "  ")]), "empty"),
        (
            turns(&[turn("visitor", &"x".repeat(Question::MAX_LENGTH + 1))]),
            "at most 2000 characters (got 2001)",
        ),
        (turns(&vec![turn("visitor", "x"); Question::MAX_TURNS + 1]), "at most 20 turns (got 21)"),
    ] {
        let response = bot.send("/api/ask", body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{reason}");
        let text = text(response.into_body()).await;
        assert!(text.contains(reason), "{text}");
    }
    assert_eq!(
        bot.send("/api/ask", "x".repeat(1 << 20)).await.status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(bot.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_embedded_cannot_be_made_to_fail() {
    let bot = Bot::new();
    let body = r#"{"provider": "api.example.com", "mode": "down"}"#;
    assert_eq!(bot.send("/api/outage", body.into()).await.status(), StatusCode::NOT_FOUND);
}
