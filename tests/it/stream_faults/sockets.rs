//! The same over real sockets: faults of a stream that only HTTP/1 has.

use std::time::Duration;

use evenkeel::{Client, Profile, context::AttemptLog, outcome::Outcome, stream::BodyEnd};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use super::CHAT;
use crate::support::{DONE, STOP, USAGE, WORD, read_reqwest, transport};

const LONG: Duration = Duration::from_secs(30);

/// The result of one call to a server that answers with these bytes and closes: the text, its failure, its end.
async fn answered(bytes: String) -> (String, Option<Outcome>, Option<BodyEnd>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{CHAT}", listener.local_addr().unwrap());
    let serve = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"}") {
            let mut piece = [0; 1024];
            let n = stream.read(&mut piece).await.unwrap();
            head.extend_from_slice(&piece[..n]);
        }
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let client = Client::builder().profile(Profile::interactive());
    let client = client.build_with_reqwest(transport()).unwrap();
    let mut request = reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
    *request.body_mut() = Some(r#"{"model":"m","stream":true}"#.into());
    let came = async {
        let mut response = client.execute(request).await.unwrap();
        let attempt_log = AttemptLog::of(response.extensions());
        let (text, failed) = read_reqwest(&mut response).await;
        (text, failed, attempt_log.ending())
    };
    let came = timeout(LONG, came).await.expect("it ends");
    serve.await.unwrap();
    came
}

fn head(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{lines}\r\n")
}

fn chunked(pieces: &[&str], end: &str) -> String {
    let chunks: String =
        pieces.iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect();
    head("transfer-encoding: chunked\r\n") + &chunks + end
}

fn done(text: &str) -> (String, Option<Outcome>, Option<BodyEnd>) {
    (text.into(), None, Some(BodyEnd::Done))
}

fn cut(text: &str) -> (String, Option<Outcome>, Option<BodyEnd>) {
    (text.into(), Some(Outcome::Truncated), Some(BodyEnd::Truncated))
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_whole_only_with_its_own_end() {
    for head in [
        "HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".into(),
        head("connection: close\r\n"),
    ] {
        let whole = [WORD, STOP, DONE].concat();
        assert_eq!(answered(format!("{head}{whole}")).await, done(&whole));
        // For HTTP this is a valid end.
        assert_eq!(answered(format!("{head}{WORD}{WORD}")).await, cut(&WORD.repeat(2)));
    }
}

#[tokio::test]
async fn the_answer_itself_takes_precedence_over_a_wrong_length() {
    let whole = [WORD, STOP, DONE].concat();
    let with = |length: usize, text: &str| head(&format!("content-length: {length}\r\n")) + text;
    assert_eq!(answered(with(whole.len(), &whole)).await, done(&whole));
    // Too long: the connection closes before that length, after the answer was whole.
    assert_eq!(answered(with(whole.len() + 100, &whole)).await, done(&whole));
    assert_eq!(answered(with(whole.len(), WORD)).await, cut(WORD));
    // Too short: HTTP cuts off the rest.
    assert_eq!(answered(with(WORD.len(), &whole)).await, cut(WORD));
    assert_eq!(answered(with(WORD.len() + STOP.len(), &whole)).await, done(&[WORD, STOP].concat()));
}

#[tokio::test]
async fn trailers_and_a_missing_last_chunk_change_nothing_of_a_whole_answer() {
    let whole = [WORD, STOP, USAGE, DONE];
    for end in ["0\r\n\r\n", "0\r\nx-checksum: 1\r\n\r\n", "", "5\r\nhal"] {
        assert_eq!(answered(chunked(&whole, end)).await.1, None, "{end}");
    }
    for end in ["0\r\n\r\n", "0\r\nx-checksum: 1\r\n\r\n", ""] {
        assert_eq!(answered(chunked(&[WORD], end)).await, cut(WORD), "{end}");
    }
}

#[tokio::test]
async fn early_hints_before_the_head_are_skipped() {
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";
    let goes_on = "HTTP/1.1 100 Continue\r\n\r\n";
    let whole = [WORD, STOP, DONE];
    let answer = format!("{hints}{hints}{}", chunked(&whole, "0\r\n\r\n"));
    assert_eq!(answered(answer).await, done(&whole.concat()));
    let answer = format!("{goes_on}{hints}{}", chunked(&whole, "0\r\n\r\n"));
    assert_eq!(answered(answer).await, done(&whole.concat()));
}
