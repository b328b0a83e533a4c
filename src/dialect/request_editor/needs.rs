//! What a request needs of the model that is asked, and what its user asked last.

use super::{
    RequestEditor, spelled,
    turn::{Role, Turn},
};
use crate::dialect::{Dialect, Form};

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) tools: bool,
    /// An answer in JSON.
    pub(crate) json: bool,
    /// The context: its own tokens, about, and those of the answer it allows.
    pub(crate) tokens: u64,
}

// === impl RequestEditor ===

impl RequestEditor<'_> {
    pub(crate) fn needs(&self) -> Needs {
        let tokens = self.tokens().saturating_add(self.most().unwrap_or_default());
        Needs { tools: !self.tools().is_empty(), json: self.json(), tokens }
    }

    fn json(&self) -> bool {
        let body = &self.body;
        let kind = |kind: String| kind.starts_with("json");
        let formatted = |name: &str| body.at(name).is_some_and(|it| it.at("format").is_some());
        match self.dialect {
            Dialect::OpenAiChat => {
                body.at("response_format").is_some_and(|it| kind(it.word("type")))
            }
            Dialect::OpenAiResponses => {
                body.at("text").and_then(|text| Some(kind(text.at("format")?.word("type"))))
                    == Some(true)
            }
            Dialect::Anthropic => body.at("output_format").is_some() || formatted("output_config"),
            Dialect::Gemini => self.generation_json(),
            Dialect::Ollama => body.at("format").is_some_and(|format| !format.is("\"\"")),
        }
    }

    fn generation_json(&self) -> bool {
        let names = ["generationConfig", "generation_config"];
        let config = spelled(&self.body, names).and_then(|name| self.body.at(name));
        config.is_some_and(|config| {
            let kind =
                [config.word("responseMimeType"), config.word("response_mime_type")].concat();
            kind.contains("json")
        })
    }

    /// The last text of the user.
    pub(crate) fn question(&self) -> Option<String> {
        if let (Dialect::Ollama, Form::Generate) = (self.dialect, self.form) {
            return self.body.at("prompt")?.string();
        }
        let turns = self.body.at(self.turns_name())?;
        if let Some(text) = turns.string() {
            return Some(text);
        }
        let users = turns.each().into_iter().rev();
        let mut users = users.filter(|turn| Turn::read(self.dialect, turn).role == Role::User);
        users.find_map(|turn| {
            let content =
                turn.at(if self.dialect == Dialect::Gemini { "parts" } else { "content" })?;
            let parts = content.each().iter().map(|part| part.word("text")).collect::<Vec<_>>();
            let parts = parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
            content.string().or_else(|| (!parts.is_empty()).then(|| parts.join("\n")))
        })
    }
}
