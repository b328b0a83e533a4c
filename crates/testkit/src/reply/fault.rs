//! Faults of an answer.

use std::time::Duration;

use bytes::Bytes;

/// A fault of an answer. A reply can have several.
///
/// A fault that counts words or events does the same to the one JSON body of an answer that is not streamed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No connection is made. A [`Server`](crate::Server) closes its listener while this is its next reply.
    Refused,
    /// The connection is reset after the request was read, before any byte of an answer.
    Reset,
    /// The connection is closed after the request was read, before any byte of an answer.
    Closed,
    /// The connection is reset after that number of bytes of the body.
    ResetAfter {
        /// The number of bytes sent before the reset.
        bytes: usize,
    },
    /// There is no answer, and the connection stays open.
    Hang,
    /// The connection closes after that number of words, without the last chunk.
    Cut {
        /// The number of words sent before the fault.
        words: usize,
    },
    /// Nothing is sent for a time after that number of words. Then the connection closes without the last chunk.
    Silence {
        /// The number of words sent before the fault.
        words: usize,
        /// How long the silence lasts.
        lasts: Duration,
    },
    /// Nothing more is sent after that number of words, and the connection stays open.
    Stall {
        /// The number of words sent before the fault.
        words: usize,
    },
    /// The stream has one more event, which is not JSON. The events after it are valid.
    InvalidEvent {
        /// The position of that event, from 1.
        event: usize,
    },
    /// The answer is one JSON body although the request asks for a stream.
    NotStreamed,
    /// The last event with content is repeated without end after the sixty words. No effect on an answer that is not streamed.
    Endless {
        /// The time from one event to the next.
        every: Duration,
    },
    /// The sentinel is missing: `[DONE]`, `message_stop`. OpenAI responses have no sentinel.
    NoDone,
    /// The finish reason, or `response.completed`, is missing.
    NoFinish,
    /// An event with an error ends the stream after that number of words. The status is 200.
    ErrorEvent {
        /// The number of words sent before the fault.
        words: usize,
        /// The data of the event, such as `{"error":{…}}`.
        data: Bytes,
    },
    /// The body is sent a few bytes at a time.
    Drip {
        /// The number of bytes sent at a time. 0 counts as 1.
        bytes: usize,
        /// The time before each of them.
        every: Duration,
    },
    /// Comments are sent before the first content; blank lines where the answer is not streamed.
    Comments {
        /// The time before each of them.
        every: Duration,
        /// The number of comments.
        count: u32,
    },
}

// === impl Fault ===

impl Fault {
    /// [`Stall`](Self::Stall) after that number of words.
    pub fn stall(words: usize) -> Self {
        Self::Stall { words }
    }

    /// [`ErrorEvent`](Self::ErrorEvent) with a `server_error` after that number of words.
    pub fn server_error(words: usize) -> Self {
        const DATA: &str = r#"{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}}"#;
        Self::ErrorEvent { words, data: Bytes::from_static(DATA.as_bytes()) }
    }

    /// The word after which an event has to end, so that the fault can apply there.
    pub(crate) fn stop(&self) -> Option<usize> {
        match self {
            Self::Cut { words }
            | Self::Silence { words, .. }
            | Self::Stall { words }
            | Self::ErrorEvent { words, .. } => Some(*words),
            _ => None,
        }
    }
}
