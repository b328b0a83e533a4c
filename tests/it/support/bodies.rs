//! Bodies: reading and construction.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{Body, BoxError, Error, Response, context::AttemptLog, outcome::Verdict};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::sleep,
};

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) frames: Vec<Bytes>,
    pub(crate) error: Option<Error>,
    pub(crate) attempt_log: Option<AttemptLog>,
    pub(crate) verdict: Option<Verdict>,
}

/// One step of a provider's body.
#[derive(Clone, Debug)]
pub(crate) enum BodyStep {
    Data(Bytes),
    Wait(Duration),
    /// Fails with an error of the transport.
    Break,
    /// Neither ends nor fails.
    Hang,
    Trailers,
}

/// A body whose frames come from a channel.
struct ChannelBody(UnboundedReceiver<Bytes>);

// === impl Answer ===

impl Answer {
    pub(crate) fn bytes(&self) -> Bytes {
        self.frames.concat().into()
    }

    /// The name of the provider or the fallback that answered.
    pub(crate) fn from(&self) -> &str {
        let name = self.headers.get("x-served-by").or(self.headers.get("evenkeel-served-by"));
        name.map_or("nobody", |name| name.to_str().unwrap())
    }

    /// The text of a chat completion.
    pub(crate) fn words(&self) -> String {
        words(std::str::from_utf8(&self.bytes()).unwrap())
    }

    /// Asserts that this is the whole text of an answer, and nothing else.
    #[track_caller]
    pub(crate) fn is_whole(&self) {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!(self.status, 200, "{:?}", self.attempt_log);
        assert_eq!(self.words(), evenkeel_testkit::WORDS);
    }
}

// === impl ChannelBody ===

impl http_body::Body for ChannelBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The text of a chat completion, streamed or not.
pub(crate) fn words(text: &str) -> String {
    let parts = text.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
    let values = parts.filter_map(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    let words = values.filter_map(|value| {
        let choice = value["choices"].get(0)?;
        let piece = choice.get("delta").or(choice.get("message"))?;
        Some(piece["content"].as_str()?.to_owned())
    });
    words.collect()
}

/// Reads an answer to its end.
pub(crate) async fn read(response: Response) -> Answer {
    let (head, mut body) = response.into_parts();
    let mut answer = Answer {
        status: head.status,
        headers: head.headers,
        frames: Vec::new(),
        error: None,
        attempt_log: head.extensions.get().cloned(),
        verdict: head.extensions.get().cloned(),
    };
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => answer.frames.extend(frame.into_data().ok()),
            Err(error) => {
                answer.error = Some(error);
                break;
            }
        }
    }
    answer
}

/// The body of a response as text; it must end without an error.
pub(crate) async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A body with these steps, which then ends.
pub(crate) fn body_of(steps: &[BodyStep]) -> Body {
    let frames = stream::iter(steps.to_vec()).filter_map(|step| async move {
        match step {
            BodyStep::Data(data) => return Some(Ok(Frame::data(data))),
            BodyStep::Trailers => return Some(Ok(Frame::trailers(HeaderMap::new()))),
            BodyStep::Break => return Some(Err(std::io::Error::other("connection reset"))),
            BodyStep::Wait(wait) => sleep(wait).await,
            BodyStep::Hang => std::future::pending().await,
        }
        None
    });
    Body::wrap(StreamBody::new(Box::pin(frames)))
}

/// A body that ends when the sender of its frames is dropped.
pub(crate) fn channel_body() -> (Body, UnboundedSender<Bytes>) {
    let (sender, receiver) = unbounded_channel();
    (Body::wrap(ChannelBody(receiver)), sender)
}
