//! The meanings of errors that the file adds: the tables `[[outcome]]`.

use evenkeel::outcome::{CodeClass, ErrorCodeTable, ErrorRule, Rejection};
use http::StatusCode;
use serde::Deserialize;
use toml::Spanned;

use super::config_location::ConfigSource;

/// An `[[outcome]]`: an error that matches every condition of it has the meaning `is`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeTable {
    is: Spanned<String>,
    provider: Option<String>,
    status: Option<Spanned<u16>>,
    code: Option<Spanned<String>>,
    words: Option<Spanned<Vec<Spanned<String>>>>,
    // The key `finish_reason` belongs here: a condition that excludes the three above.
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
];

/// The built-in meanings with those of the file; `None` if it adds none.
pub(crate) fn error_codes(
    source: ConfigSource<'_>,
    tables: &[Spanned<OutcomeTable>],
) -> Result<Option<ErrorCodeTable>, String> {
    let mut codes = None;
    // The table that was added last is tried first; in a file the first one counts.
    for table in tables.iter().rev() {
        let rule = table.get_ref().rule(source, table)?;
        codes = Some(codes.unwrap_or_else(ErrorCodeTable::default).with_rule(rule));
    }
    Ok(codes)
}

// === impl OutcomeTable ===

impl OutcomeTable {
    fn rule(
        &self,
        source: ConfigSource<'_>,
        table: &Spanned<OutcomeTable>,
    ) -> Result<ErrorRule, String> {
        let mut rule = ErrorRule::new(self.meaning(source)?);
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
            let what = "has no condition; allowed is at least one of status, code and words";
            return Err(source.error_at(&table.span(), "outcome", what));
        }
        Ok(rule)
    }

    fn meaning(&self, source: ConfigSource<'_>) -> Result<CodeClass, String> {
        let name = self.is.get_ref();
        let found = MEANINGS.iter().find(|(known, _)| known == name);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let names: Vec<_> = MEANINGS.iter().map(|(name, _)| *name).collect();
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
