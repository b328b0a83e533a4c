//! Empty answers that are correct, and the silence of a running server tool.

use super::*;

fn events(events: &[&str]) -> Reply {
    let pieces = events.iter().map(|event| format!("data: {event}\n\n")).collect::<Vec<_>>();
    Reply::pieces("text/event-stream", pieces)
}

/// Makes the same call ten times: each time one attempt, an answer, and a closed breaker.
async fn rightly(reply: Reply, request: Request) {
    let first = Provider::new("primary").always(reply);
    let client =
        over(Client::builder().fallback(secondary()), [&first, &Provider::new("secondary")]);
    for n in 1..=10 {
        let answer = call(&client, request.clone()).await.unwrap();
        assert!(answer.error.is_none() && answer.status.is_success(), "{}", request.uri());
        assert_eq!((first.count(), answer.from()), (n, answer.from()), "{}", request.uri());
        assert!(answer.from() != "secondary");
    }
    assert!(client.breakers().list().iter().all(|(_, shown)| shown.state == CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_stop_sequence_that_comes_first_is_an_answer() {
    let chat_whole = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}]}"#;
    let chat_chunk = r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
    let chat_stop = r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let gemini = r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}"#;
    let message = r#"{"id":"m","type":"message","role":"assistant","content":[],"stop_reason":"stop_sequence","stop_sequence":"END","usage":{"input_tokens":9,"output_tokens":1}}"#;
    for (path, body, reply) in [
        ("/v1/chat/completions", r#"{"model":"m","stop":"END"}"#, json(200, chat_whole)),
        ("/v1/chat/completions", r#"{"model":"m","max_tokens":1}"#, json(200, chat_whole)),
        (
            "/v1/chat/completions",
            r#"{"model":"m","stream":true,"stop":["END"]}"#,
            events(&[chat_chunk, chat_stop, "[DONE]"]),
        ),
        (
            "/v1beta/models/m:generateContent",
            r#"{"generationConfig":{"stopSequences":["END"]}}"#,
            json(200, gemini),
        ),
        ("/v1/messages", r#"{"model":"m","stop_sequences":["END"]}"#, json(200, message)),
        (
            "/api/chat",
            r#"{"model":"m","stream":false,"options":{"stop":["END"]}}"#,
            json(200, r#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#),
        ),
    ] {
        rightly(reply, post(path, body)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_to_a_call_without_a_stop_sequence_is_retried() {
    let first = Provider::new("primary").always(Reply::empty());
    let client = over(Client::builder(), [&first]);
    call(&client, chat(false)).await.unwrap_err();
    assert!(first.count() > 1);
    // An answer without a finish reason is never correct.
    first.set(json(200, r#"{"object":"chat.completion","choices":[]}"#));
    first.forget();
    let request = post("/v1/chat/completions", r#"{"model":"m","stop":"END"}"#);
    assert!(call(&client, request).await.is_err() && first.count() > 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_end_turn_of_anthropic_is_an_answer() {
    let message = r#"{"id":"m","type":"message","role":"assistant","content":[],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":2}}"#;
    rightly(json(200, message), post("/v1/messages", r#"{"model":"m"}"#)).await;
    let stream = events(&[
        r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_stop"}"#,
    ]);
    rightly(stream, post("/v1/messages", r#"{"model":"m","stream":true}"#)).await;
}

#[tokio::test(start_paused = true)]
async fn operations_with_empty_answers_are_successes() {
    let tool = r#"{"choices":[{"index":0,"message":{"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
    let filtered =
        r#"{"choices":[{"index":0,"message":{"content":""},"finish_reason":"content_filter"}]}"#;
    let refused = r#"{"id":"m","type":"message","content":[],"stop_reason":"refusal","usage":{"input_tokens":9,"output_tokens":0}}"#;
    for (request, reply) in [
        (post("/v1/embeddings", r#"{"model":"m","input":[]}"#), json(200, r#"{"data":[]}"#)),
        (post("/v1/moderations", r#"{"input":""}"#), json(200, r#"{"results":[]}"#)),
        (post("/v1/chat/completions", r#"{"model":"m"}"#), json(200, tool)),
        (post("/v1/chat/completions", r#"{"model":"m"}"#), json(200, filtered)),
        (post("/v1/messages", r#"{"model":"m"}"#), json(200, refused)),
        (
            request_to("GET", "/v1/chat/completions", ""),
            json(200, r#"{"object":"list","data":[]}"#),
        ),
        (request_to("GET", "/v1/files", ""), json(200, r#"{"object":"list","data":[]}"#)),
        (request_to("DELETE", "/v1/responses/r", ""), json(204, "")),
        (post("/v1/threads/t/messages", "{}"), json(204, "")),
    ] {
        rightly(reply, request).await;
    }
}

/// A stream with ten events in the middle of its text, each after ten seconds.
async fn slowly(path: &str, body: &'static str, stream: &[&str]) -> Option<Outcome> {
    let first = Provider::new("primary").always(events(stream).between_events(secs(10)));
    let stream = call(&over(Client::builder(), [&first]), post(path, body)).await.unwrap();
    stream.error.map(|error| error.outcome())
}

#[tokio::test(start_paused = true)]
async fn a_server_tool_at_work_is_no_silence() {
    let responses = |step: &str| {
        [
            r#"{"type":"response.created","response":{"status":"in_progress"}}"#.to_owned(),
            r#"{"type":"response.output_text.delta","delta":"Let me see."}"#.to_owned(),
            format!(r#"{{"type":"response.{step}.in_progress","item_id":"i"}}"#),
            r#"{"type":"keepalive"}"#.to_owned(),
            format!(r#"{{"type":"response.{step}.interpreting","item_id":"i"}}"#),
            format!(r#"{{"type":"response.{step}.completed","item_id":"i"}}"#),
            r#"{"type":"response.output_text.delta","delta":"42"}"#.to_owned(),
            r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"text":"42"}]}]}}"#.to_owned(),
        ]
    };
    let request = r#"{"model":"m","stream":true,"input":"hi"}"#;
    let idle = Outcome::TimedOut { phase: evenkeel::outcome::Phase::Idle };
    for (step, outcome) in
        [("code_interpreter_call", None), ("mcp_list_tools", None), ("something", Some(idle))]
    {
        let stream = responses(step);
        let stream: Vec<_> = stream.iter().map(String::as_str).collect();
        assert_eq!(slowly("/v1/responses", request, &stream).await, outcome, "{step}");
    }
    let messages = |block: &str| {
        [
            r#"{"type":"message_start","message":{"content":[]}}"#.to_owned(),
            format!(
                r#"{{"type":"content_block_start","content_block":{{"type":"{block}","name":"x"}}}}"#
            ),
            r#"{"type":"ping"}"#.to_owned(),
            r#"{"type":"ping"}"#.to_owned(),
            r#"{"type":"ping"}"#.to_owned(),
            r#"{"type":"content_block_start","content_block":{"type":"text"}}"#.to_owned(),
            r#"{"type":"content_block_delta","delta":{"text":"42"}}"#.to_owned(),
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#.to_owned(),
            r#"{"type":"message_stop"}"#.to_owned(),
        ]
    };
    // While the model itself is silent, pings do not count.
    for (block, outcome) in [("server_tool_use", None), ("tool_use", Some(idle))] {
        let stream = messages(block);
        let stream: Vec<_> = stream.iter().map(String::as_str).collect();
        let request = r#"{"model":"m","stream":true,"messages":[]}"#;
        assert_eq!(slowly("/v1/messages", request, &stream).await, outcome, "{block}");
    }
}

#[tokio::test(start_paused = true)]
async fn five_streams_with_a_server_tool_at_work_are_whole_and_open_no_route() {
    let stream = [
        r#"{"type":"response.output_text.delta","delta":"Let me see."}"#,
        r#"{"type":"response.code_interpreter_call.in_progress","item_id":"i"}"#,
        r#"{"type":"keepalive"}"#,
        r#"{"type":"response.code_interpreter_call.interpreting","item_id":"i"}"#,
        r#"{"type":"response.output_text.delta","delta":"42"}"#,
        r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"text":"42"}]}]}}"#,
    ];
    // Twenty-five seconds between contents.
    let pace = std::time::Duration::from_millis(6_250);
    let first = Provider::new("primary").always(events(&stream).between_events(pace));
    let client = over(Client::builder(), [&first]);
    for _ in 0..5 {
        let request = post("/v1/responses", r#"{"model":"m","stream":true,"input":"hi"}"#);
        let started = tokio::time::Instant::now();
        let answer = call(&client, request).await.unwrap();
        assert!(answer.error.is_none(), "{:?}", answer.error);
        assert!(started.elapsed() >= secs(25));
    }
    assert_eq!(first.count(), 5);
    let states: Vec<_> = client.breakers().list().into_iter().map(|(_, it)| it.state).collect();
    assert_eq!(states, [CircuitState::Closed]);
}
