//! The meanings of errors.

use crate::{
    ConfigError,
    config::{
        tables::OutcomeTable,
        values::{Choice, Meaning},
    },
    outcome::{ErrorCodeTable, ErrorRule},
};

/// The built-in meanings with those of the file; `None` if it adds none.
pub(super) fn error_codes(tables: &[OutcomeTable]) -> Result<Option<ErrorCodeTable>, ConfigError> {
    let mut codes = None;
    // The table that was added last is tried first; in a file the first one counts.
    for (at, table) in tables.iter().enumerate().rev() {
        let known = codes.unwrap_or_else(ErrorCodeTable::default);
        codes = Some(added(known, table, &format!("outcome[{at}]"))?);
    }
    Ok(codes)
}

fn added(
    codes: ErrorCodeTable,
    table: &OutcomeTable,
    at: &str,
) -> Result<ErrorCodeTable, ConfigError> {
    let Some(reason) = &table.finish_reason else {
        return Ok(codes.with_rule(rule(table, at)?));
    };
    let other = table.provider.is_some() || table.status.is_some();
    if other || table.code.is_some() || table.words.is_some() {
        let what = "is set beside another condition; allowed is a finish reason alone";
        return Err(ConfigError::because(format!("{at}.finish_reason"), what));
    }
    let meaning = table.is.0.finish.ok_or_else(|| {
        meaningless(table, at, |meaning| meaning.finish.is_some(), "of a finish reason")
    })?;
    Ok(codes.with_finish_reason(&reason.0.0, meaning))
}

fn rule(table: &OutcomeTable, at: &str) -> Result<ErrorRule, ConfigError> {
    let meaning =
        table.is.0.error.ok_or_else(|| {
            meaningless(table, at, |meaning| meaning.error.is_some(), "of an error")
        })?;
    let words: Vec<_> = table.words.iter().flatten().map(|word| word.0.0.as_str()).collect();
    if table.status.is_none() && table.code.is_none() && words.is_empty() {
        let what = "has no condition; allowed is at least one of status, code and words, or a finish_reason";
        return Err(ConfigError::because(at, what));
    }
    let mut rule = ErrorRule::new(meaning);
    if let Some(provider) = &table.provider {
        rule = rule.provider(&provider.0.0);
    }
    if let Some(status) = table.status {
        rule = rule.status(status.0);
    }
    if let Some(code) = &table.code {
        rule = rule.code(&code.0.0);
    }
    Ok(if words.is_empty() { rule } else { rule.words(words) })
}

fn meaningless(
    table: &OutcomeTable,
    at: &str,
    has: impl Fn(&Meaning) -> bool,
    what: &str,
) -> ConfigError {
    let names: Vec<_> =
        Meaning::choices().into_iter().filter(|(_, it)| has(it)).map(|(name, _)| name).collect();
    let reason = format!(
        "is {:?}, which is no meaning {what}; allowed is one of {}",
        table.is.0.name,
        names.join(", ")
    );
    ConfigError::because(format!("{at}.is"), reason)
}
