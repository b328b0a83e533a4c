//! Tests for async-openai only: its errors, its own retries, and its loss of the status.

use std::time::Duration;

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::{ApiErrorResponse, OpenAIError, StreamError},
    middleware::retry::OpenAIRetryLayer,
};
use evenkeel::{
    adapter::async_openai::EvenkeelService,
    breaker::BreakerPolicy,
    fallback::{Fallback, FallbackPolicy, Target},
    stream::CommitPolicy,
};
use evenkeel_clients::{
    AsyncOpenAi, Caller, How, Stage, brittle, builder, profile,
    stage::{KEY, OTHER_KEY},
};
use evenkeel_testkit::{Fault, Reply, Server};
use futures_util::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower::ServiceBuilder;

/// Asks without a stream, and returns the client's own error.
async fn fails(client: &Client<OpenAIConfig>) -> OpenAIError {
    client
        .chat()
        .create(AsyncOpenAi::question(How::Unary))
        .await
        .expect_err("it cannot be answered")
}

fn alone(stage: &Stage) -> AsyncOpenAi {
    AsyncOpenAi::new(builder(profile(CommitPolicy::FirstContent)), &stage.url())
}

#[tokio::test]
async fn retries_are_ours_alone_and_do_not_multiply() {
    let down = || Stage::always(Reply::status(500));
    // Without evenkeel, the client makes four attempts.
    let stage = down().await;
    fails(&AsyncOpenAi::without(&stage.url())).await;
    assert_eq!(stage.primary.count(), 4);

    // The client's retries around evenkeel's would multiply to twelve attempts for three. The breaker is disabled here.
    let stage = down().await;
    let patient =
        BreakerPolicy::default().consecutive_failures(None).failure_ratio(None).slow_ratio(None);
    let evenkeel = builder(profile(CommitPolicy::FirstContent).breaker(patient)).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(OpenAIRetryLayer::default())
        .map_err(OpenAIError::from)
        .service(EvenkeelService::new(evenkeel));
    fails(&AsyncOpenAi::without(&stage.url()).with_http_service(service)).await;
    assert_eq!(stage.primary.count(), 12);

    // Through evenkeel's service there are only evenkeel's retries: one and two.
    let stage = down().await;
    fails(&alone(&stage).0).await;
    assert_eq!(stage.primary.count(), 3);
}

#[tokio::test]
async fn a_transport_that_is_set_after_ours_takes_its_place() {
    let stage = Stage::always(Reply::status(500)).await;
    fails(&alone(&stage).0.with_http_client(reqwest::Client::new())).await;
    assert_eq!(stage.primary.count(), 4, "the pitfall in the guide is none any more");
}

#[tokio::test]
async fn an_error_that_the_client_cannot_read_keeps_its_status() {
    let page = "<html>Too many requests</html>";
    let cases = [
        (
            429,
            "application/json",
            r#"{"error":{"message":"Slow down","type":"requests","param":null,"code":429}}"#,
            "Slow down",
        ),
        (
            429,
            "application/json",
            r#"[{"error":{"code":429,"message":"Slow down","status":"RESOURCE_EXHAUSTED"}}]"#,
            "Slow down",
        ),
        (429, "text/html", page, page),
        (429, "application/json", "", "Too Many Requests"),
        (404, "application/json", r#"{"error":"model 'm' not found"}"#, "model 'm' not found"),
        (401, "application/json", r#"{"detail":"no such key"}"#, "no such key"),
    ];
    for (status, kind, body, message) in cases {
        let stage = Stage::always(Reply::raw(status, kind, body)).await;
        // Without evenkeel, the client reports JSON that it could not parse, and not the status.
        let lost = fails(&AsyncOpenAi::without(&stage.url())).await;
        assert!(matches!(lost, OpenAIError::JSONDeserialize(..)), "{body}: {lost:?}");

        match fails(&alone(&stage).0).await {
            OpenAIError::ApiError(ApiErrorResponse { status_code, api_error }) => {
                assert_eq!((status_code.as_u16(), api_error.message.as_str()), (status, message));
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_refused_keeps_its_status() {
    let stage = Stage::always(Reply::raw(429, "text/html", "<html>Slow down</html>")).await;
    let client = alone(&stage).0;
    // The client has the status before the first event, or as the first item.
    let error = match client.chat().create_stream(AsyncOpenAi::question(How::Streamed)).await {
        Ok(mut stream) => stream.next().await.expect("an item").expect_err("an error"),
        Err(error) => error,
    };
    let OpenAIError::ApiError(error) = error else { panic!("{error:?}") };
    assert_eq!(error.status_code, 429);
}

#[tokio::test]
async fn a_broken_stream_is_not_requested_again() {
    let stage = Stage::of([Reply::answer().with(Fault::Cut { words: 40 })]).await;
    let client =
        AsyncOpenAi::new(stage.evenkeel(profile(CommitPolicy::FirstContent)), &stage.url()).0;
    let question = AsyncOpenAi::question(How::Streamed);
    let mut stream = client.chat().create_stream(question).await.unwrap();
    let mut last = None;
    // Reads on after the error: some clients reconnect there.
    while let Some(item) = stream.next().await {
        last = Some(item);
    }
    let Some(Err(OpenAIError::StreamError(error))) = last else { panic!("{last:?}") };
    assert!(matches!(*error, StreamError::EventStream(_)), "{error:?}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(stage.attempts(), [1, 0]);
}

#[tokio::test]
async fn a_stream_without_an_end_is_a_success_to_the_client_alone_and_an_error_through_ours() {
    let chunk = r#"{"id":"c","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"content":"Half"},"finish_reason":null}]}"#;
    let half = Reply::pieces("text/event-stream", [format!("data: {chunk}\n\n")]);
    let stage = Stage::always(half).await;
    let without = AsyncOpenAi(AsyncOpenAi::without(&stage.url()));
    assert_eq!(without.ask(How::Streamed).await.unwrap().text, "Half");
    alone(&stage).ask(How::Streamed).await.unwrap_err();
}

#[tokio::test]
async fn errors_have_the_variants_that_callers_match_on() {
    let ours = |error: OpenAIError| match error {
        OpenAIError::Boxed(error) => *error.downcast::<evenkeel::Error>().expect("ours"),
        other => panic!("{other:?}"),
    };
    let stage = Stage::always(Reply::refused()).await;
    let error = fails(&alone(&stage).0).await;
    assert!(matches!(&error, OpenAIError::Reqwest(error) if error.is_connect()), "{error:?}");

    let stage = Stage::always(Reply::reset()).await;
    let error = fails(&alone(&stage).0).await;
    assert!(matches!(&error, OpenAIError::Reqwest(error) if error.is_request()), "{error:?}");

    let stage = Stage::always(Reply::hang()).await;
    let error = ours(fails(&alone(&stage).0).await);
    assert!(error.is_timeout() && error.attempt_log().is_some(), "{error:?}");

    let stage = Stage::always(Reply::status(503)).await;
    let wait = Duration::from_secs(20);
    let client = AsyncOpenAi::new(builder(brittle(wait)), &stage.url()).0;
    let error = fails(&client).await;
    assert!(
        matches!(&error, OpenAIError::ApiError(error) if error.status_code == 503),
        "{error:?}"
    );
    let error = ours(fails(&client).await);
    assert!(error.is_refused() && error.retry_in().is_some_and(|left| left <= wait), "{error:?}");
    assert_eq!(stage.primary.count(), 1, "nothing is sent");
}

#[tokio::test]
async fn a_canned_reply_is_read_both_ways() {
    for how in How::TEXT {
        let stage = Stage::always(Reply::status(503)).await;
        let evenkeel =
            builder(profile(CommitPolicy::FirstContent)).fallback(Fallback::canned("Back soon."));
        let said = AsyncOpenAi::new(evenkeel, &stage.url()).ask(how).await.unwrap();
        assert_eq!(said.text, "Back soon.", "{how:?}");
    }
}

#[tokio::test]
async fn no_header_that_speaks_for_the_caller_reaches_another_host() {
    let stage = Stage::always(Reply::status(503)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Another name for the host: credentials belong to one origin.
    let base = format!("http://localhost:{}/v1", listener.local_addr().unwrap().port());
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
        }
        stream.write_all(b"HTTP/1.1 401 \r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&head).to_lowercase()
    });
    let target = Target::new(base).bearer(OTHER_KEY);
    let evenkeel = builder(profile(CommitPolicy::FirstContent))
        .fallback_policy(FallbackPolicy::new().fallback(Fallback::target(target)))
        .build()
        .unwrap();
    let config = OpenAIConfig::new().with_api_base(stage.url()).with_api_key(KEY);
    let config = config.with_org_id("org-of-the-caller").with_project_id("project-of-the-caller");
    let client = Client::with_config(config).with_http_service(EvenkeelService::new(evenkeel));
    fails(&client).await;
    let head = seen.await.unwrap();
    assert!(head.starts_with("post /v1/chat/completions http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: bearer {OTHER_KEY}\r\n")), "{head}");
    assert!(!head.contains("of-the-caller"), "{head}");
}

/// The example of the guide's page.
#[tokio::test]
async fn the_example_of_the_guide_answers() {
    let server = Server::start(evenkeel_testkit::Provider::new("primary")).await.unwrap();
    let config = OpenAIConfig::new().with_api_base(format!("{}/v1", server.url()));
    let evenkeel = evenkeel::Client::builder().build().unwrap();
    let client = Client::with_config(config).with_http_service(EvenkeelService::new(evenkeel));
    let answer = client.chat().create(AsyncOpenAi::question(How::Unary)).await.unwrap();
    assert!(answer.choices[0].message.content.is_some());
}
