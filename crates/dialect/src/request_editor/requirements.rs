//! What a request needs of the model that is asked, and what its user asked last.

use super::{
    RequestEditor,
    message::{Message, Role},
    spelled,
};
use crate::{AnswerForm, Dialect};

/// What a request requires of the model that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Tools: it declares some.
    pub tools: bool,
    /// An answer in JSON.
    pub json: bool,
    /// The context: its own tokens, estimated from its bytes, and those of the answer that it allows.
    pub tokens: u64,
}

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// What the request requires.
    pub fn requirements(&self) -> Requirements {
        let tokens = self.tokens().saturating_add(self.most().unwrap_or_default());
        Requirements { tools: !self.tools().is_empty(), json: self.json(), tokens }
    }

    fn json(&self) -> bool {
        let body = &self.body;
        let kind = |kind: String| kind.starts_with("json");
        let formatted = |name: &str| body.get(name).is_some_and(|it| it.get("format").is_some());
        match self.dialect {
            Dialect::OpenAiChat => {
                body.get("response_format").is_some_and(|it| kind(it.str_or_empty("type")))
            }
            Dialect::OpenAiResponses => {
                body.get("text")
                    .and_then(|text| Some(kind(text.get("format")?.str_or_empty("type"))))
                    == Some(true)
            }
            Dialect::Anthropic => body.get("output_format").is_some() || formatted("output_config"),
            Dialect::Gemini => self.generation_json(),
            Dialect::Ollama => body.get("format").is_some_and(|format| !format.is_literal("\"\"")),
        }
    }

    fn generation_json(&self) -> bool {
        let names = ["generationConfig", "generation_config"];
        let config = spelled(&self.body, names).and_then(|name| self.body.get(name));
        config.is_some_and(|config| {
            let kind = [
                config.str_or_empty("responseMimeType"),
                config.str_or_empty("response_mime_type"),
            ]
            .concat();
            kind.contains("json")
        })
    }

    /// The last text of the user; `None` where no turn of the user has a text.
    pub fn last_user_text(&self) -> Option<String> {
        if let (Dialect::Ollama, AnswerForm::Generate) = (self.dialect, self.form) {
            return self.body.get("prompt")?.string();
        }
        let turns = self.body.get(self.turns_name())?;
        if let Some(text) = turns.string() {
            return Some(text);
        }
        let users = turns.to_items().into_iter().rev();
        let mut users = users.filter(|turn| Message::read(self.dialect, turn).role == Role::User);
        users.find_map(|turn| {
            let content =
                turn.get(if self.dialect == Dialect::Gemini { "parts" } else { "content" })?;
            let parts =
                content.to_items().iter().map(|part| part.str_or_empty("text")).collect::<Vec<_>>();
            let parts = parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
            content.string().or_else(|| (!parts.is_empty()).then(|| parts.join("\n")))
        })
    }
}
