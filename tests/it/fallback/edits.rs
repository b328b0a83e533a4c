//! Fallbacks that edit the request, fallbacks for some failures only, and canned replies.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use evenkeel::{
    Body, Client, Error, Request, Response, Upstream,
    breaker::CircuitState,
    dialect::UsageHandle,
    fallback::{
        Canned, CannedContext, CannedReply, Capabilities, Edit, Fallback, FallbackOn,
        FallbackPolicy, Target,
    },
    outcome::{Outcome, Phase, Rejection, Verdict},
    telemetry::{Event, EventKind, EventSink, SkipReason},
};
use evenkeel_testkit::{Provider, Reply};
use http::header::{ACCEPT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE};
use tower::{Layer, ServiceExt};

use crate::support::{
    EventLog, PRIMARY, RequestLog, call, chat, over, pair, secs, text, with_body,
};

const TOOLS: &str = r#"{"model":"m","stream":false,"max_tokens":4000,"tools":[{"type":"web_search"},{"type":"function","function":{"name":"find_order"}}],"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]}"#;

fn ask(path: &str, body: &str) -> Request {
    let request = http::Request::post(format!("http://primary{path}"));
    request
        .header("authorization", "Bearer k")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn answer(status: u16, body: &'static str) -> Response {
    let response =
        http::Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.body(Body::from(body)).unwrap()
}

const WELL: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"well"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}"#;

/// Runs a call through the fallbacks, and returns the skipped ones with their reasons too.
async fn run(
    policy: FallbackPolicy,
    upstream: impl Upstream,
    request: Request,
) -> (Result<Response, Error>, Vec<EventKind>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let tell = log.clone();
    let events = EventSink::new(move |event: &Event| tell.lock().unwrap().push(event.kind.clone()));
    let result = policy.build().unwrap().events(events).layer(upstream).oneshot(request).await;
    let log = log.lock().unwrap().clone();
    (result, log)
}

fn skips(events: &[EventKind]) -> Vec<SkipReason> {
    let skip = |event: &EventKind| match event {
        EventKind::FallbackSkipped { reason: why, .. } => Some(*why),
        _ => None,
    };
    events.iter().filter_map(skip).collect()
}

fn small() -> Fallback {
    Fallback::target(Target::same_host().model("small"))
}

// === stories ===

#[tokio::test(start_paused = true)]
async fn a_tool_that_is_gone_costs_the_tool_and_no_answer() {
    let primary = Provider::new("primary").when_tool("web_search", Reply::status(500));
    let log = EventLog::default();
    let builder = log
        .attach_to(Client::builder())
        .fallback(Fallback::original_request().named("no search").without_tool("web_search"));
    let client = over(builder, [&primary]);
    let (mut answered, mut plain) = (0, 0);
    for n in 0..400 {
        let with_tool = n % 4 != 0;
        let request = if with_tool { with_body(TOOLS) } else { chat(false) };
        let answer = call(&client, request).await.unwrap();
        answered += u32::from(answer.status == 200 && answer.words() == evenkeel_testkit::WORDS);
        plain += u32::from(!with_tool && answer.status == 200);
        tokio::time::sleep(secs(1)).await;
    }
    assert!(answered >= 396, "{answered} of 400");
    assert_eq!(plain, 100, "calls without the tool do not suffer from those with it");
    let states = client.breakers().list();
    let without = states.iter().find(|(route, _)| route.model() == "m:no-web_search");
    assert_eq!(without.expect("a route of its own").1.state, CircuitState::Closed);
    assert!(primary.attempts().iter().filter(|attempt| attempt.tools).count() < 1500);
    assert!(log.count("request_edited") >= 290);
}

#[tokio::test(start_paused = true)]
async fn when_all_of_the_provider_is_down_the_fallback_without_the_tool_is_left_alone_too() {
    let (primary, second) = pair();
    let primary = primary.always(Reply::status(503));
    let builder = Client::builder()
        .fallback(Fallback::original_request().named("no search").without_tool("web_search"))
        .fallback(crate::support::secondary());
    let client = over(builder, [&primary, &second]);
    for _ in 0..20 {
        call(&client, with_body(TOOLS)).await.unwrap().is_whole();
    }
    assert!(primary.count() <= 12, "two breakers, five failures each: {}", primary.count());
}

#[tokio::test(start_paused = true)]
async fn a_route_asked_unstreamed_still_streams_to_the_caller() {
    let wire = RequestLog::default();
    let upstream = wire.answering(|request| {
        let streams = request.body().windows(13).any(|part| part == b"\"stream\":true");
        Ok(if streams { answer(503, "{}") } else { answer(200, WELL) })
    });
    let fallback = Fallback::original_request().named("whole").edit(Edit::new().unstreamed());
    let client = Client::builder().fallback(fallback).build_with(upstream).unwrap();
    for _ in 0..10 {
        let response = client.send(chat(true)).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream; charset=utf-8");
        assert!(!response.headers().contains_key(CONTENT_LENGTH));
        let usage = response.extensions().get::<UsageHandle>().unwrap().get().unwrap();
        assert_eq!((usage.input, usage.output), (7, 1));
        let text = text(response).await;
        assert_eq!(crate::support::words(&text), "well");
        assert!(text.ends_with("data: [DONE]\n\n") && text.contains("prompt_tokens"), "{text}");
    }
    assert!(
        wire.last_body().contains(r#""stream":false"#)
            && !wire.last_body().contains("stream_options")
    );
}

#[tokio::test]
async fn an_unstreamed_answer_is_rendered_as_a_stream_in_every_dialect() {
    const SSE: &str = "text/event-stream; charset=utf-8";
    const MESSAGE: &str = r#"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"well"}],"stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":1}}"#;
    const RESPONSE: &str = r#"{"id":"r","object":"response","status":"completed","model":"m","output":[{"type":"message","id":"i","role":"assistant","content":[{"type":"output_text","text":"well"}]}],"usage":{"input_tokens":7,"output_tokens":1}}"#;
    const GEMINI: &str =
        r#"{"candidates":[{"content":{"parts":[{"text":"well"}]},"finishReason":"STOP"}]}"#;
    const LINE: &str = r#"{"model":"l","message":{"role":"assistant","content":"well"},"done":true,"done_reason":"stop"}"#;
    let cases = [
        ("/v1/chat/completions", r#"{"stream":true}"#, WELL, "/v1/chat/completions", SSE),
        ("/v1/messages", r#"{"stream":true}"#, MESSAGE, "/v1/messages", SSE),
        ("/v1/responses", r#"{"stream":true}"#, RESPONSE, "/v1/responses", SSE),
        (
            "/v1beta/models/g:streamGenerateContent?alt=sse&key=k",
            "{}",
            GEMINI,
            "/v1beta/models/g:generateContent?key=k",
            SSE,
        ),
        (
            "/v1beta/models/g:streamGenerateContent",
            "{}",
            GEMINI,
            "/v1beta/models/g:generateContent",
            "application/json",
        ),
        ("/api/chat", "{}", LINE, "/api/chat", "application/x-ndjson"),
    ];
    for (path, body, reply, sent, kind) in cases {
        let wire = RequestLog::default();
        let upstream = wire.answering(move |_| Ok(answer(200, reply)));
        let first = Fallback::original_request().edit(Edit::new().unstreamed());
        let mut request = ask(path, body);
        request.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
        request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
        let client = Client::builder()
            .fallback_policy(FallbackPolicy::new().first(first))
            .build_with(upstream)
            .unwrap();
        let response = client.send(request).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], kind, "{path}");
        assert!(text(response).await.contains("well"));
        let last = wire.last();
        assert_eq!(last.uri().path_and_query().unwrap(), sent);
        assert_eq!(last.headers()["accept"], "application/json");
        assert!(!last.headers().contains_key("accept-encoding"));
        assert!(!wire.last_body().contains("true"));
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_rendered_as_a_stream_moves_down() {
    let wire = RequestLog::default();
    let upstream = wire.answering(|_| Ok(answer(200, r#"{"strange":1}"#)));
    let first = Fallback::original_request().edit(Edit::new().unstreamed());
    let policy = FallbackPolicy::new().first(first).fallback(Fallback::canned("busy"));
    let (response, _) = run(policy, upstream, chat(true)).await;
    assert!(text(response.unwrap()).await.contains("busy"));
}

// === edits ===

#[tokio::test]
async fn an_edited_fallback_asks_for_less_and_is_marked() {
    let wire = RequestLog::default();
    let upstream = wire.answering(|request| {
        Ok(if request.uri().host() == Some("primary") {
            answer(503, "")
        } else {
            answer(200, WELL)
        })
    });
    let edit = Edit::new().max_tokens(512).without_tools().tool_notice("No search now.");
    let fallback = Fallback::target(Target::new("http://second/v1").model("small")).edit(edit);
    let mut request = with_body(TOOLS);
    request.headers_mut().insert(CONTENT_LENGTH, TOOLS.len().into());
    let (response, events) = run(FallbackPolicy::new().fallback(fallback), upstream, request).await;
    assert_eq!(response.unwrap().status(), 200);
    let sent = wire.last();
    assert_eq!(
        wire.last_body(),
        r#"{"model":"small","stream":false,"max_tokens":512,"messages":[{"role":"system","content":"s\n\nNo search now."},{"role":"user","content":"q"}]}"#
    );
    assert_eq!(sent.headers()[CONTENT_LENGTH], sent.body().len().to_string());
    let edited = events.iter().find_map(|event| match event {
        EventKind::RequestEdited { fallback: 1, edited, .. } => Some(edited),
        _ => None,
    });
    let edited = edited.expect("it is told");
    assert_eq!(
        edited.tools.iter().map(|tool| &**tool).collect::<Vec<_>>(),
        ["web_search", "find_order"]
    );
    assert!(edited.capped && edited.turns == 0 && edited.images == 0 && !edited.unstreamed);
    assert!(!format!("{events:?}").contains("No search now"));
}

#[tokio::test]
async fn a_fallback_that_would_repeat_the_request_is_skipped_unless_nothing_was_sent() {
    let policy =
        || FallbackPolicy::new().fallback(Fallback::original_request().without_tool("web_search"));
    for (failure, attempts) in
        [(Outcome::Unavailable { wait: None }, 1), (Outcome::NotSent { retry_in: None }, 2)]
    {
        let wire = RequestLog::default();
        let upstream = wire.answering(move |_| Err(Error::new(failure)));
        let (result, _) = run(policy(), upstream, chat(false)).await;
        assert!(result.is_err());
        assert_eq!(wire.len(), attempts, "{failure:?}");
    }
}

#[tokio::test]
async fn where_another_target_is_first_the_addressed_target_is_no_repetition() {
    let wire = RequestLog::default();
    let upstream = wire.answering(|request| {
        Ok(if request.uri().host() == Some("primary") {
            answer(200, WELL)
        } else {
            answer(503, "")
        })
    });
    let policy = FallbackPolicy::new()
        .primary(Target::new("http://proxy/v1"))
        .fallback(Fallback::original_request().named("direct").without_tool("web_search"));
    let (response, _) = run(policy, upstream, chat(false)).await;
    assert_eq!(response.unwrap().headers()["evenkeel-served-by"], "direct");
}

#[test]
fn wrong_edits_are_refused_with_field_value_and_what_is_allowed() {
    let edit = |edit: Edit| FallbackPolicy::new().fallback(small().edit(edit)).build().unwrap_err();
    let cases = [
        (edit(Edit::new().max_tokens(1)), "fallbacks[1].edit.max_tokens", "1"),
        (edit(Edit::new().fit_context(9)), "fallbacks[1].edit.fit_context", "9"),
        (edit(Edit::new().without_tool("")), "fallbacks[1].edit.without_tool", ""),
        (edit(Edit::new().without_tool("a b")), "fallbacks[1].edit.without_tool", "a b"),
        (edit(Edit::new().tool_notice("x")), "fallbacks[1].edit.tool_notice", "set"),
        (
            edit(Edit::new().without_images().image_placeholder(" ")),
            "fallbacks[1].edit.image_placeholder",
            "0 bytes",
        ),
    ];
    for (error, field, value) in cases {
        assert_eq!(error.field(), field);
        let text = error.to_string();
        assert!(text.contains(value) && text.contains("allowed is"), "{text}");
    }
    let canned =
        FallbackPolicy::new().fallback(Fallback::canned("x").without_tools()).build().unwrap_err();
    assert_eq!(canned.field(), "fallbacks[1].edit");
    assert!(!format!("{:?}", Edit::new().without_tools().tool_notice("hush")).contains("hush"));
}

// === capabilities ===

#[tokio::test]
async fn a_call_that_needs_more_skips_the_fallback_unless_an_edit_removes_the_need() {
    const IMAGE: &str = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#;
    const JSON: &str = r#"{"model":"m","response_format":{"type":"json_object"},"messages":[{"role":"user","content":"q"}]}"#;
    let offers = Capabilities::default;
    let skipped = vec![SkipReason::Capability];
    let cases = [
        (IMAGE, small().capabilities(offers().vision(false)), skipped.clone()),
        (
            IMAGE,
            small().capabilities(offers().vision(false)).edit(Edit::new().without_images()),
            vec![],
        ),
        (JSON, small().capabilities(offers().json(false)), skipped.clone()),
        (TOOLS, small().capabilities(offers().tools(false)), skipped.clone()),
        (TOOLS, small().capabilities(offers().tools(false)).without_tools(), vec![]),
        (
            TOOLS,
            small().capabilities(offers().tools(false)).without_tool("web_search"),
            skipped.clone(),
        ),
        (TOOLS, small().capabilities(offers().context(3000)), skipped.clone()),
        (
            TOOLS,
            small().capabilities(offers().context(3000)).edit(Edit::new().max_tokens(512)),
            vec![],
        ),
        (TOOLS, small().edit(Edit::new().fit_context(3000)), skipped.clone()),
        (TOOLS, small().edit(Edit::new().fit_context(5000)), vec![]),
        (IMAGE, small().capabilities(offers().tools(false).json(false)), vec![]),
    ];
    for (body, fallback, expected) in cases {
        let wire = RequestLog::default();
        let upstream = wire.answering(|_| Ok(answer(503, "")));
        let (_, events) =
            run(FallbackPolicy::new().fallback(fallback.clone()), upstream, with_body(body)).await;
        assert_eq!(skips(&events), expected, "{body} {fallback:?}");
        assert_eq!(wire.models().len(), 2 - expected.len());
    }
}

#[tokio::test]
async fn a_first_target_that_offers_less_is_skipped_where_another_takes_the_call() {
    let first = || {
        FallbackPolicy::new()
            .first(Fallback::original_request().capabilities(Capabilities::default().tools(false)))
    };
    let wire = RequestLog::default();
    let well = |_: &Request| Ok(answer(200, WELL));
    let (_, events) = run(first().fallback(small()), wire.answering(well), with_body(TOOLS)).await;
    assert_eq!(
        (skips(&events), wire.models()),
        (vec![SkipReason::Capability], vec!["small".into()])
    );
    // A fallback for other failures is not counted; one that can do more is used.
    let wire = RequestLog::default();
    let policy = first()
        .fallback(small().on([FallbackOn::Slow]))
        .fallback(small().on([FallbackOn::TooLarge]));
    let (_, events) = run(policy, wire.answering(well), with_body(TOOLS)).await;
    assert_eq!(skips(&events), [SkipReason::Capability, SkipReason::Outcome]);
    // No target can take it: its own provider reports the reason.
    let wire = RequestLog::default();
    let (result, _) = run(first(), wire.answering(well), with_body(TOOLS)).await;
    assert_eq!((result.unwrap().status().as_u16(), wire.models()), (200, vec!["m".into()]));
}

// === which failures lead where ===

#[tokio::test]
async fn each_failure_leads_to_its_own_fallback() {
    let policy = || {
        let on = |model: &str, when: FallbackOn| {
            Fallback::target(Target::same_host().model(model)).on([when])
        };
        FallbackPolicy::new()
            .fallback(on("large", FallbackOn::TooLarge))
            .fallback(on("toolless", FallbackOn::tool("web_search")).without_tool("web_search"))
            .fallback(on("small", FallbackOn::Slow))
            .fallback(on("careful", FallbackOn::Blocked))
            .fallback(on("other account", FallbackOn::NoAccess))
            .fallback(on("spare", FallbackOn::Unavailable))
    };
    let rejected = |why| Outcome::Rejected { why };
    let cases = [
        (TOOLS, Outcome::TooLarge, "large"),
        (TOOLS, Outcome::Unavailable { wait: None }, "toolless"),
        (TOOLS, rejected(Rejection::Request), "toolless"),
        (PLAIN, Outcome::Unavailable { wait: None }, "spare"),
        (PLAIN, Outcome::TimedOut { phase: Phase::Attempt }, "small"),
        (PLAIN, Outcome::NotSent { retry_in: None }, "small"),
        (PLAIN, Outcome::Blocked, "careful"),
        (PLAIN, rejected(Rejection::Credential), "other account"),
        (PLAIN, rejected(Rejection::Request), "m"),
    ];
    for (body, failure, model) in cases {
        let wire = RequestLog::default();
        let upstream = wire.answering(move |request| {
            let first = request.body().windows(11).any(|part| part == b"\"model\":\"m\"");
            if first { Err(Error::new(failure)) } else { Ok(answer(200, WELL)) }
        });
        run(policy(), upstream, with_body(body)).await.1.clear();
        assert_eq!(wire.models().last().map(String::as_str), Some(model), "{failure:?}");
        assert_eq!(wire.models().len(), if model == "m" { 1 } else { 2 });
    }
}

const PLAIN: &str = r#"{"model":"m","messages":[{"role":"user","content":"q"}]}"#;

#[tokio::test]
async fn a_fallback_for_blocked_content_takes_no_other_failures() {
    let wire = RequestLog::default();
    let upstream = wire.answering(|_| Err(Error::new(Outcome::Blocked)));
    let policy = FallbackPolicy::new()
        .fallback(small())
        .fallback(Fallback::canned("We cannot help with that here.").on([FallbackOn::Blocked]));
    let (response, events) = run(policy, upstream, with_body(PLAIN)).await;
    assert_eq!(skips(&events), [SkipReason::Outcome]);
    assert!(text(response.unwrap()).await.contains("We cannot help"));
    assert_eq!(wire.models(), ["m"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_route_leads_to_the_small_model_also_while_its_breaker_is_open() {
    let primary = Provider::new("primary").always(Reply::answer().first_content_after(secs(60)));
    let second = Provider::new("secondary");
    let fallback = crate::support::secondary().on([FallbackOn::Slow]);
    let client = over(Client::builder().fallback(fallback), [&primary, &second]);
    for _ in 0..12 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    assert!(primary.count() < 8, "{}", primary.count());
}

// === canned replies ===

#[tokio::test]
async fn a_canned_reply_is_marked_in_every_dialect_and_form() {
    let cases = [
        ("/v1/chat/completions", r#"{"messages":[]}"#, "\"id\":\"chatcmpl-canned-"),
        ("/v1/chat/completions", r#"{"stream":true,"messages":[]}"#, "\"id\":\"chatcmpl-canned-"),
        ("/v1/responses", r#"{"input":"q"}"#, "\"id\":\"resp_canned-"),
        ("/v1/responses", r#"{"stream":true,"input":"q"}"#, "\"id\":\"resp_canned-"),
        ("/v1/messages", r#"{"messages":[]}"#, "\"id\":\"msg_canned-"),
        ("/v1/messages", r#"{"stream":true,"messages":[]}"#, "\"id\":\"msg_canned-"),
        ("/v1beta/models/g:generateContent", r#"{"contents":[]}"#, "\"responseId\":\"canned-"),
        (
            "/v1beta/models/g:streamGenerateContent?alt=sse",
            r#"{"contents":[]}"#,
            "\"responseId\":\"canned-",
        ),
        (
            "/v1beta/models/g:streamGenerateContent",
            r#"{"contents":[]}"#,
            "\"responseId\":\"canned-",
        ),
        ("/api/chat", r#"{"messages":[]}"#, "busy"),
        ("/api/generate", r#"{"stream":false,"prompt":"q"}"#, "busy"),
    ];
    for (path, body, mark) in cases {
        let policy = FallbackPolicy::new().fallback(Fallback::canned("We are busy."));
        let upstream = RequestLog::default().answering(|_| Ok(answer(503, "")));
        let response = run(policy, upstream, ask(path, body)).await.0.unwrap();
        assert_eq!(response.headers()["evenkeel-canned"], "true", "{path}");
        assert_eq!(response.headers()["evenkeel-served-by"], "canned");
        assert!(response.extensions().get::<CannedReply>().is_some());
        assert!(response.extensions().get::<Verdict>().unwrap().outcome().is_success());
        let text = text(response).await;
        assert!(text.contains(mark) && text.contains("We are busy."), "{path} {text}");
    }
}

#[tokio::test]
async fn an_answer_of_a_provider_is_not_marked_as_canned() {
    let policy = FallbackPolicy::new().fallback(small()).fallback(Fallback::canned("busy"));
    let upstream = RequestLog::default().answering(|request| {
        let small = request.body().windows(5).any(|part| part == b"small");
        Ok(if small { answer(200, WELL) } else { answer(503, "") })
    });
    let response = run(policy, upstream, with_body(PLAIN)).await.0.unwrap();
    assert_eq!(response.headers()["evenkeel-served-by"], "small");
    assert!(!response.headers().contains_key("evenkeel-canned"));
    assert!(response.extensions().get::<CannedReply>().is_none());
}

#[tokio::test]
async fn a_canned_reply_can_depend_on_the_question_and_the_language() {
    let canned = Canned::from_context(|question: &CannedContext<'_>| {
        assert!(!format!("{question:?}").contains("parcel"));
        let (last, languages) =
            (question.last_user_text().unwrap_or_default(), question.languages());
        format!(
            "{last}|{}|{}|{}",
            languages.join(" "),
            question.is_in("de"),
            question.model().unwrap_or("-")
        )
    });
    let cases = [
        (None, "|false|"),
        (Some("en;q=0.8, de-CH, *;q=0.1, fr;q=0"), "de-ch en|true|"),
        (Some("en, de"), "en de|false|"),
        (Some("; , ,;q=x"), "|false|"),
    ];
    for (header, expected) in cases {
        let mut request = chat(false);
        if let Some(header) = header {
            request.headers_mut().insert(ACCEPT_LANGUAGE, header.parse().unwrap());
        }
        let policy = FallbackPolicy::new().fallback(Fallback::reply(canned.clone()));
        let upstream = RequestLog::default().answering(|_| Ok(answer(503, "")));
        let response = run(policy, upstream, request).await.0.unwrap();
        let text = text(response).await;
        assert!(text.contains(&format!("where is my parcel?|{expected}m")), "{text}");
    }
    assert!(PRIMARY.ends_with("/chat/completions"));
}
