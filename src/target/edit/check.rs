//! Validates edits.

use super::Edit;
use crate::{ConfigError, dialect::ToolFilter};

/// The maximum length of a text, in bytes.
const LONGEST: usize = 4096;
/// The least that every API accepts: OpenAI's responses API rejects less.
const LEAST_OUTPUT: u64 = 16;
const LEAST_CONTEXT: u64 = 256;

// === impl Edit ===

impl Edit {
    pub(crate) fn check(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        let least = [
            ("max_tokens", self.max_tokens, LEAST_OUTPUT),
            ("fit_context", self.context, LEAST_CONTEXT),
        ];
        for (name, value, least) in least {
            if let Some(value) = value.filter(|value| *value < least) {
                let allowed = format!("at least {least} tokens");
                return Err(ConfigError::new(field(&format!("edit.{name}")), value, allowed));
            }
        }
        for change in &self.fields {
            if let Err(allowed) = change.check() {
                return Err(ConfigError::new(field("edit.field"), change.field(), allowed));
            }
        }
        self.check_texts(field)?;
        self.check_tools(field)
    }

    /// The context that a request is cut to.
    pub(crate) fn context(&self) -> Option<u64> {
        self.context
    }

    fn check_texts(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        let texts =
            [("tool_notice", &self.tool_notice), ("image_placeholder", &self.image_placeholder)];
        for (name, text) in texts {
            let wrong = |text: &&str| text.trim().is_empty() || text.len() > LONGEST;
            if let Some(text) = text.as_deref().filter(wrong) {
                let value = format!("{} bytes", text.trim().len());
                let allowed = format!("a text of 1 to {LONGEST} bytes, not blank");
                return Err(ConfigError::new(field(&format!("edit.{name}")), value, allowed));
            }
        }
        Ok(())
    }

    fn check_tools(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        if self.tool_notice.is_some() && self.tools == ToolFilter::None {
            let allowed = "only together with without_tool() or without_tools()";
            return Err(ConfigError::new(field("edit.tool_notice"), "set", allowed));
        }
        let ToolFilter::Named(names) = &self.tools else { return Ok(()) };
        let wrong = |name: &&str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.:/-".contains(&b);
            name.is_empty() || name.len() > 128 || !name.bytes().all(plain)
        };
        match names.iter().map(|name| &**name).find(wrong) {
            Some(name) => {
                let allowed = "the name of a tool: 1 to 128 of A-Z a-z 0-9 _ . : / -";
                Err(ConfigError::new(field("edit.without_tool"), name, allowed))
            }
            None => Ok(()),
        }
    }
}
