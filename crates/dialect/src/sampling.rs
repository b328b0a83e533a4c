//! The settings of a model's sampling, and of the form of its output.

use crate::{
    json::{RawField, fields, is_filled, plain_str, read},
    wanted::{Nested, Wanted},
};

/// The settings of a model's sampling, and of the form of its output, as a request has them; `None` for what it does not set.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sampling {
    /// The temperature.
    pub temperature: Option<f64>,
    /// The share of probable tokens (nucleus sampling).
    pub top_p: Option<f64>,
    /// The number of probable tokens.
    pub top_k: Option<f64>,
    /// The seed.
    pub seed: Option<i64>,
    /// The frequency penalty.
    pub frequency_penalty: Option<f64>,
    /// The presence penalty.
    pub presence_penalty: Option<f64>,
    /// The effort of reasoning, such as `high`.
    pub reasoning_effort: Option<Box<str>>,
    /// Whether the request sets the form of the output, and whether that form is JSON.
    pub json_output: Option<bool>,
}

fields! {
    struct Effort<'a> {
        effort: RawField<'a>,
    }
}

fields! {
    struct TextSettings<'a> {
        format: RawField<'a>,
    }
}

fields! {
    struct Format<'a> {
        r#type: RawField<'a>,
    }
}

// === impl Wanted ===

impl Wanted<'_> {
    /// The settings, by their names in the dialects.
    pub(super) fn sampling(&self, nested: &Nested<'_>) -> Sampling {
        let Nested { generation: gemini, options: ollama } = nested;
        let number = |names: [RawField<'_>; 3]| {
            names.into_iter().find_map(read::<f64>).filter(|number| number.is_finite())
        };
        Sampling {
            temperature: number([self.temperature, gemini.temperature, ollama.temperature]),
            top_p: number([self.top_p, gemini.topP, ollama.top_p]),
            top_k: number([self.top_k, gemini.topK, ollama.top_k]),
            seed: [self.seed, gemini.seed, ollama.seed].into_iter().find_map(read),
            frequency_penalty: number([
                self.frequency_penalty,
                gemini.frequencyPenalty,
                ollama.frequency_penalty,
            ]),
            presence_penalty: number([
                self.presence_penalty,
                gemini.presencePenalty,
                ollama.presence_penalty,
            ]),
            reasoning_effort: self.effort(),
            json_output: self.json_output(gemini.responseMimeType),
        }
    }

    /// The effort of reasoning: one of the short words of the APIs.
    fn effort(&self) -> Option<Box<str>> {
        let nested: Effort<'_> = read(self.reasoning).unwrap_or_default();
        let word = plain_str(self.reasoning_effort.or(nested.effort));
        let short = (1..=16).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase());
        short.then(|| word.into())
    }

    fn json_output(&self, mime: RawField<'_>) -> Option<bool> {
        let text: TextSettings<'_> = read(self.text).unwrap_or_default();
        let format: Option<Format<'_>> = read(self.response_format.or(text.format));
        if let Some(format) = format.filter(|format| is_filled(format.r#type)) {
            return Some(plain_str(format.r#type).starts_with("json"));
        }
        if is_filled(mime) {
            return Some(plain_str(mime) == "application/json");
        }
        // Ollama: the word, or a schema.
        is_filled(self.format).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::RequestInfo;

    fn sampling(path: &str, body: &'static str) -> Sampling {
        let request = http::Request::post(path).body(Bytes::from_static(body.as_bytes())).unwrap();
        RequestInfo::read(&request).sampling().clone()
    }

    #[test]
    fn the_settings_are_read_in_every_dialect() {
        let chat = sampling(
            "/v1/chat/completions",
            r#"{"temperature":0,"top_p":0.5,"seed":7,"presence_penalty":-1.5,"reasoning_effort":"high","response_format":{"type":"json_schema"}}"#,
        );
        assert_eq!((chat.temperature, chat.top_p, chat.seed), (Some(0.0), Some(0.5), Some(7)));
        assert_eq!((chat.presence_penalty, chat.frequency_penalty), (Some(-1.5), None));
        assert_eq!(
            (chat.reasoning_effort.as_deref(), chat.json_output),
            (Some("high"), Some(true))
        );
        let responses = sampling(
            "/v1/responses",
            r#"{"reasoning":{"effort":"low"},"text":{"format":{"type":"text"}}}"#,
        );
        assert_eq!(
            (responses.reasoning_effort.as_deref(), responses.json_output),
            (Some("low"), Some(false))
        );
        let gemini = sampling(
            "/v1beta/models/m:generateContent",
            r#"{"generationConfig":{"temperature":1.5,"topK":40,"responseMimeType":"application/json"}}"#,
        );
        assert_eq!((gemini.temperature, gemini.top_k), (Some(1.5), Some(40.0)));
        assert_eq!(gemini.json_output, Some(true));
        let ollama = sampling("/api/chat", r#"{"format":"json","options":{"temperature":0.2}}"#);
        assert_eq!((ollama.temperature, ollama.json_output), (Some(0.2), Some(true)));
        assert_eq!(
            sampling("/v1/messages", r#"{"temperature":"hot","reasoning_effort":"a prompt"}"#),
            Sampling::default()
        );
    }
}
