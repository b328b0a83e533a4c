//! The meanings of errors that the file adds: the tables `[[outcome]]`.

use evenkeel::outcome::{CodeClass, ErrorCodeTable, ErrorRule, FinishClass, Rejection};
use http::StatusCode;
use serde::Deserialize;
use toml::Spanned;

use super::config_location::ConfigSource;

/// An `[[outcome]]`: an error that matches every condition of it has the meaning `is`, or a finish reason has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeTable {
    is: Spanned<String>,
    provider: Option<String>,
    status: Option<Spanned<u16>>,
    code: Option<Spanned<String>>,
    words: Option<Spanned<Vec<Spanned<String>>>>,
    /// Excludes the other conditions.
    finish_reason: Option<Spanned<String>>,
}

/// The names of the meanings.
const MEANINGS: &[(&str, CodeClass)] = &[
    ("unavailable", CodeClass::Unavailable),
    ("rate_limited", CodeClass::RateLimited),
    ("quota_exhausted", CodeClass::QuotaExhausted),
    ("too_large", CodeClass::TooLarge),
    ("blocked", CodeClass::Blocked),
    ("rejected", CodeClass::Rejected(Rejection::Request)),
    ("rejected_parameter", CodeClass::Rejected(Rejection::Parameter)),
    ("rejected_model", CodeClass::Rejected(Rejection::Model)),
    ("rejected_credential", CodeClass::Rejected(Rejection::Credential)),
    ("rejected_permission", CodeClass::Rejected(Rejection::Permission)),
    ("declined", CodeClass::Declined),
    ("unfinished", CodeClass::Unfinished),
];

/// The names of the meanings of a finish reason.
const FINISH_MEANINGS: &[(&str, FinishClass)] = &[
    ("complete", FinishClass::Complete),
    ("limit", FinishClass::Limit),
    ("blocked", FinishClass::Blocked),
    ("unavailable", FinishClass::Unavailable),
    ("unfinished", FinishClass::Unfinished),
];

/// The built-in meanings with those of the file; `None` if it adds none.
pub(crate) fn error_codes(
    source: ConfigSource<'_>,
    tables: &[Spanned<OutcomeTable>],
) -> Result<Option<ErrorCodeTable>, String> {
    let mut codes = None;
    // The table that was added last is tried first; in a file the first one counts.
    for table in tables.iter().rev() {
        let known = codes.unwrap_or_else(ErrorCodeTable::default);
        codes = Some(table.get_ref().add_to(known, source, table)?);
    }
    Ok(codes)
}

// === impl OutcomeTable ===

impl OutcomeTable {
    /// Adds it to the codes that are known.
    fn add_to(
        &self,
        codes: ErrorCodeTable,
        source: ConfigSource<'_>,
        table: &Spanned<OutcomeTable>,
    ) -> Result<ErrorCodeTable, String> {
        let Some(reason) = &self.finish_reason else {
            return Ok(codes.with_rule(self.rule(source, table)?));
        };
        filled(source, "outcome.finish_reason", reason)?;
        let other = self.provider.is_some() || self.status.is_some();
        if other || self.code.is_some() || self.words.is_some() {
            let what = "is set beside another condition; allowed is a finish reason alone";
            return Err(source.error_at(&reason.span(), "outcome.finish_reason", what));
        }
        let meaning = self.meaning(source, FINISH_MEANINGS)?;
        Ok(codes.with_finish_reason(reason.get_ref(), meaning))
    }

    fn rule(
        &self,
        source: ConfigSource<'_>,
        table: &Spanned<OutcomeTable>,
    ) -> Result<ErrorRule, String> {
        let mut rule = ErrorRule::new(self.meaning(source, MEANINGS)?);
        if let Some(provider) = &self.provider {
            rule = rule.provider(provider);
        }
        if let Some(status) = &self.status {
            rule = rule.status(error_status(source, status)?);
        }
        if let Some(code) = &self.code {
            filled(source, "outcome.code", code)?;
            rule = rule.code(code.get_ref());
        }
        for word in self.words.iter().flat_map(|words| words.get_ref()) {
            filled(source, "outcome.words", word)?;
            rule = rule.words([word.get_ref().as_str()]);
        }
        let words = self.words.as_ref().is_some_and(|words| !words.get_ref().is_empty());
        if self.status.is_none() && self.code.is_none() && !words {
            let what = "has no condition; allowed is at least one of status, code and words, or a finish_reason";
            return Err(source.error_at(&table.span(), "outcome", what));
        }
        Ok(rule)
    }

    /// The meaning of that name.
    fn meaning<T: Copy>(
        &self,
        source: ConfigSource<'_>,
        meanings: &[(&str, T)],
    ) -> Result<T, String> {
        let name = self.is.get_ref();
        let found = meanings.iter().find(|(known, _)| known == name);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let names: Vec<_> = meanings.iter().map(|(name, _)| *name).collect();
            let what = format!("is {name:?}; allowed is one of {}", names.join(", "));
            source.error_at(&self.is.span(), "outcome.is", &what)
        })
    }
}

/// The status of an error: a 2xx is no error.
fn error_status(source: ConfigSource<'_>, status: &Spanned<u16>) -> Result<StatusCode, String> {
    let number = *status.get_ref();
    let known = StatusCode::from_u16(number).ok().filter(|_| (300..600).contains(&number));
    known.ok_or_else(|| {
        let what = format!("is {number}; allowed is a status from 300 to 599");
        source.error_at(&status.span(), "outcome.status", &what)
    })
}

fn filled(source: ConfigSource<'_>, field: &str, value: &Spanned<String>) -> Result<(), String> {
    match value.get_ref().trim() {
        "" => Err(source.error_at(&value.span(), field, "is empty; allowed is a text")),
        _ => Ok(()),
    }
}
