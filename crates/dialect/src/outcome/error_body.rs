//! What an error body says: its codes, the status it speaks of, a delay, a message. Every shape of every provider.

use serde_json::{Map, Value};

use super::{
    Code, duration_parse,
    error_shape::{error_in, field_in, has_error, json},
    quota_reset::QuotaReset,
};

/// What an error body says. It lives as long as it takes to classify: the message is never kept.
#[derive(Default)]
pub(super) struct ErrorBody {
    codes: Vec<String>,
    /// Those that stood where a text for people may stand, and are not spelled as a code: looked up, and never kept.
    spoken: Vec<String>,
    status: Option<u16>,
    delay: Option<f64>,
    message: String,
    /// No JSON at all: a page, a word, nothing.
    page: bool,
    renewal: Option<QuotaReset>,
}

/// A code is short; what is longer is somebody's text.
const LONGEST: usize = 128;
/// An answer names a handful of codes.
const MOST: usize = 16;
/// As deep as an error is ever wrapped: a proxy's error around a gateway's around a provider's.
const DEEPEST: usize = 4;

// === impl ErrorBody ===

impl ErrorBody {
    /// Reads a body of any kind: JSON, JSON in the first event of a stream, JSON that was cut, a page, nothing.
    pub(super) fn read(body: &[u8]) -> Self {
        match json(body) {
            Some(value) => Self::of(&value),
            None => Self::cut(&String::from_utf8_lossy(body)),
        }
    }

    /// Reads the error in a JSON value.
    pub(super) fn of(value: &Value) -> Self {
        let mut said = Self::default();
        said.value(value, DEEPEST);
        said
    }

    /// The codes, the one that says most first.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(String::as_str)
    }

    /// The status that the body speaks of.
    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    /// A delay in seconds, in a field of its own.
    pub(super) fn delay(&self) -> Option<f64> {
        self.delay
    }

    /// Whether it is no answer of an API, but a page or a word of something on the way.
    pub(super) fn is_page(&self) -> bool {
        self.page
    }

    /// By what calendar the quota is renewed, where it is said to be gone.
    pub(super) fn renewal(&self) -> Option<QuotaReset> {
        let month = self.codes().any(|code| code == "enforced_spend_limit_reached");
        self.renewal.or(month.then_some(QuotaReset::Month))
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The code to be kept: the first that can be one, else the number.
    pub(super) fn code(&self) -> Option<Code> {
        let codes = self.codes.iter().filter(|code| !self.spoken.contains(code));
        let word = codes.map(String::as_str).find_map(Code::new);
        word.or_else(|| Code::new(&self.status?.to_string()))
    }

    /// The name of an AWS error, as its header tells it: it stands for all codes in the body.
    pub(super) fn named(&mut self, name: &str) {
        let codes = std::mem::take(&mut self.codes);
        self.name(name);
        if self.codes.is_empty() {
            self.codes = codes;
        }
    }

    /// Reads what is wrapped first: it says more than what wraps it.
    fn value(&mut self, value: &Value, depth: usize) {
        let inner = match value {
            Value::Array(items) => items.iter().find(|item| has_error(item)).or(items.first()),
            _ => error_in(value),
        };
        if let Some(inner) = inner.filter(|_| depth > 0) {
            self.value(inner, depth - 1);
        }
        match value {
            Value::Object(error) => self.object(error, inner.is_some()),
            Value::String(text) => self.text(text),
            _ => {}
        }
    }

    fn object(&mut self, error: &Map<String, Value>, wraps: bool) {
        self.within(error);
        self.code_of(error.get("code"));
        self.details(error.get("details"));
        self.code_of(error.get("status"));
        // The type of what wraps an error is that of an event.
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

    /// The codes that providers put a level deeper, as they say more than the general one.
    fn within(&mut self, error: &Map<String, Value>) {
        let deeper = |outer: &str, inner: &str| error.get(outer)?.get(inner);
        self.code_of(deeper("metadata", "error_type"));
        self.code_of(deeper("details", "error_code"));
        self.code_of(deeper("innererror", "code"));
        // OpenRouter names the reasons of a moderation, and no code.
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

    /// A word is a code; a number, also one that is spelled as text, is the status it equals, if it equals one.
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

    /// A name may come as AWS writes it: `com.amazonaws#Name:http://…`.
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

    /// Reads what may be a code and may be a text: one that says back the prompt, or the key, in one word.
    fn speaking(&mut self, read: impl FnOnce(&mut Self)) {
        let known = self.codes.len();
        read(self);
        let spoken = self.codes[known..].iter().filter(|code| !is_spelled(code));
        self.spoken.extend(spoken.cloned());
    }

    /// Text that is not JSON, or is JSON no longer: the first of each field that would hold a code.
    fn cut(text: &str) -> Self {
        let json = text.trim_start().starts_with(['{', '[']);
        let mut said = Self { message: text.to_owned(), page: !json, ..Self::default() };
        if json {
            for field in ["\"error_type\"", "\"error_code\"", "\"code\"", "\"status\"", "\"type\""]
            {
                said.code_of(field_in(text, field).as_ref());
            }
        }
        said
    }
}

/// Whether a word is spelled as codes are, and as no word of people nor any key is: `rate_limit_exceeded`.
fn is_spelled(word: &str) -> bool {
    word.contains('_') && word.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
}

/// The error in an answer that says it is a success, if there is one.
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
