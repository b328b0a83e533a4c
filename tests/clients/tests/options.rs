//! A deadline and fallbacks of one call, in each client, at a provider that takes three seconds.

use std::{future::Future, time::Duration};

use async_openai::error::OpenAIError;
use evenkeel::{
    CallOptions, Error, Profile,
    adapter::{async_openai::EvenkeelService, reqwest_middleware::EvenkeelMiddleware},
    context::Deadline,
    fallback::{Fallback, Fallbacks},
};
use evenkeel_clients::{
    AsyncOpenAi, Caller, How, Middleware, Rig, Stage, builder,
    stage::{KEY, OTHER_MODEL},
};
use evenkeel_testkit::Reply;
use futures_util::StreamExt;
use rig::completion::CompletionRequest;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_millis(300);
/// Less than the provider takes, with room for a busy machine.
const IN_TIME: Duration = Duration::from_millis(1500);
const BUSY: &str = "We are very busy.";
const BODY: &str =
    r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Where is my parcel?"}]}"#;

/// A provider that takes three seconds.
async fn slow() -> Stage {
    Stage::always(Reply::answer().head_after(Duration::from_secs(3))).await
}

fn deadline() -> CallOptions {
    CallOptions::new().deadline(LIMIT)
}

/// The deadline, and a canned reply.
fn canned() -> CallOptions {
    deadline().fallbacks([Fallback::canned(BUSY)])
}

/// Enough time for the other provider.
fn other(stage: &Stage) -> CallOptions {
    CallOptions::new().deadline(IN_TIME / 2).fallbacks([stage.fallback()])
}

async fn in_time<T>(call: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let result = call.await;
    assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
    result
}

async fn text(answer: reqwest::Response) -> String {
    answer.text().await.expect("a whole answer")
}

fn url(stage: &Stage) -> String {
    format!("{}/chat/completions", stage.url())
}

#[tokio::test]
async fn reqwest_by_the_call() {
    let stage = slow().await;
    let client = builder(Profile::interactive()).build().expect("the configuration is right");
    let request = || reqwest::Client::new().post(url(&stage)).bearer_auth(KEY).body(BODY);
    let error = in_time(client.call(request()).deadline(LIMIT).send()).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let answer = in_time(client.call(request()).options(canned()).send()).await.unwrap();
    assert!(text(answer).await.contains(BUSY));
    let answer = in_time(client.call(request()).options(other(&stage)).send()).await.unwrap();
    assert!(text(answer).await.contains(OTHER_MODEL));
    let answer = in_time(canned().scope(client.execute(request()))).await.unwrap();
    assert!(text(answer).await.contains(BUSY), "by a scope");
}

#[tokio::test]
async fn reqwest_middleware_by_an_extension() {
    let stage = slow().await;
    let evenkeel = EvenkeelMiddleware::new(builder(Profile::interactive())).unwrap();
    let handles = evenkeel.client().clone();
    let client = Middleware::client(evenkeel);
    let request = || client.post(url(&stage)).bearer_auth(KEY).body(BODY);
    let error = in_time(request().with_extension(deadline()).send()).await.unwrap_err();
    let reqwest_middleware::Error::Middleware(error) = error else { panic!("{error:?}") };
    assert!(error.downcast_ref().is_some_and(Error::is_timeout), "{error:?}");
    let answer = in_time(request().with_extension(canned()).send()).await.unwrap();
    assert!(text(answer).await.contains(BUSY));
    let single = request()
        .with_extension(Deadline::within(IN_TIME / 2))
        .with_extension(Fallbacks::new([stage.fallback()]).expect("it is right"));
    let answer = in_time(single.send()).await.unwrap();
    assert!(text(answer).await.contains(OTHER_MODEL), "by single values");
    let answer = in_time(canned().scope(request().send())).await.unwrap();
    assert!(text(answer).await.contains(BUSY), "by a scope");
    assert_eq!(handles.breakers().list().len(), 2, "the handles show the routes");
}

#[tokio::test]
async fn async_openai_by_a_scope() {
    let stage = slow().await;
    let evenkeel = builder(Profile::interactive()).build().expect("the configuration is right");
    let client = AsyncOpenAi::without(&stage.url());
    let client = client.with_http_service(EvenkeelService::new(evenkeel));
    let asked = AsyncOpenAi::question(How::Unary);
    let error = in_time(deadline().scope(client.chat().create(asked))).await.unwrap_err();
    let OpenAIError::Boxed(error) = error else { panic!("{error:?}") };
    assert!(error.downcast_ref().is_some_and(Error::is_timeout), "{error:?}");
    let client = AsyncOpenAi(client);
    for how in How::TEXT {
        let answer = in_time(canned().scope(client.ask(how))).await.unwrap();
        assert_eq!(answer.text, BUSY, "{how:?}");
    }
    // The stream is read outside of the scope.
    let asked = AsyncOpenAi::question(How::Streamed);
    let chat = client.0.chat();
    let stream = in_time(other(&stage).scope(chat.create_stream(asked))).await.unwrap();
    let chunks: Vec<_> = stream.map(|chunk| chunk.expect("a whole stream")).collect().await;
    assert!(chunks.iter().all(|chunk| chunk.model == OTHER_MODEL) && !chunks.is_empty());
}

#[tokio::test]
async fn rig_by_a_scope() {
    let stage = slow().await;
    let evenkeel = EvenkeelMiddleware::new(builder(Profile::interactive())).unwrap();
    let client = Rig::with(evenkeel, &stage.url());
    let error = in_time(deadline().scope(client.ask(How::Unary))).await.unwrap_err();
    assert!(error.contains("timed out"), "{error}");
    for how in How::TEXT {
        let answer = in_time(canned().scope(client.ask(how))).await.unwrap();
        assert_eq!(answer.text, BUSY, "{how:?}");
    }
    // rig sends the request when the stream is read: the stream is in the scope.
    let model = client.0.chat("gpt-4o-mini");
    let stream = model.stream(CompletionRequest::new("Where is my parcel?")).unwrap();
    let mut stream = other(&stage).scope(stream);
    let read = async {
        while let Some(item) = stream.next().await {
            item.expect("a whole stream");
        }
    };
    in_time(read).await;
    let answer = stream.into_inner().finish().await.unwrap();
    assert_eq!(answer.model(), Some(OTHER_MODEL));
}
