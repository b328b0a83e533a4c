//! What goes wrong with an answer.

use std::time::Duration;

use bytes::Bytes;

/// What goes wrong with an answer. A reply can have several.
///
/// Where a fault speaks of words or events and the answer is not streamed, it does the same to the one JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No connection is made. A [`Server`](crate::Server) closes its listener for as long as this is its next
    /// reply.
    Refused,
    /// The connection is reset after the request was read, before any byte of an answer.
    Reset,
    /// The connection is closed after the request was read, before any byte of an answer.
    Closed,
    /// The connection is reset after so many bytes of the body.
    ResetAfter {
        /// How many bytes of the body are sent before.
        bytes: usize,
    },
    /// Nothing is ever answered; the connection stays open.
    Hang,
    /// The connection closes after so many words, without the last chunk.
    Cut {
        /// How many words are sent before.
        words: usize,
    },
    /// Silence after so many words; then the connection closes without the last chunk.
    Silence {
        /// How many words are sent before.
        words: usize,
        /// How long the silence lasts; [`Duration::MAX`] is for ever.
        lasts: Duration,
    },
    /// An event that is not JSON comes in between; the stream goes on well after it.
    InvalidEvent {
        /// Which event it is, from 1.
        event: usize,
    },
    /// One JSON body comes although a stream was asked for.
    NotStreamed,
    /// After the sixty words more and more come, without an end. Nothing for an answer that is not streamed.
    Endless {
        /// How long it takes from one event to the next.
        every: Duration,
    },
    /// The sentinel is missing: `[DONE]`, `message_stop`. OpenAI responses have none.
    NoDone,
    /// Nothing says that the answer is finished: no finish reason, no `response.completed`.
    NoFinish,
    /// An error comes as an event after so many words, and ends the stream. Its status stays 200.
    ErrorEvent {
        /// How many words are sent before.
        words: usize,
        /// The data of the event, such as `{"error":{…}}`.
        data: Bytes,
    },
    /// The body trickles: a few bytes at a time.
    Drip {
        /// How many bytes come at a time; 0 is taken for 1.
        bytes: usize,
        /// How long it takes from one to the next.
        every: Duration,
    },
    /// Comments that say nothing come before the first content (blank lines where the answer is not streamed).
    Comments {
        /// How long it takes from one to the next.
        every: Duration,
        /// How many come.
        count: u32,
    },
}

// === impl Fault ===

impl Fault {
    /// Silence for ever after so many words.
    pub fn stall(words: usize) -> Self {
        Self::Silence { words, lasts: Duration::MAX }
    }

    /// An error event of the provider's servers after so many words.
    pub fn server_error(words: usize) -> Self {
        const DATA: &str = r#"{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}}"#;
        Self::ErrorEvent { words, data: Bytes::from_static(DATA.as_bytes()) }
    }

    /// The word after which an event has to end for the fault to strike there.
    pub(crate) fn stop(&self) -> Option<usize> {
        match self {
            Self::Cut { words } | Self::Silence { words, .. } | Self::ErrorEvent { words, .. } => {
                Some(*words)
            }
            _ => None,
        }
    }
}
