//! Parses an error body: its codes, status, delay and message, in the shapes of all providers.

use serde_json::{Map, Value};

use super::{
    Code, duration_parse,
    error_shape::{cut_message, error_in, field_in, has_error, is_spelled, json},
    quota_reset::QuotaReset,
    wrong_field::WrongField,
};

/// The parsed error body. It is dropped after classification: the message is never stored.
#[derive(Default)]
pub(super) struct ErrorBody {
    codes: Vec<String>,
    /// Codes from a field that may hold a message, not spelled as codes: they are looked up, and never stored.
    spoken: Vec<String>,
    status: Option<u16>,
    delay: Option<f64>,
    message: String,
    /// Whether the body is not JSON: a page, a word, or empty.
    page: bool,
    renewal: Option<QuotaReset>,
    /// Whether there is no body to read: only the head is known.
    pub(super) absent: bool,
    /// Whether the body names a field of the request as wrong.
    pub(super) field: Option<WrongField>,
}

/// The longest code, in bytes; a longer text is not a code.
const LONGEST: usize = 128;
/// The largest number of codes that are read.
const MOST: usize = 16;
/// The largest depth of nested errors: a proxy's error around a gateway's around a provider's.
const DEEPEST: usize = 4;

// === impl ErrorBody ===

impl ErrorBody {
    /// Parses a body of any kind: JSON, JSON in the first event of a stream, truncated JSON, a page, an empty body.
    pub(super) fn read(body: &[u8]) -> Self {
        match json(body) {
            Some(value) => Self::of(&value),
            None => Self::cut(&String::from_utf8_lossy(body)),
        }
    }

    /// An answer of which only the head is known.
    pub(super) fn absent() -> Self {
        Self { absent: true, ..Self::default() }
    }

    /// Parses the error in a JSON value.
    pub(super) fn of(value: &Value) -> Self {
        let mut said = Self::default();
        said.value(value, DEEPEST);
        said
    }

    /// The codes, the most specific first.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(String::as_str)
    }

    /// The status that the body names.
    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    /// A delay in seconds, from a field of its own.
    pub(super) fn delay(&self) -> Option<f64> {
        self.delay
    }

    /// Whether the body is a page or a word of a proxy or firewall, and not an answer of an API.
    pub(super) fn is_page(&self) -> bool {
        self.page
    }

    /// The calendar by which an exhausted quota is renewed.
    pub(super) fn renewal(&self) -> Option<QuotaReset> {
        let month = self.codes().any(|code| code == "enforced_spend_limit_reached");
        self.renewal.or(month.then_some(QuotaReset::Month))
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The code to store: the first valid code, else the status.
    pub(super) fn code(&self) -> Option<Code> {
        let codes = self.codes.iter().filter(|code| !self.spoken.contains(code));
        let word = codes.map(String::as_str).find_map(Code::new);
        word.or_else(|| Code::new(&self.status?.to_string()))
    }

    /// Sets the name of an AWS error from its header: it replaces all codes of the body.
    pub(super) fn named(&mut self, name: &str) {
        let codes = std::mem::take(&mut self.codes);
        self.name(name);
        if self.codes.is_empty() {
            self.codes = codes;
        }
    }

    /// Parses the innermost error first, because it is the most specific.
    fn value(&mut self, value: &Value, depth: usize) {
        let inner = match value {
            Value::Array(items) => items.iter().find(|item| has_error(item)).or(items.first()),
            _ => error_in(value),
        };
        if let Some(inner) = inner.filter(|_| depth > 0) {
            self.value(inner, depth - 1);
        }
        match value {
            Value::Object(error) => self.object(error, inner.is_some(), depth),
            Value::String(text) => self.text(text),
            _ => {}
        }
    }

    fn object(&mut self, error: &Map<String, Value>, wraps: bool, depth: usize) {
        self.within(error, depth);
        self.field = self.field.or_else(|| WrongField::named_in(error));
        self.code_of(error.get("code"));
        self.details(error.get("details"));
        self.code_of(error.get("status"));
        // The type next to a nested error is that of an event.
        self.code_of(error.get("type").filter(|_| !wraps));
        for field in ["error_type", "__type"] {
            self.code_of(error.get(field));
        }
        self.speaking(|said| said.code_of(error.get("error")));
        for field in ["reason", "statusCode", "status_code"] {
            self.code_of(error.get(field));
        }
        let mut texts = ["message", "msg", "detail", "error"].iter();
        if self.message.is_empty() {
            let text = texts.find_map(|field| error.get(*field)?.as_str());
            self.message = text.unwrap_or_default().to_owned();
        }
    }

    /// The codes that providers nest a level deeper, which are more specific.
    fn within(&mut self, error: &Map<String, Value>, depth: usize) {
        let deeper = |outer: &str, inner: &str| error.get(outer)?.get(inner);
        self.code_of(deeper("metadata", "error_type"));
        self.code_of(deeper("details", "error_code"));
        self.code_of(deeper("innererror", "code"));
        // OpenRouter sends the error of its provider as text.
        let raw = deeper("metadata", "raw").and_then(Value::as_str).filter(|_| depth > 0);
        if let Some(raw) = raw.and_then(|raw| json(raw.as_bytes())) {
            self.value(&raw, depth - 1);
        }
        // OpenRouter sends the reasons of a moderation, and no code.
        if deeper("metadata", "reasons").is_some_and(Value::is_array) {
            self.push("moderation");
        }
    }

    /// Google's list of details.
    fn details(&mut self, details: Option<&Value>) {
        for detail in details.and_then(Value::as_array).into_iter().flatten() {
            self.code_of(detail.get("reason"));
            for violation in
                detail.get("violations").and_then(Value::as_array).into_iter().flatten()
            {
                let quota = violation.get("quotaId");
                self.code_of(quota);
                if quota.and_then(Value::as_str).is_some_and(|id| id.contains("PerDay")) {
                    self.renewal = Some(QuotaReset::PacificDay);
                }
            }
            let delay = detail.get("retryDelay").and_then(Value::as_str);
            self.delay = self.delay.or_else(|| duration_parse::duration(delay?));
        }
    }

    /// A word is a code. A number, also as a string, is the status that it equals, if any.
    fn code_of(&mut self, value: Option<&Value>) {
        match value {
            Some(Value::String(word)) => match word.parse() {
                Ok(number) => self.number(number),
                Err(_) => self.name(word),
            },
            Some(Value::Number(number)) => number.as_u64().into_iter().for_each(|n| self.number(n)),
            _ => {}
        }
    }

    fn number(&mut self, number: u64) {
        match u16::try_from(number) {
            Ok(status) if (400..600).contains(&status) => {
                self.status = self.status.or(Some(status))
            }
            _ => self.push(&number.to_string()),
        }
    }

    /// A name, possibly in AWS's form: `com.amazonaws#Name:http://…`.
    fn name(&mut self, name: &str) {
        let name = name.split(':').next().unwrap_or_default();
        self.push(name.rsplit('#').next().unwrap_or_default().trim());
    }

    fn push(&mut self, code: &str) {
        let empty = code.is_empty() || ["error", "failed", "None", "null"].contains(&code);
        if !empty && code.len() <= LONGEST && self.codes.len() < MOST {
            self.codes.push(code.to_owned());
        }
    }

    fn text(&mut self, text: &str) {
        self.speaking(|said| said.push(text));
        self.message = text.to_owned();
    }

    /// Parses a field that may hold a code or a message: a message may repeat the prompt, or the key, in one word.
    fn speaking(&mut self, read: impl FnOnce(&mut Self)) {
        let known = self.codes.len();
        read(self);
        let spoken = self.codes[known..].iter().filter(|code| !is_spelled(code));
        self.spoken.extend(spoken.cloned());
    }

    /// A text that is not JSON, or is truncated JSON: the first of each field that may hold a code.
    fn cut(text: &str) -> Self {
        let json = text.trim_start().starts_with(['{', '[']);
        let message = if json { cut_message(text) } else { text };
        let mut said = Self { message: message.to_owned(), page: !json, ..Self::default() };
        if json {
            for field in ["\"error_type\"", "\"error_code\"", "\"code\"", "\"status\"", "\"type\""]
            {
                said.code_of(field_in(text, field).as_ref());
            }
        }
        said
    }
}

/// The error in the body of a 2xx, if there is one.
pub(super) fn in_success(body: &[u8]) -> Option<ErrorBody> {
    let value = json(body)?;
    let failed = match &value {
        Value::Array(items) => items.iter().find(|item| has_error(item)),
        one => Some(one).filter(|one| has_error(one)),
    };
    failed.map(ErrorBody::of)
}

#[cfg(test)]
mod tests;
