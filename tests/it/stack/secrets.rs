//! No `Debug`, `Display`, event or span shows a key, a prompt or an answer, whatever a provider sends.

use std::fmt::Write as _;

use evenkeel::{BoxError, telemetry::EventKind};

use super::{spans::Spans, *};

/// Words that occur in keys, prompts and answers only.
const KEYS: [&str; 4] = ["sk-FirstKeyMark", "sk-SecondKeyMark", "cookieMark", "queryMark"];
const PROMPT: &str = "PromptMark";
const ANSWER: &str = "AnswerMark";

fn marked(stream: bool) -> Request {
    let body = serde_json::json!({
        "model": "m", "stream": stream, "user": PROMPT,
        "messages": [{"role": "user", "content": PROMPT}],
        "tools": [{"type": "function", "function": {"name": PROMPT}}],
    });
    http::Request::post("http://primary/v1/chat/completions?key=queryMark&user=PromptMark")
        .header("authorization", "Bearer sk-FirstKeyMark")
        .header("x-api-key", "sk-FirstKeyMark")
        .header("cookie", "session=cookieMark")
        .header("x-prompt", PROMPT)
        .body(body.to_string().into())
        .unwrap()
}

/// Replies that repeat the request in every field of an error.
fn echoes() -> Vec<Reply> {
    let echo = format!("{PROMPT} {ANSWER} {}", KEYS.join(" "));
    let said = [
        serde_json::json!({"error": {"message": echo, "type": "invalid_request_error", "code": "invalid_api_key", "param": PROMPT}}),
        serde_json::json!({"error": {"message": echo, "code": echo, "type": echo}}),
        serde_json::json!({"error": echo}),
        serde_json::json!({"error": PROMPT}),
        serde_json::json!({"detail": PROMPT}),
        serde_json::json!({"errors": [PROMPT]}),
        serde_json::json!({"message": PROMPT}),
        serde_json::json!({"detail": [{"loc": ["body", PROMPT], "msg": PROMPT, "type": "missing", "input": PROMPT}]}),
        serde_json::json!(PROMPT),
    ];
    let said = said.map(|json| json.to_string());
    let mut replies: Vec<_> = [400, 401, 404, 413, 429, 500, 503]
        .into_iter()
        .flat_map(|status| said.clone().map(|body| Reply::raw(status, "application/json", body)))
        .collect();
    replies.extend(said.clone().map(|body| Reply::raw(200, "application/json", body)));
    replies.extend(said.clone().map(|data| {
        Reply::answer().text(ANSWER).with(Fault::ErrorEvent { words: 0, data: data.into() })
    }));
    replies.extend(said.map(|data| {
        let reply = Reply::answer().text(&format!("{ANSWER} and more of it"));
        reply.with(Fault::ErrorEvent { words: 2, data: data.into() })
    }));
    replies.extend([
        Reply::raw(502, "text/html", format!("<html>{echo}</html>")),
        Reply::raw(200, "text/html", format!("<html>{echo}</html>")),
        Reply::raw(
            200,
            "application/json",
            format!(r#"{{"choices":[{{"message":{{"content":"{ANSWER}"#),
        ),
        Reply::raw(500, "text/plain", echo.clone()).header("x-echo", &echo),
        Reply::raw(429, "application/json", "").header("retry-after", PROMPT),
        Reply::raw(400, "application/json", "").header("x-amzn-errortype", &echo),
        Reply::pieces("text/event-stream", [format!("data: {echo}\n\n")]),
        Reply::pieces(
            "text/event-stream",
            [format!("event: {PROMPT}\ndata: {{\"{PROMPT}\":1}}\n\n")],
        ),
        Reply::pieces(
            "text/event-stream",
            [format!("id: {PROMPT}\nretry: {ANSWER}\n: {echo}\n\n")],
        ),
        Reply::answer().text(ANSWER),
        // A text in the place of the model's name; a name is no secret.
        Reply::answer().text(ANSWER).model(&format!("{PROMPT} in a text")),
        Reply::answer().text(ANSWER).with(Fault::Cut { words: 0 }),
        Reply::answer().text(&format!("{ANSWER} {ANSWER} {ANSWER}")).with(Fault::Cut { words: 2 }),
        Reply::answer().text(&format!("{ANSWER} {ANSWER}")).with(Fault::stall(1)),
        Reply::answer().text(ANSWER).with(Fault::InvalidEvent { event: 1 }),
        Reply::reset(),
        Reply::refused(),
        Reply::hang(),
    ]);
    replies
}

/// Everything that can be printed of an error and its sources.
fn printed(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?} {:?}", error.verdict());
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        write!(text, " {error} {error:?}").unwrap();
        source = error.source();
    }
    let boxed: BoxError = error.to_string().into();
    write!(text, " {boxed:?}").unwrap();
    if let Some(attempt_log) = error.attempt_log() {
        write!(text, " {attempt_log} {attempt_log:?}").unwrap();
    }
    text
}

#[track_caller]
fn is_clean(text: &str, of: &str) {
    for mark in KEYS.iter().chain(&[PROMPT, ANSWER]) {
        if let Some(at) = text.find(mark) {
            let from = text[..at].char_indices().rev().nth(160).map_or(0, |(from, _)| from);
            panic!("{mark} shows in what is printed of {of}: …{}", &text[from..at + mark.len()]);
        }
    }
}

/// Everything that can be printed of an answered call, before and after its body was read.
async fn answered(response: Response) -> String {
    let mut text = format!("{:?} ", response.body());
    let extensions = response.extensions();
    write!(text, "{:?} ", extensions.get::<AttemptLog>()).unwrap();
    write!(text, "{} ", extensions.get::<AttemptLog>().unwrap()).unwrap();
    write!(text, "{:?} {:?} ", extensions.get::<Verdict>(), extensions.get::<UsageHandle>())
        .unwrap();
    let (head, mut body) = response.into_parts();
    for name in ["evenkeel-served-by", "evenkeel-attempts"] {
        write!(text, "{:?} ", head.headers.get(name)).unwrap();
    }
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(_) => write!(text, "{body:?} ").unwrap(),
            Err(error) => {
                text.push_str(&printed(&error));
                break;
            }
        }
    }
    text
}

#[tokio::test(start_paused = true)]
async fn no_key_no_prompt_and_no_answer_shows_in_debug_display_events_or_traces() {
    let target = || {
        let base = Target::new("http://secondary/v1?key=queryMark");
        Fallback::target(base.bearer("sk-SecondKeyMark").model("spare"))
    };
    for reply in echoes() {
        for (stream, fallback, profile) in [
            (false, false, Profile::interactive()),
            (true, false, Profile::interactive()),
            (true, true, Profile::interactive()),
            (true, true, committing(CommitPolicy::Complete)),
        ] {
            let spans = Spans::default();
            let _listening = spans.subscribe();
            let (primary, second) = pair();
            primary.set(reply.clone());
            second.set(reply.clone());
            let log = EventLog::default();
            let mut builder = log.attach_to(Client::builder().profile(profile));
            if fallback {
                builder = builder.fallback(target()).fallback(Fallback::canned(ANSWER));
            }
            is_clean(&format!("{builder:?} {builder:#?}"), "the builder");
            let client = over(builder, [&primary, &second]);
            for _ in 0..2 {
                let text = match client.send(marked(stream)).await {
                    Ok(response) => answered(response).await,
                    Err(error) => printed(&error),
                };
                is_clean(&text, &format!("the answer to {reply:?}"));
            }
            // In the middle, and before the first byte.
            drop(timeout(ms(1), client.send(marked(stream))).await);
            let events: Vec<EventKind> = log.events();
            assert!(events.len() > 5);
            is_clean(&format!("{events:?}"), "the events");
            let traced = spans.text();
            let whole = traced.contains("attempt_ended") && traced.contains("gen_ai.request.model");
            assert!(whole, "{reply:?}: {traced}");
            is_clean(&traced, "the spans");
            is_clean(&format!("{client:?} {:?}", client.breakers().list()), "the client");
        }
    }
}
