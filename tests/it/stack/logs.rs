//! What is logged by default: every degradation, once for each route and interval where it repeats.

use evenkeel::telemetry::LOG_INTERVAL;
use tracing::Level;

use super::{spans::Spans, *};
use crate::support::post;

/// The messages of that level or above, each with its name.
fn messages(spans: &Spans, level: Level) -> Vec<String> {
    spans.logged(level).iter().map(|event| event.fields["message"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_a_fallback_is_logged_and_one_from_the_first_target_is_not() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let (primary, second) = pair();
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    call(&client, chat(true)).await.unwrap();
    assert_eq!(messages(&spans, Level::INFO), Vec::<String>::new());
    primary.set(Reply::status(503));
    call(&client, chat(true)).await.unwrap();
    let logged = spans.logged(Level::INFO);
    let answered = logged.iter().find(|event| event.name == "evenkeel.call_ended").unwrap();
    assert_eq!(answered.fields["message"], "answered by a fallback");
    assert_eq!((answered.level, &*answered.fields["served_by"]), (Level::INFO, "spare"));
    assert_eq!(answered.fields["attempts"], "4");
}

#[tokio::test(start_paused = true)]
async fn a_canned_reply_is_a_warning_once_in_an_interval_with_the_number_suppressed() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let primary = Provider::new("primary").always(Reply::error(401, "x", "invalid_api_key"));
    let client = over(Client::builder().fallback(Fallback::canned(BUSY)), [&primary]);
    for _ in 0..3 {
        call(&client, chat(true)).await.unwrap();
    }
    tokio::time::advance(LOG_INTERVAL).await;
    call(&client, chat(true)).await.unwrap();
    let warned = spans.logged(Level::WARN);
    let canned: Vec<_> = warned
        .iter()
        .filter(|event| event.fields["message"] == "answered by a canned reply")
        .map(|event| (event.level, &*event.fields["suppressed"]))
        .collect();
    assert_eq!(canned, [(Level::WARN, "0"), (Level::WARN, "2")]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_model_path_and_quota_are_warnings_once_in_an_interval() {
    for (reply, message) in [
        (Reply::error(401, "invalid_request_error", "invalid_api_key"), "credential rejected"),
        (Reply::error(404, "invalid_request_error", "model_not_found"), "model rejected"),
        (
            Reply::raw(404, "text/html", "<html>Not Found</html>"),
            "path or model not found at the target",
        ),
        (Reply::quota_exhausted(), "quota exhausted"),
    ] {
        let spans = Spans::default();
        let _listening = spans.subscribe();
        let primary = Provider::new("primary").always(reply);
        let client = over(Client::builder().profile(plain()), [&primary]);
        for _ in 0..3 {
            let _ = call(&client, chat(true)).await;
        }
        let logged = messages(&spans, Level::WARN);
        assert_eq!(logged.iter().filter(|logged| *logged == message).count(), 1, "{logged:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wrong_model_of_a_fallback_is_logged_once() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    second.set(Reply::error(404, "invalid_request_error", "model_not_found"));
    let target = Target::new("http://secondary/v1").model("no-such-model");
    let client = over(Client::builder().fallback(Fallback::target(target)), [&primary, &second]);
    for _ in 0..3 {
        // The caller sees only the first target's failure.
        let _ = call(&client, chat(true)).await;
    }
    let logged = spans.text().matches("model rejected").count();
    assert_eq!((second.count(), logged), (3, 1));
}

/// So that the table can be extended; not logged with every call.
#[tokio::test(start_paused = true)]
async fn an_unknown_code_is_logged_once() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let unknown = Reply::error(400, "invalid_request_error", "moon_in_the_wrong_phase");
    let known = Reply::error(400, "invalid_request_error", "context_length_exceeded");
    let primary = Provider::new("primary").replies([unknown.clone(), unknown, known]);
    let client = over(Client::builder(), [&primary]);
    for _ in 0..3 {
        call(&client, chat(true)).await.unwrap();
    }
    let logged = spans.logged(Level::INFO);
    let codes: Vec<_> = logged
        .iter()
        .filter(|event| event.fields["message"].starts_with("unknown code"))
        .map(|event| (&*event.fields["code"], &*event.fields["outcome"]))
        .collect();
    assert_eq!(codes, [("moon_in_the_wrong_phase", "rejected")]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_finish_reason_of_a_stream_that_was_handed_on_is_logged_once() {
    let spans = Spans::default();
    let _listening = spans.subscribe();
    let events = [
        "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tides_turned\"}]}\n\n",
        "data: [DONE]\n\n",
    ];
    let primary = Provider::new("primary").always(Reply::pieces("text/event-stream", events));
    let client = over(Client::builder(), [&primary]);
    for _ in 0..2 {
        assert!(call(&client, chat(true)).await.unwrap().error.is_some());
    }
    let logged = spans.logged(Level::INFO);
    let codes: Vec<_> = logged.iter().filter_map(|event| event.fields.get("code")).collect();
    assert_eq!(codes, ["tides_turned"]);
    let failed = messages(&spans, Level::INFO);
    let failed = failed.iter().filter(|text| *text == "the answer failed while it was read");
    assert_eq!(failed.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_another_form_than_the_caller_asked_for_emits_its_conversion() {
    let body = r#"{"model":"m","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    let primary = Provider::new("primary").always(Reply::raw(200, "application/json", body));
    let log = EventLog::default();
    let client = over(log.attach_to(Client::builder()), [&primary]);
    call(&client, chat(true)).await.unwrap();
    let events = log.events();
    let converted =
        events.iter().any(|event| matches!(event, EventKind::AnswerConverted { stream: true, .. }));
    assert!(converted, "{:?}", log.names());
    log.clear();
    call(&client, chat(false)).await.unwrap();
    assert_eq!(log.count("answer_converted"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_event_of_a_call_reports_what_its_span_has() {
    let log = EventLog::default();
    let primary = Provider::new("primary").always(Reply::answer().model("m-1"));
    let client = over(log.attach_to(Client::builder()), [&primary]);
    call(&client, chat(true)).await.unwrap();
    call(&client, post("/v1/files", "{}")).await.unwrap();
    let reports: Vec<_> = log
        .events()
        .into_iter()
        .filter_map(|event| match event {
            EventKind::CallClosed { report, .. } => Some(report),
            _ => None,
        })
        .collect();
    let [chat, file] = &reports[..] else { panic!("one for each call") };
    assert_eq!((chat.operation, &*chat.provider, chat.stream), (Some("chat"), "openai", true));
    assert_eq!(
        (chat.request_model.as_deref(), chat.answer.model.as_deref()),
        (Some("m"), Some("m-1"))
    );
    assert_eq!((chat.answer.usage.unwrap().output, chat.status), (60, Some(200)));
    assert!(chat.first_chunk.is_some() && chat.outcome.is_success() && !chat.is_failure());
    assert_eq!((file.operation, file.first_chunk), (None, None));
}
