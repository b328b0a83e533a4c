//! The meanings of the providers' error codes: a table that can be extended.

mod class;
mod finish_class;
mod rule;
mod spelling;
mod table;

use std::sync::Arc;

use http::StatusCode;

pub(super) use self::class::{
    CREDENTIAL as KEY, MODEL, PARAMETER, PERMISSION as SCOPE, QUOTA, REQUEST,
};
pub use self::rule::ErrorRule;
pub(super) use self::rule::RuleInput;
use self::spelling::matches;
use self::table::TABLE;
pub use self::{class::CodeClass, finish_class::FinishClass};

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
    added: Option<Arc<Vec<ErrorRule>>>,
    /// The finish reasons that were added, the last one last.
    finishes: Option<Arc<Vec<FinishRule>>>,
    /// The provider whose answers are parsed, if known.
    at: Option<Arc<str>>,
}

/// The meaning of a finish reason that was added.
#[derive(Clone, Debug)]
struct FinishRule {
    reason: Box<str>,
    meaning: FinishClass,
}

// === impl ErrorCodeTable ===

impl ErrorCodeTable {
    /// The table alone.
    pub(crate) const TABLE: Self = Self { added: None, finishes: None, at: None };

    /// Adds a code, or replaces its meaning in the table. A `*` at an end matches anything.
    #[must_use]
    pub fn with(self, code: &str, meaning: CodeClass) -> Self {
        self.with_rule(ErrorRule::new(meaning).code(code))
    }

    /// Adds a code for the answers of one provider only: its host (`api.example.com`, at any port unless one is given), the name
    /// of its route in evenkeel, or all hosts below a domain (`*.openai.azure.com`).
    #[must_use]
    pub fn with_for(self, provider: &str, code: &str, meaning: CodeClass) -> Self {
        self.with_rule(ErrorRule::new(meaning).provider(provider).code(code))
    }

    /// Adds the meaning of a status. It precedes every code of the answer.
    #[must_use]
    pub fn with_status(self, status: StatusCode, meaning: CodeClass) -> Self {
        self.with_rule(ErrorRule::new(meaning).status(status))
    }

    /// Adds the meaning of a message in which all these words occur, in any case. It precedes every code of the answer.
    #[must_use]
    pub fn with_words<'a>(
        self,
        words: impl IntoIterator<Item = &'a str>,
        meaning: CodeClass,
    ) -> Self {
        self.with_rule(ErrorRule::new(meaning).words(words))
    }

    /// Adds the meaning of a finish reason, in any case of letters, or replaces it.
    #[must_use]
    pub fn with_finish_reason(mut self, reason: &str, meaning: FinishClass) -> Self {
        let finishes = self.finishes.get_or_insert_with(Arc::default);
        Arc::make_mut(finishes).push(FinishRule { reason: reason.into(), meaning });
        self
    }

    /// Adds a rule. The rule that was added last is tried first. A rule with a status or words precedes every code.
    #[must_use]
    pub fn with_rule(mut self, rule: ErrorRule) -> Self {
        Arc::make_mut(self.added.get_or_insert_with(Arc::default)).push(rule);
        self
    }

    /// The table for the answers of that provider. The layers call this themselves.
    #[must_use]
    pub fn at(&self, provider: &str) -> Self {
        let keyed = self.added.iter().flat_map(|added| added.iter()).any(ErrorRule::has_provider);
        let at = keyed.then(|| provider.into());
        Self { added: self.added.clone(), finishes: self.finishes.clone(), at }
    }

    /// The meaning of a code; `None` if it is not known.
    pub fn meaning(&self, code: &str) -> Option<CodeClass> {
        let added = self.rules().filter(|rule| rule.is_by_code());
        let added = added.filter_map(|rule| Some((&**rule.code.as_ref()?, rule.meaning)));
        let table =
            TABLE.iter().flat_map(|(meaning, codes)| codes.iter().map(|known| (*known, *meaning)));
        added.chain(table).find(|(known, _)| matches(known, code)).map(|(_, meaning)| meaning)
    }

    /// The meaning that an added rule with a status or words gives to an error.
    pub(super) fn by_rule(&self, error: RuleInput<'_>) -> Option<CodeClass> {
        let mut rules = self.rules().filter(|rule| !rule.is_by_code()).peekable();
        rules.peek()?;
        let message = error.message.to_lowercase();
        rules.find(|rule| rule.holds(error, &message)).map(|rule| rule.meaning)
    }

    /// The added meaning of a finish reason.
    pub(crate) fn finish_class(&self, word: &str) -> Option<FinishClass> {
        let mut added = self.finishes.iter().flat_map(|added| added.iter()).rev();
        let found = added.find(|rule| rule.reason.eq_ignore_ascii_case(word.trim()));
        found.map(|rule| rule.meaning)
    }

    /// The added rules for this provider, the last one first.
    fn rules(&self) -> impl Iterator<Item = &ErrorRule> {
        let added = self.added.iter().flat_map(|added| added.iter()).rev();
        added.filter(|rule| rule.is_at(self.at.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::{spelling::letters, *};

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

    #[test]
    fn a_rule_of_a_status_or_words_holds_only_if_all_of_it_does() {
        let asleep = ErrorRule::new(CodeClass::Unavailable).words(["MODEL", "asleep"]);
        let codes = ErrorCodeTable::default()
            .with_rule(asleep.clone().status(StatusCode::IM_A_TEAPOT).code("zz_*"))
            .with_status(StatusCode::CONFLICT, CodeClass::Declined)
            .with_rule(asleep.provider("x").status(StatusCode::FORBIDDEN))
            .with_words(["tuesday"], CodeClass::RateLimited);
        for (status, code, message, meaning) in [
            (418, "zz_1", "the Model is ASLEEP", Some(CodeClass::Unavailable)),
            (400, "zz_1", "the Model is ASLEEP", None),
            (418, "z", "the Model is ASLEEP", None),
            (418, "zz_1", "the Model is awake", None),
            (409, "any", "", Some(CodeClass::Declined)),
            (403, "any", "the model is asleep", None),
            (400, "slow_down", "On Tuesday", Some(CodeClass::RateLimited)),
        ] {
            let error = RuleInput { status: Some(status), codes: &[code], message };
            assert_eq!(codes.by_rule(error), meaning, "{status} {code} {message}");
        }
        let nothing = ErrorCodeTable::default().with_rule(ErrorRule::new(CodeClass::Blocked));
        let error = RuleInput { status: None, codes: &["c"], message: "m" };
        assert_eq!((nothing.by_rule(error), nothing.meaning("c")), (None, None));
    }
}
