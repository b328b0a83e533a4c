//! The meanings of the providers' error codes: a table that can be extended.

mod class;
mod finish_class;
mod table;

use std::sync::Arc;

pub(super) use self::class::{
    CREDENTIAL as KEY, MODEL, PARAMETER, PERMISSION as SCOPE, QUOTA, REQUEST,
};
use self::table::TABLE;
pub use self::{class::CodeClass, finish_class::FinishClass};
use super::quotes::unquoted;
use crate::events::FinishReason;

/// The meanings of the providers' error codes: the built-in table, and the codes added to it.
///
/// Codes are compared without regard to case, `_`, `-`, `.` and spaces: `RateLimitExceeded` equals `rate_limit_exceeded`. A `*`
/// at an end of an added code matches anything. The code that was added last is tried first, before the table.
///
/// # Defaults
///
/// The built-in table: OpenAI, Azure OpenAI, Anthropic, vLLM and other servers compatible with them, OpenRouter, Gemini and
/// Bedrock.
///
/// ```
/// use evenkeel_dialect::outcome::{ErrorCodeTable, CodeClass, Outcome, classify_with};
/// use http::{HeaderMap, StatusCode};
///
/// let codes = ErrorCodeTable::default().with("warming_up", CodeClass::Unavailable);
/// let body = br#"{"error":{"code":"warming_up"}}"#;
/// let verdict = classify_with(&codes, StatusCode::BAD_REQUEST, &HeaderMap::new(), body);
/// assert_eq!(verdict.outcome(), Outcome::Unavailable { wait: None });
/// ```
#[derive(Clone, Debug, Default)]
pub struct ErrorCodeTable {
    /// Shared, because every answer that is parsed has a handle of it; `None` if nothing was added.
    added: Option<Arc<Vec<Rule>>>,
    /// The provider whose answers are parsed, if known.
    at: Option<Arc<str>>,
}

/// A meaning that was added.
#[derive(Clone, Debug)]
struct Rule {
    /// Applies to that provider only.
    provider: Option<Box<str>>,
    sign: Sign,
}

/// What an added meaning is the meaning of.
#[derive(Clone, Debug)]
enum Sign {
    Code(Box<str>, CodeClass),
    Status(u16, CodeClass),
    /// All of these parts occur in the message of an error.
    Words(Box<[Box<str>]>, CodeClass),
    Finish(Box<str>, FinishClass),
}

// === impl ErrorCodeTable ===

impl ErrorCodeTable {
    /// The table alone.
    pub(crate) const TABLE: Self = Self { added: None, at: None };

    /// Adds a code, or replaces its meaning in the table. A `*` at an end matches anything.
    #[must_use]
    pub fn with(self, code: &str, meaning: CodeClass) -> Self {
        self.add(None, Sign::Code(code.into(), meaning))
    }

    /// Adds a code for the answers of one provider only: its host (`api.example.com`, at any port unless one is given), the name
    /// of its route in evenkeel, or all hosts below a domain (`*.openai.azure.com`).
    #[must_use]
    pub fn with_for(self, provider: &str, code: &str, meaning: CodeClass) -> Self {
        self.add(Some(provider), Sign::Code(code.into(), meaning))
    }

    /// Adds the meaning of a status of 300 or more, for answers without a code or a sentence that says more.
    #[must_use]
    pub fn with_status(self, status: u16, meaning: CodeClass) -> Self {
        self.add(None, Sign::Status(status, meaning))
    }

    /// Adds the meaning of an error whose message has all of these parts, in any order and any case of letters. A code that is
    /// known takes precedence. Without any part, nothing is added.
    #[must_use]
    pub fn with_words<'w>(
        self,
        words: impl IntoIterator<Item = &'w str>,
        meaning: CodeClass,
    ) -> Self {
        let words: Box<[Box<str>]> =
            words.into_iter().map(|word| word.to_ascii_lowercase().into()).collect();
        if words.is_empty() { self } else { self.add(None, Sign::Words(words, meaning)) }
    }

    /// Adds the meaning of a finish reason, in any case of letters, or replaces it.
    #[must_use]
    pub fn with_finish_reason(self, reason: &str, meaning: FinishClass) -> Self {
        self.add(None, Sign::Finish(reason.into(), meaning))
    }

    /// The table for the answers of that provider. The layers call this themselves.
    #[must_use]
    pub fn at(&self, provider: &str) -> Self {
        let keyed = self.rules().any(|rule| rule.provider.is_some());
        Self { added: self.added.clone(), at: keyed.then(|| provider.into()) }
    }

    /// The meaning of a code; `None` if it is not known.
    pub fn meaning(&self, code: &str) -> Option<CodeClass> {
        let added = self.here().filter_map(|sign| match sign {
            Sign::Code(code, meaning) => Some((&**code, *meaning)),
            _ => None,
        });
        let table =
            TABLE.iter().flat_map(|(meaning, codes)| codes.iter().map(|known| (*known, *meaning)));
        added.chain(table).find(|(known, _)| matches(known, code)).map(|(_, meaning)| meaning)
    }

    /// The added meaning of a status.
    pub(super) fn of_status(&self, status: u16) -> Option<CodeClass> {
        self.here().find_map(|sign| match sign {
            Sign::Status(known, meaning) if *known == status => Some(*meaning),
            _ => None,
        })
    }

    /// The added meaning of a message. What it quotes is not read.
    pub(super) fn of_message(&self, message: &str) -> Option<CodeClass> {
        self.added.as_ref()?;
        let text = unquoted(message);
        self.here().find_map(|sign| match sign {
            Sign::Words(parts, meaning) if parts.iter().all(|part| text.contains(&**part)) => {
                Some(*meaning)
            }
            _ => None,
        })
    }

    /// The added meaning of a finish reason.
    pub(crate) fn finish_reason(&self, word: &str) -> Option<FinishReason> {
        self.here().find_map(|sign| match sign {
            Sign::Finish(known, class) if known.eq_ignore_ascii_case(word) => Some(class.reason()),
            _ => None,
        })
    }

    fn rules(&self) -> impl DoubleEndedIterator<Item = &Rule> {
        self.added.iter().flat_map(|added| added.iter())
    }

    /// What applies to the answers of this provider, the last added first.
    fn here(&self) -> impl Iterator<Item = &Sign> {
        let at = self.at.as_deref();
        self.rules().rev().filter(move |rule| rule.is_at(at)).map(|rule| &rule.sign)
    }

    fn add(mut self, provider: Option<&str>, sign: Sign) -> Self {
        let rule = Rule { provider: provider.map(Into::into), sign };
        Arc::make_mut(self.added.get_or_insert_with(Arc::default)).push(rule);
        self
    }
}

// === impl Rule ===

impl Rule {
    fn is_at(&self, at: Option<&str>) -> bool {
        let Some(provider) = &self.provider else { return true };
        let Some(at) = at else { return false };
        let host = at.rsplit_once(':').map_or(at, |(host, _)| host);
        match provider.strip_prefix('*') {
            Some(end) => host.len() > end.len() && tail(host, end.len()).eq_ignore_ascii_case(end),
            None => provider.eq_ignore_ascii_case(at) || provider.eq_ignore_ascii_case(host),
        }
    }
}

/// The last bytes of a text; empty if they start inside a character.
fn tail(text: &str, length: usize) -> &str {
    text.get(text.len() - length..).unwrap_or_default()
}

fn matches(known: &str, code: &str) -> bool {
    let (before, after) = (known.starts_with('*'), known.ends_with('*'));
    if !before && !after {
        return letters(known).eq(letters(code));
    }
    let (known, code): (Vec<u8>, Vec<u8>) = (letters(known).collect(), letters(code).collect());
    match (before, after) {
        (true, true) => memchr::memmem::find(&code, &known).is_some(),
        (true, false) => code.ends_with(&known),
        _ => code.starts_with(&known),
    }
}

/// The bytes of a code, without the differences in spelling.
fn letters(code: &str) -> impl Iterator<Item = u8> + '_ {
    code.bytes().filter(|b| !b"_-. *".contains(b)).map(|b| b.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{class::MODEL, *};

    #[test]
    fn no_code_stands_in_the_table_twice() {
        let mut all: Vec<String> = TABLE
            .iter()
            .flat_map(|(_, codes)| codes.iter())
            .map(|code| String::from_utf8(letters(code).collect()).unwrap())
            .collect();
        let many = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), many);
    }

    #[test]
    fn every_code_of_the_table_is_found_with_its_own_meaning() {
        for (meaning, codes) in TABLE {
            for code in *codes {
                assert_eq!(ErrorCodeTable::TABLE.meaning(code), Some(*meaning), "{code}");
            }
        }
    }

    #[test]
    fn the_spelling_of_a_code_does_not_matter() {
        for code in [
            "RateLimitExceeded",
            "rate_limit_exceeded",
            "RATE-LIMIT-EXCEEDED",
            "Rate limit exceeded",
        ] {
            assert_eq!(ErrorCodeTable::TABLE.meaning(code), Some(CodeClass::RateLimited), "{code}");
        }
        assert_eq!(ErrorCodeTable::TABLE.meaning("rate_limit_exceeded_not"), None);
        assert_eq!(ErrorCodeTable::TABLE.meaning(""), None);
    }

    #[test]
    fn a_star_stands_for_anything_at_its_end() {
        let codes = ErrorCodeTable::default()
            .with("acme_*", CodeClass::Blocked)
            .with("*_later", CodeClass::RateLimited)
            .with("*gone*", MODEL);
        assert_eq!(codes.meaning("acme_filter_7"), Some(CodeClass::Blocked));
        assert_eq!(codes.meaning("come_later"), Some(CodeClass::RateLimited));
        assert_eq!(codes.meaning("is_gone_now"), Some(MODEL));
        assert_eq!(codes.meaning("not_acme"), None);
    }

    #[test]
    fn what_was_added_last_holds_before_what_was_there() {
        let codes = ErrorCodeTable::default()
            .with("slow_down", CodeClass::Unavailable)
            .with("Slow-Down", CodeClass::QuotaExhausted);
        assert_eq!(codes.meaning("slow_down"), Some(CodeClass::QuotaExhausted));
        assert_eq!(ErrorCodeTable::default().meaning("slow_down"), Some(CodeClass::RateLimited));
    }

    #[test]
    fn a_rule_of_one_provider_holds_there_alone() {
        let codes = ErrorCodeTable::default()
            .with("busy", CodeClass::Unavailable)
            .with_for("api.example.com", "busy", CodeClass::RateLimited)
            .with_for("*.azure.com", "busy", CodeClass::QuotaExhausted);
        for (provider, meaning) in [
            ("api.example.com", CodeClass::RateLimited),
            ("API.example.com:8443", CodeClass::RateLimited),
            ("mine.openai.azure.com", CodeClass::QuotaExhausted),
            ("azure.com", CodeClass::Unavailable),
            ("notazure.com", CodeClass::Unavailable),
            ("example.com", CodeClass::Unavailable),
            ("ü", CodeClass::Unavailable),
            ("", CodeClass::Unavailable),
        ] {
            assert_eq!(codes.at(provider).meaning("busy"), Some(meaning), "{provider}");
        }
        assert_eq!(codes.meaning("busy"), Some(CodeClass::Unavailable), "nobody's answer");
    }

    #[test]
    fn every_status_of_an_error_means_something_and_never_a_status() {
        for status in 0..1000 {
            assert_eq!(CodeClass::of_status(status).resolved(), CodeClass::of_status(status));
        }
    }
}
