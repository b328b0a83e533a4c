//! Reads the words of a streamed answer.

use serde::Deserialize;

/// Splits a stream of chat completion events into its words, from chunks of any size.
#[derive(Debug, Default)]
pub(crate) struct ContentReader {
    /// The start of a line whose end has not arrived.
    rest: Vec<u8>,
}

/// An event of a stream of chat completions, as far as the bot needs it.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Delta,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
}

// === impl ContentReader ===

impl ContentReader {
    /// A line of this length is no event of a chat: it is dropped.
    const MAX_LINE: usize = 1 << 20;

    /// Adds a chunk and returns the words of all events that it completes.
    pub(crate) fn read(&mut self, chunk: &[u8]) -> String {
        self.rest.extend_from_slice(chunk);
        let end = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let complete: Vec<u8> = self.rest.drain(..end).collect();
        if self.rest.len() > Self::MAX_LINE {
            self.rest = Vec::new();
        }
        complete.split(|byte| *byte == b'\n').filter_map(words).collect()
    }
}

/// The words in one line. Other lines than `data: {…}` have none: comments, `[DONE]`, event names.
fn words(line: &[u8]) -> Option<String> {
    let event: Event = serde_json::from_slice(line.strip_prefix(b"data:")?).ok()?;
    event.choices.into_iter().next()?.delta.content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_same_however_the_stream_is_split() {
        let stream = ": ping\r\n\r\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\r\n\r\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"Grüße \"}}]}\n\n\
                      data:{\"choices\":[{\"delta\":{\"content\":\"aus Köln\"}}]}\n\n\
                      data: {\"choices\":[],\"usage\":{}}\n\ndata: [DONE]\n\n";
        for size in [1, 2, 3, 7, stream.len()] {
            let mut reader = ContentReader::default();
            let words: String =
                stream.as_bytes().chunks(size).map(|chunk| reader.read(chunk)).collect();
            assert_eq!(words, "Grüße aus Köln", "chunks of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_dropped() {
        let mut reader = ContentReader::default();
        for _ in 0..40 {
            reader.read(&[b'x'; 1 << 16]);
            assert!(reader.rest.len() <= ContentReader::MAX_LINE);
        }
    }
}
