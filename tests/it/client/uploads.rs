//! Streamed request bodies: which can be sent again, and that none loses a byte.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use reqwest::multipart::{Form, Part};

use super::*;

const PATH: &str = "/v1/audio/transcriptions";

/// A server that answers 503 until it has had `failures` requests, and records their bodies.
struct Recorder {
    url: String,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    async fn start(failures: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let seen = bodies.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let body = read_body(&mut socket).await;
                let count = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(body);
                    seen.len()
                };
                let status = if count <= failures { "503 No" } else { "200 OK" };
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{{\"text\":\"hi\"}}"
                );
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, bodies }
    }

    /// The status of a call, and the bodies that arrived.
    async fn post(
        &self,
        builder: ClientBuilder,
        fill: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> (u16, Vec<Vec<u8>>) {
        let request = fill(transport().post(&self.url)).build().unwrap();
        let answer = ends(client(builder).execute(request)).await.unwrap();
        (answer.status().as_u16(), self.bodies.lock().unwrap().clone())
    }
}

/// The body of one request, without the frames of a chunked one.
async fn read_body(socket: &mut tokio::net::TcpStream) -> Vec<u8> {
    let mut got = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = got.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&got[..end]).to_lowercase();
            let body = &got[end + 4..];
            match head.split("content-length: ").nth(1) {
                Some(rest) => {
                    let length: usize = rest.lines().next().unwrap().parse().unwrap();
                    if body.len() >= length {
                        return body.to_vec();
                    }
                }
                None if body.ends_with(b"0\r\n\r\n") => return unchunked(body),
                None => {}
            }
        }
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return got,
            Ok(count) => got.extend_from_slice(&piece[..count]),
        }
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = body.windows(2).position(|window| window == b"\r\n").unwrap();
        let length =
            usize::from_str_radix(std::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[line + 2..][..length]);
        body = &body[line + 2 + length + 2..];
    }
}

/// Twenty pieces of a hundred bytes, which arrive one after the other.
fn slow_body() -> reqwest::Body {
    let pieces = stream::iter(0..20_u8).then(|at| async move {
        sleep(ms(1)).await;
        Ok::<_, std::io::Error>(Bytes::from(vec![at; 100]))
    });
    reqwest::Body::wrap_stream(pieces)
}

fn whole() -> Vec<u8> {
    (0..20_u8).flat_map(|at| [at; 100]).collect()
}

#[tokio::test]
async fn a_streamed_upload_is_sent_again_only_if_it_was_buffered() {
    let server = Recorder::start(1).await;
    let buffered = server.post(builder().buffer_uploads(2000), |it| it.body(slow_body())).await;
    assert_eq!(buffered, (200, vec![whole(), whole()]));
    for too_little in [0, 1, 1999] {
        let server = Recorder::start(1).await;
        let builder = builder().buffer_uploads(too_little);
        let sent = server.post(builder, |it| it.body(slow_body())).await;
        assert_eq!(sent, (503, vec![whole()]), "{too_little}: sent once, and whole");
    }
}

#[tokio::test]
async fn a_form_from_memory_is_sent_again_and_one_that_streams_is_not() {
    let file = || Part::bytes(vec![7; 3000]).file_name("a.wav");
    let server = Recorder::start(2).await;
    let form = Form::new().text("model", "whisper-1").part("file", file());
    let (status, bodies) = server.post(builder(), |it| it.multipart(form)).await;
    assert_eq!((status, bodies.len()), (200, 3));
    assert!(bodies.iter().all(|body| *body == bodies[0] && body.len() > 3000));
    let server = Recorder::start(1).await;
    let form = Form::new().part("file", Part::stream(slow_body()).file_name("a.wav"));
    let (status, bodies) = server.post(builder(), |it| it.multipart(form)).await;
    assert_eq!((status, bodies.len()), (503, 1));
    let file = bodies[0].windows(2000).any(|window| *window == whole());
    assert!(file, "what was read ahead of the form is sent before the rest");
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_not_sent() {
    let server = Recorder::start(0).await;
    let gone = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    let body = reqwest::Body::wrap_stream(stream::iter([Ok(Bytes::from("half")), Err(gone)]));
    let request = transport().post(&server.url).body(body).build().unwrap();
    let client = client(builder().buffer_uploads(100));
    assert!(ends(client.execute(request)).await.unwrap_err().is_cancelled());
    assert!(server.bodies.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_time_of_an_upload_is_part_of_the_call() {
    let server = Recorder::start(0).await;
    let stalled =
        stream::iter([Ok::<_, std::io::Error>(Bytes::from("half"))]).chain(stream::pending());
    let body = reqwest::Body::wrap_stream(stalled);
    let request = transport().post(&server.url).body(body).timeout(ms(200)).build().unwrap();
    let client = client(builder().buffer_uploads(100));
    let error = ends(client.execute(request)).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(server.bodies.lock().unwrap().is_empty());
}
