//! From the fields of policies to the keys of a configuration.

use crate::ConfigError;

/// The parts of a profile, and their tables.
const TABLES: [(&str, &str); 8] = [
    ("profile.", "limits."),
    ("timeout.header", "limits.deadline_header"),
    ("timeout.", "limits."),
    ("limit.", "traffic."),
    ("hedge.budget_ratio", "traffic.hedge"),
    ("hedge.", "traffic.hedge_"),
    ("classify.", "buffer."),
    ("breaker.ramp", "breaker.initial_share"),
];

/// The tables of a fallback: its own, and those of its targets if it has several.
pub(super) struct Paths<'a> {
    pub(super) own: &'a str,
    pub(super) targets: Vec<&'a str>,
}

/// The same error, about the key of the file. `paths` are those of the fallbacks, in their order.
pub(super) fn located(error: &ConfigError, paths: &[Paths<'_>]) -> ConfigError {
    let found = error.field().strip_prefix("fallbacks[").and_then(|rest| {
        let (index, key) = rest.split_once(']')?;
        Some((paths.get(index.parse::<usize>().ok()?)?, key.trim_start_matches('.')))
    });
    let Some((Paths { own, targets }, key)) = found else { return in_key_names(error) };
    let of_one = targets.iter().enumerate().find_map(|(nth, path)| {
        Some((path, key.strip_prefix(&format!("target[{nth}]"))?.trim_start_matches('.')))
    });
    let (path, key) = of_one.unwrap_or((own, key.trim_start_matches("edit.")));
    let field = match key {
        // The target as a whole, as opposed to one of its keys.
        "" | "target" => (*path).to_owned(),
        "credential" => format!("{path}.key_env"),
        key => format!("{path}.{key}"),
    };
    let reason = reason(error);
    let twin = targets.iter().enumerate().find_map(|(nth, path)| {
        Some(format!("{}{path}", reason.strip_suffix(&format!("target[{nth}]"))?))
    });
    ConfigError::because(field, twin.unwrap_or(reason))
}

/// The same error, with the name of the key of the file.
pub(super) fn in_key_names(error: &ConfigError) -> ConfigError {
    let field = error.field();
    let found = TABLES.iter().find(|(part, _)| field.starts_with(part));
    let field = found.map(|(part, table)| field.replacen(part, table, 1));
    ConfigError::because(field.unwrap_or_else(|| error.field().to_owned()), reason(error))
}

/// Where the reason names another field, the key of the file.
fn reason(error: &ConfigError) -> String {
    error
        .reason()
        .replace("timeout.", "limits.")
        .replace("without_tool() or without_tools()", "without_tool or without_tools")
}
