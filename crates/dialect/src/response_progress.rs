//! The position in a stream of the OpenAI responses API, for the event that ends it.

use memchr::memmem;
use serde_json::{Value, json};

/// The last sequence number and the response of a stream, as far as it was handed on.
#[derive(Debug, Default)]
pub(crate) struct ResponseProgress {
    last: Option<u64>,
    /// The response of the first event.
    response: Option<Value>,
    started: bool,
}

/// The largest first event that is parsed for its response, in bytes.
const LONGEST: usize = 64 * 1024;

// === impl ResponseProgress ===

impl ResponseProgress {
    /// Adds whole events. A quote in a text is escaped there, so the name of the field stands in no text.
    pub(crate) fn add(&mut self, events: &[u8]) {
        const FIELD: &[u8] = b"\"sequence_number\":";
        if let Some(at) = memmem::rfind(events, FIELD) {
            let number = events[at + FIELD.len()..].trim_ascii_start();
            let digits = number.iter().take_while(|b| b.is_ascii_digit()).take(19);
            let number = digits.fold(0_u64, |sum, b| sum * 10 + u64::from(b - b'0'));
            self.last = self.last.max(Some(number));
        }
        // The first events have the response; no other is parsed.
        if !self.started && !events.is_empty() {
            self.started = true;
            self.response = first_response(&events[..events.len().min(LONGEST)]);
        }
    }

    /// The number of the next event.
    pub(crate) fn next(&self) -> u64 {
        self.last.map_or(0, |last| last + 1)
    }

    /// The response, failed with that error.
    pub(crate) fn failed(&self, error: Value) -> Value {
        let mut response = json!({
            "id": "resp_evenkeel", "object": "response", "created_at": 0, "model": "", "output": [],
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
        });
        for (field, value) in self.response.iter().filter_map(Value::as_object).flatten() {
            response[field] = value.clone();
        }
        response["status"] = "failed".into();
        response["error"] = error;
        response
    }
}

/// The response in the first event that has one.
fn first_response(events: &[u8]) -> Option<Value> {
    let mut lines = events.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.find_map(|line| {
        let mut event: Value = serde_json::from_slice(line.strip_prefix(b"data:")?).ok()?;
        Some(event.get_mut("response")?.take()).filter(Value::is_object)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_continues_the_numbers_and_the_response_of_the_stream() {
        let mut progress = ResponseProgress::default();
        progress.add(b"data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"status\":\"in_progress\"},\"sequence_number\":0}\n\n");
        progress.add(b"data: {\"delta\":\"\\\"sequence_number\\\":99\",\"sequence_number\":7}\n\ndata: {}\n\n");
        assert_eq!(progress.next(), 8);
        let failed = progress.failed(json!({"code": "c"}));
        assert_eq!((&failed["id"], &failed["model"]), (&"resp_1".into(), &"m".into()));
        assert_eq!((&failed["status"], &failed["error"]["code"]), (&"failed".into(), &"c".into()));
    }

    #[test]
    fn a_stream_without_numbers_starts_with_zero() {
        let mut progress = ResponseProgress::default();
        progress.add(b"data: x\n\n");
        assert_eq!(
            (progress.next(), &progress.failed(json!({}))["object"]),
            (0, &"response".into())
        );
        progress.add(b"\"sequence_number\":99999999999999999999999");
        assert_eq!(progress.next(), 10_000_000_000_000_000_000);
    }
}
