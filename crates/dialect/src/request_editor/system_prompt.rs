//! Adds an instruction for the model after the caller's own system prompt.

use super::{
    RequestEditor, images,
    message::{Message, Role},
    spelled,
};
use crate::{AnswerForm, Dialect, lazy_json::LazyJson};

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// Adds an instruction to the system prompt: at the end of the caller's own message, because some servers take only one.
    pub fn add_instruction(&mut self, line: &str) {
        self.changed = true;
        match (self.dialect, self.form) {
            (Dialect::OpenAiResponses, _) => append(&mut self.body, "instructions", line),
            (Dialect::Ollama, AnswerForm::Generate) => append(&mut self.body, "system", line),
            (Dialect::Anthropic, _) => self.add("system", line),
            (Dialect::Gemini, _) => self.instruct(line),
            (Dialect::OpenAiChat | Dialect::Ollama, _) => self.message(line),
        }
    }

    /// Adds it to a field that is a text or a list of parts.
    fn add(&mut self, name: &str, line: &str) {
        add(&mut self.body, name, self.dialect, line);
    }

    fn instruct(&mut self, line: &str) {
        let names = ["systemInstruction", "system_instruction"];
        let name = spelled(&self.body, names).unwrap_or(names[0]);
        if self.body.get(name).is_none() {
            self.body.set(name, LazyJson::of(r#"{"parts":[]}"#));
        }
        if let Some(instruction) = self.body.field(name) {
            if !instruction.get("parts").is_some_and(|parts| parts.is_list()) {
                let part = instruction.get("parts").map(LazyJson::owned);
                instruction.set("parts", LazyJson::List(part.into_iter().collect()));
            }
            add(instruction, "parts", Dialect::Gemini, line);
        }
    }

    /// Adds it to the last of the system messages at the start, or adds such a message.
    fn message(&mut self, line: &str) {
        let dialect = self.dialect;
        let Some(turns) = self.turns() else { return };
        let system = |turn: &&mut LazyJson<'_>| Message::read(dialect, turn).role == Role::System;
        match turns.iter_mut().take_while(system).last() {
            Some(turn) => add(turn, "content", dialect, line),
            None => {
                let line = crate::reply::json(line);
                turns.insert(0, LazyJson::of(format!(r#"{{"role":"system","content":{line}}}"#)));
            }
        }
    }
}

fn add(node: &mut LazyJson<'_>, name: &str, dialect: Dialect, line: &str) {
    match node.field(name).and_then(LazyJson::items) {
        Some(parts) => parts.push(images::text(dialect, line)),
        None => append(node, name, line),
    }
}

/// Adds it to a field that is a text.
fn append(node: &mut LazyJson<'_>, name: &str, line: &str) {
    let own = node.str_or_empty(name);
    let gap = if own.is_empty() { "" } else { "\n\n" };
    node.set(name, LazyJson::text(&format!("{own}{gap}{line}")));
}
