//! What an answer says: read once, when it is stored.

mod read;

use serde_json::Value;

use crate::{Dialect, Tokens, decode::each_event};

/// What an answer says, and whether that is all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerSummary {
    /// The text, as far as it was read.
    pub text: Option<String>,
    /// The model that answered, where the answer names it.
    pub model: Option<String>,
    /// What it cost, where the answer says so.
    pub tokens: Option<Tokens>,
    /// It ended of itself: not at a limit, by a filter, or to be gone on with.
    pub whole: bool,
    /// It calls tools.
    pub tools: bool,
    /// It is its text and nothing else, so that it can be put into another form.
    pub plain: bool,
}

// === impl AnswerSummary ===

impl AnswerSummary {
    /// Reads a whole answer, streamed or not; `None` for bytes that are none.
    pub fn read(dialect: Dialect, stream: bool, bytes: &[u8]) -> Option<Self> {
        let mut gist = Self { plain: true, ..Self::default() };
        if !stream {
            let answer: Value = serde_json::from_slice(bytes.trim_ascii()).ok()?;
            gist.add(dialect, &answer);
            return Some(gist);
        }
        let mut readable = true;
        each_event(dialect.framing(), bytes, |_, data| {
            let data = data.trim_ascii();
            if data.is_empty() || data.starts_with(b"[DONE]") {
                return;
            }
            match serde_json::from_slice(data) {
                Ok(event) => gist.add(dialect, &event),
                // Pings need not be JSON; a stream that is whole but for one is whole.
                Err(_) => readable &= data.first() != Some(&b'{'),
            }
        });
        readable.then_some(gist)
    }

    /// Adds a whole answer, or one event of a stream.
    fn add(&mut self, dialect: Dialect, value: &Value) {
        match dialect {
            Dialect::OpenAiChat => read::openai_chat(self, value),
            Dialect::OpenAiResponses => read::openai_responses(self, value),
            Dialect::Anthropic => read::anthropic(self, value),
            Dialect::Gemini => read::gemini(self, value),
            Dialect::Ollama => read::ollama(self, value),
        }
    }

    fn say(&mut self, text: &Value) {
        if let Some(text) = text.as_str() {
            self.text.get_or_insert_default().push_str(text);
        }
    }

    /// The model and what it cost, where it says so, by the names of the counts.
    fn told(&mut self, model: &Value, usage: &Value, (input, output): (&[&str], &[&str])) {
        if let Some(model) = model.as_str().filter(|model| !model.is_empty()) {
            self.model.get_or_insert_with(|| model.to_owned());
        }
        let sum = |names: &[&str]| {
            let counts: Vec<_> = names.iter().filter_map(|name| usage[name].as_u64()).collect();
            (!counts.is_empty()).then(|| counts.iter().sum())
        };
        let (input, output) = (sum(input), sum(output));
        if input.is_some() || output.is_some() {
            // Each may be told alone, and the last word on it stands.
            let before = self.tokens.unwrap_or_default();
            let (input, output) = (input.unwrap_or(before.input), output.unwrap_or(before.output));
            self.tokens = Some(Tokens::new(input, output));
        }
    }
}
