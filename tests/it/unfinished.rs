//! Answers that end for a reason of the model's own, and requests that a provider declines without a reason, through the whole
//! stack on a paused clock.

use bytes::Bytes;
use evenkeel::{
    Body, Client, Response,
    fallback::{Fallback, Target},
    outcome::Outcome,
    stream::CommitPolicy,
};
use proptest::prelude::*;

use crate::support::{
    Answer, BodyStep, DONE, RequestLog, STOP, WORD, all_closed, body_of, chat, check_property,
    host, read, with_extension,
};

/// An answer of the second target.
fn good(stream: bool) -> Response {
    match stream {
        true => response(200, "text/event-stream", [WORD, STOP, DONE].concat()),
        false => response(200, "application/json", whole("stop")),
    }
}

fn whole(reason: &str) -> String {
    format!(
        r#"{{"id":"c","object":"chat.completion","model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"word"}},"finish_reason":"{reason}"}}]}}"#
    )
}

fn chunk(reason: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"{reason}\"}}]}}\n\n"
    )
}

fn response(status: u16, kind: &str, body: impl Into<Bytes>) -> Response {
    let response = http::Response::builder().status(status).header("content-type", kind);
    response.body(Body::from(body.into())).unwrap()
}

/// A client over a first target with that answer, and a second one that is well.
fn client(
    seen: &RequestLog,
    stream: bool,
    first: impl Fn() -> Response + Clone + Send + Sync + 'static,
) -> Client {
    let service = seen.answering(move |request| match host(request) {
        "primary" => Ok(first()),
        _ => Ok(good(stream)),
    });
    let second = Target::new("http://secondary/v1").bearer("the-second-key");
    let second = Fallback::target(second).named("secondary");
    Client::builder().fallback(second).build_with(service).unwrap()
}

async fn ask(client: &Client, stream: bool) -> Answer {
    read(client.send(with_extension(chat(stream), CommitPolicy::Complete)).await.unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_answer_is_asked_for_once_more_and_then_of_the_next_target() {
    for stream in [false, true] {
        let seen = RequestLog::default();
        let client = client(&seen, stream, move || match stream {
            true => response(
                200,
                "text/event-stream",
                format!("{WORD}{}{DONE}", chunk("MALFORMED_FUNCTION_CALL")),
            ),
            false => response(200, "application/json", whole("MALFORMED_FUNCTION_CALL")),
        });
        for _ in 0..20 {
            let answer = ask(&client, stream).await;
            assert_eq!((answer.from(), answer.words().as_str()), ("secondary", "word"), "{stream}");
            let attempts = answer.attempt_log.unwrap().attempts();
            assert_eq!(attempts[0].outcome, Outcome::Unfinished);
        }
        assert_eq!(seen.hosts()[..3], ["primary", "primary", "secondary"]);
        assert!(all_closed(&client), "the model's mistakes do not open the breaker");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_answer_after_the_commit_point_ends_in_an_error_with_the_reason() {
    let seen = RequestLog::default();
    let client = client(&seen, true, || {
        let steps = [WORD.into(), chunk("OTHER")].map(|text: String| BodyStep::Data(text.into()));
        let head = http::Response::builder().header("content-type", "text/event-stream");
        head.body(body_of(&steps)).unwrap()
    });
    let answer = read(client.send(chat(true)).await.unwrap()).await;
    let error = answer.error.expect("an error after the words");
    assert_eq!(error.outcome(), Outcome::Unfinished);
    assert_eq!(error.code().map(|code| code.as_str()), Some("OTHER"));
    assert_eq!(seen.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_another_target_a_declined_request_is_the_providers_answer_byte_for_byte() {
    let seen = RequestLog::default();
    let service =
        seen.answering(|_| Ok(response(424, "application/json", "{\"message\": \"upstream\"}")));
    let client = Client::builder().build_with(service).unwrap();
    let answer = read(client.send(chat(false)).await.unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.bytes()),
        (424, &b"{\"message\": \"upstream\"}"[..])
    );
    assert_eq!((answer.verdict.unwrap().outcome(), seen.len()), (Outcome::Declined, 1));
}

#[test]
fn law_whatever_the_first_target_means_by_an_unknown_word_or_status_the_next_one_answers() {
    let word = "zz[a-z_]{1,20}";
    let failure =
        (word, 0_usize..3, prop::sample::select(vec![405_u16, 412, 418, 424, 444, 460, 499]));
    check_property(24, failure, |(word, kind, status)| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            for stream in [false, true] {
                let word = word.clone();
                let seen = RequestLog::default();
                let client = client(&seen, stream, move || match (kind, stream) {
                    (0, true) => {
                        response(200, "text/event-stream", format!("{WORD}{}{DONE}", chunk(&word)))
                    }
                    (0, false) => response(200, "application/json", whole(&word)),
                    (1, _) => response(
                        status,
                        "application/json",
                        format!("{{\"error\":{{\"code\":\"{word}\"}}}}"),
                    ),
                    _ => response(status, "text/plain", word.clone()),
                });
                let answer = ask(&client, stream).await;
                assert_eq!((answer.from(), answer.words().as_str()), ("secondary", "word"));
                assert!(all_closed(&client));
            }
        });
        Ok(())
    });
}
