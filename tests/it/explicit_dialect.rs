//! The dialect of a request whose path does not determine it: declared by the call or by a target.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use evenkeel::{
    Client, ClientBuilder, Profile, Request,
    classify::ClassifyPolicy,
    dialect::Dialect,
    fallback::{Fallback, Target},
    outcome::{CodeClass, ErrorCodeTable, Outcome},
    retry::RetryPolicy,
};
use evenkeel_testkit::{Fault, Hosts, Provider, Reply};
use tower::{ServiceExt, service_fn};

use crate::support::{Answer, call, chat, over, pair, read, secondary};

const ODD: &str = "http://primary/custom/complete";
const BUSY: &str = "We are very busy.";

/// A chat request to an unusual path.
fn odd(stream: bool) -> Request {
    let mut request = chat(stream);
    *request.uri_mut() = ODD.parse().unwrap();
    request
}

/// The same request with a declared dialect.
fn said(stream: bool) -> Request {
    let mut request = odd(stream);
    request.extensions_mut().insert(Dialect::OpenAiChat);
    request
}

/// Answers 200 once with an error inside, which only a parser of its dialect detects; then whole answers.
fn failing() -> Provider {
    Provider::new("primary").any_path().replies([Reply::answer().with(Fault::server_error(0))])
}

/// The URIs of the attempts of a call.
async fn places(builder: ClientBuilder, request: Request) -> Vec<String> {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    let places = Arc::new(Mutex::new(Vec::new()));
    let list = places.clone();
    let hosts = Hosts::new([primary, second]);
    let wire = service_fn(move |request: Request| {
        list.lock().unwrap().push(request.uri().to_string());
        hosts.clone().oneshot(request)
    });
    let retry = RetryPolicy::default().retries(0);
    let client = builder.profile(Profile::interactive().retry(retry)).build_with(wire).unwrap();
    read(client.send(request).await.unwrap()).await;
    places.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn without_a_declared_dialect_an_unusual_path_is_passed_through_unread() {
    for stream in [true, false] {
        let primary = failing();
        let client = over(Client::builder().fallback(secondary()), [&primary]);
        let answer = call(&client, odd(stream)).await.unwrap();
        assert!(std::str::from_utf8(&answer.bytes()).unwrap().contains("server_error"));
        assert_eq!((answer.from(), primary.count()), ("primary", 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dialect_in_the_extensions_of_a_request_holds_for_that_call() {
    for stream in [true, false] {
        let primary = failing();
        let client = over(Client::builder(), [&primary]);
        call(&client, said(stream)).await.unwrap().is_whole();
        assert_eq!(primary.count(), 2);
    }
    // Whatever the path.
    let mut request = chat(true);
    request.extensions_mut().insert(Dialect::Anthropic);
    let error = over(Client::builder(), [&Provider::new("primary")]).send(request).await;
    assert_eq!(error.unwrap_err().outcome(), Outcome::Malformed);
}

#[tokio::test(start_paused = true)]
async fn a_target_declares_its_dialect_whatever_the_path() {
    let here = || Target::same_host().dialect(Dialect::OpenAiChat);
    let there = || Target::new("http://primary").dialect(Dialect::OpenAiChat);
    for stream in [true, false] {
        for target in [here(), there()] {
            let primary = failing();
            let client = over(Client::builder().primary(target), [&primary]);
            call(&client, odd(stream)).await.unwrap().is_whole();
            assert_eq!(primary.count(), 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_streams_of_a_target_are_parsed_in_its_dialect() {
    let error =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    let word = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\n";
    let stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let primary = Provider::new("primary").replies([
        Reply::pieces("text/event-stream", [error]),
        Reply::pieces("text/event-stream", [word, stop]),
    ]);
    let target = Target::same_host().dialect(Dialect::Anthropic);
    let client = over(Client::builder().primary(target), [&primary]);
    let answer = call(&client, odd(true)).await.unwrap();
    assert_eq!((answer.bytes(), primary.count()), ([word, stop].concat().into(), 2));
}

#[tokio::test(start_paused = true)]
async fn a_canned_reply_has_the_dialect_of_the_fallbacks_above() {
    let speaks = Target::same_host().dialect(Dialect::OpenAiChat);
    let spare = Target::new("http://secondary/v1").dialect(Dialect::OpenAiChat);
    let canned = || Client::builder().fallback(Fallback::canned(BUSY));
    let builders = [
        (canned().primary(speaks), odd as fn(bool) -> Request),
        (Client::builder().fallback(Fallback::target(spare)).fallback(Fallback::canned(BUSY)), odd),
        (canned(), said),
    ];
    for (builder, request) in builders {
        let (primary, second) = pair();
        primary.set(Reply::status(503));
        second.set(Reply::status(503));
        let client = over(builder, [&primary, &second]);
        for stream in [true, false] {
            let answer = call(&client, request(stream)).await.unwrap();
            assert_eq!((answer.from(), answer.words()), ("canned", BUSY.into()));
        }
    }
    // Without a declaration there is no dialect.
    let (primary, _) = pair();
    primary.set(Reply::status(503));
    let answer = call(&over(canned(), [&primary]), odd(true)).await.unwrap();
    assert_eq!(answer.status, 503);
}

#[tokio::test(start_paused = true)]
async fn another_model_is_asked_in_the_declared_dialect() {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    call(&client, said(true)).await.unwrap().is_whole();
    assert_eq!(second.attempts()[0].model.as_deref(), Some("spare"));
}

#[tokio::test(start_paused = true)]
async fn from_an_unusual_path_another_host_is_asked_at_the_usual_one() {
    let to = |base: &str| Client::builder().fallback(Fallback::target(Target::new(base)));
    let gemini = "http://primary/custom/complete?alt=sse";
    let ollama = Dialect::Ollama;
    for (dialect, from, base, at) in [
        (Dialect::OpenAiChat, ODD, "http://secondary/v1", "http://secondary/v1/chat/completions"),
        (Dialect::OpenAiChat, ODD, "http://secondary", "http://secondary/v1/chat/completions"),
        (
            Dialect::OpenAiChat,
            "http://primary/c?a=1&api-version=1",
            "http://secondary/v1",
            "http://secondary/v1/chat/completions?api-version=1",
        ),
        (Dialect::OpenAiResponses, ODD, "http://secondary/v1", "http://secondary/v1/responses"),
        (Dialect::OpenAiResponses, ODD, "http://secondary", "http://secondary/v1/responses"),
        (Dialect::Anthropic, ODD, "http://secondary/v1", "http://secondary/v1/messages"),
        (Dialect::Anthropic, ODD, "http://secondary/x", "http://secondary/x/v1/messages"),
        (ollama, ODD, "http://secondary", "http://secondary/api/chat"),
        (ollama, ODD, "http://secondary/api", "http://secondary/api/chat"),
        (ollama, "http://primary/my/generate", "http://secondary", "http://secondary/api/generate"),
        (
            Dialect::Gemini,
            gemini,
            "http://secondary/v1beta",
            "http://secondary/v1beta/models/m:streamGenerateContent?alt=sse",
        ),
        (
            Dialect::Gemini,
            gemini,
            "http://secondary",
            "http://secondary/v1beta/models/m:streamGenerateContent?alt=sse",
        ),
        // At the addressed host the request keeps the addressed path.
        (Dialect::OpenAiChat, ODD, "http://primary/v2", "http://primary/v2/custom/complete"),
    ] {
        let mut request = chat(true);
        *request.uri_mut() = from.parse().unwrap();
        request.extensions_mut().insert(dialect);
        let places = places(to(base), request).await;
        assert_eq!(places, [from, at], "{dialect:?} {base}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_with_an_endpoint_is_asked_at_that_endpoint() {
    let at = |target: Target| Client::builder().fallback(Fallback::target(target));
    let endpoint = "http://secondary/v1/custom/complete";
    let spare = || Target::new("http://secondary/v1");
    for (target, request) in [
        // The target's own path, from the usual path and from another.
        (spare().endpoint("/custom/complete"), chat(true)),
        (spare().dialect(Dialect::OpenAiChat).endpoint("/custom/complete"), odd(true)),
        (spare().endpoint("/custom/complete"), said(true)),
        // It has the dialect at the addressed path.
        (spare().dialect(Dialect::OpenAiChat), odd(true)),
    ] {
        let from = request.uri().to_string();
        assert_eq!(places(at(target), request).await, [from.as_str(), endpoint]);
    }
    // Requests for other operations keep their path.
    let mut request = chat(false);
    *request.uri_mut() = "http://primary/v1/moderations".parse().unwrap();
    let places_ = places(at(spare().endpoint("/custom/complete")), request).await;
    assert_eq!(places_[1], "http://secondary/v1/moderations");
    // At the addressed host, a key in the query stays if there is no other key.
    let here = Target::same_host().endpoint("/custom/complete");
    let mut request = chat(true);
    *request.uri_mut() = "http://primary/v1/chat/completions?key=k&a=1".parse().unwrap();
    let places = places(at(here), request).await;
    assert_eq!(places[1], "http://primary/custom/complete?key=k&a=1");
}

#[tokio::test(start_paused = true)]
async fn other_operations_are_passed_through_whatever_a_target_declares() {
    let vector = r#"{"object":"list","data":[{"embedding":[0.5]}]}"#;
    for path in [
        "/v1/embeddings",
        "/v1/moderations",
        "/v1/images/generations",
        "/v1/audio/speech",
        "/v1/files",
        "/v1beta/models/m:embedContent",
        "/v1/messages/count_tokens",
        "/api/embed",
    ] {
        let primary = Provider::new("primary").always(Reply::raw(200, "application/json", vector));
        let target = Target::same_host().dialect(Dialect::OpenAiChat);
        let client = over(Client::builder().primary(target), [&primary]);
        let mut request = chat(false);
        *request.uri_mut() = format!("http://primary{path}").parse().unwrap();
        let answer: Answer = call(&client, request).await.unwrap();
        assert_eq!((answer.bytes(), primary.count()), (Bytes::from_static(vector.as_bytes()), 1));
    }
}

#[test]
fn an_invalid_endpoint_is_refused() {
    let spare = || Target::new("http://secondary/v1");
    for (target, value) in [
        (spare().endpoint(""), ""),
        (spare().endpoint("custom/complete"), "custom/complete"),
        (spare().endpoint("/custom complete"), "/custom complete"),
        (spare().endpoint("/custom?key=k"), "/custom?key=k"),
        (spare().dialect(Dialect::Gemini).endpoint("/custom"), "/custom"),
    ] {
        let fallbacks =
            evenkeel::fallback::FallbackPolicy::new().fallback(Fallback::target(target));
        let error = fallbacks.build().unwrap_err();
        assert_eq!(error.field(), "fallbacks[1].endpoint", "{value}");
    }
}

// === codes of one's own ===

/// An error in the stream of each dialect, and in an unstreamed answer, with an unknown code.
const HOUSE: [[&str; 4]; 5] = [
    [
        "/v1/chat/completions",
        "text/event-stream",
        "data: {\"error\":{\"message\":\"x\",\"code\":\"house_rules\"}}\n\n",
        r#"{"error":{"message":"x","code":"house_rules"}}"#,
    ],
    [
        "/v1/responses",
        "text/event-stream",
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"house_rules\"}}}\n\n",
        r#"{"object":"response","status":"failed","error":{"code":"house_rules"}}"#,
    ],
    [
        "/v1/messages",
        "text/event-stream",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"house_rules\"}}\n\n",
        r#"{"type":"error","error":{"type":"house_rules"}}"#,
    ],
    [
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        "text/event-stream",
        "data: {\"error\":{\"code\":500,\"status\":\"HOUSE_RULES\"}}\n\n",
        r#"[{"error":{"code":500,"status":"HOUSE_RULES"}}]"#,
    ],
    [
        "/api/chat",
        "application/x-ndjson",
        "{\"error\":\"house_rules\"}\n",
        r#"{"error":"house_rules"}"#,
    ],
];

#[tokio::test(start_paused = true)]
async fn custom_codes_apply_inside_streams_and_inside_a_200() {
    for meaning in [None, Some(CodeClass::QuotaExhausted), Some(CodeClass::TooLarge)] {
        let expected = match meaning {
            None => Outcome::Unavailable { wait: None },
            Some(CodeClass::TooLarge) => Outcome::TooLarge,
            Some(_) => Outcome::QuotaExhausted { wait: None },
        };
        let codes = meaning.map(|meaning| ErrorCodeTable::default().with("house_rules", meaning));
        let classify = ClassifyPolicy::default().codes(codes.unwrap_or_default());
        let retry = RetryPolicy::default().retries(0);
        let profile = Profile::interactive().classify(classify).retry(retry);
        for [path, kind, event, json] in HOUSE {
            for (kind, body) in [(kind, event), ("application/json", json)] {
                let primary = Provider::new("primary").always(Reply::raw(200, kind, body));
                let client = over(Client::builder().profile(profile.clone()), [&primary]);
                let mut request = chat(kind != "application/json");
                *request.uri_mut() = format!("http://primary{path}").parse().unwrap();
                let error = client.send(request).await.unwrap_err();
                assert_eq!(error.outcome(), expected, "{path} {body}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn custom_codes_apply_in_a_choice_and_after_the_first_token() {
    let word = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    let choice = "data: {\"choices\":[{\"index\":0,\"error\":{\"code\":\"house_rules\"}}]}\n\n";
    let codes = ErrorCodeTable::default().with("house_rules", CodeClass::Blocked);
    let profile = Profile::interactive().classify(ClassifyPolicy::default().codes(codes));
    let primary =
        Provider::new("primary").always(Reply::pieces("text/event-stream", [word, choice]));
    let client = over(Client::builder().profile(profile), [&primary]);
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!(answer.error.unwrap().outcome(), Outcome::Blocked);
}
