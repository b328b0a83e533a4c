//! Targets, and the fallbacks of targets.

use http::Uri;

use super::{key_file::KeyFile, with};
use crate::{
    ConfigError,
    config::{
        tables::{BalanceTable, TargetTable},
        values::Variable,
    },
    credentials::CredentialPolicy,
    fallback::{Capabilities, Edit, Fallback, ForeignReasoning, Target},
    target::group::BalancePolicy,
};

pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One target of a fallback.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NamedTarget {
    /// The target, with its key.
    pub target: Target,
    /// Scheme, host and port of its `base_url`. `None`: those of the request.
    pub origin: Option<Uri>,
    /// The path of its `base_url`: `/v1`. `/` without one.
    pub base_path: String,
    /// Whether it has a key of its own, which replaces that of the caller.
    pub keyed: bool,
    /// The path of its table in the configuration: `target[1]`.
    pub path: String,
}

/// A target, with its key.
pub(super) fn target(
    table: &TargetTable,
    path: String,
    env: Env<'_>,
) -> Result<NamedTarget, ConfigError> {
    let origin = table.base_url.as_ref().map(|base| base.0.origin.clone());
    let target = match &table.base_url {
        Some(base) => Target::new(&base.0.text),
        None => Target::same_host(),
    };
    let source = key_source(table, &path)?;
    let key = table.key_env.as_ref().map(|variable| key(&variable.0, &path, env)).transpose()?;
    // In events a key has the name of its target.
    let named = key.is_some() || source.is_some();
    let label = table.label.as_ref().or(named.then_some(&table.name));
    let target = with(target, source, |target, source| target.credentials(source));
    let target = with(target, label, |target, label| target.label(&label.0.0));
    let target = with(target, key, |target, key| match &table.key_header {
        Some(header) if header.0 != http::header::AUTHORIZATION => {
            target.credential(header.0.clone(), &key)
        }
        _ => target.bearer(&key),
    });
    let base = table.base_url.as_ref().and_then(|base| base.0.text.parse::<Uri>().ok());
    let base_path = base.map_or_else(|| "/".to_owned(), |base| base.path().to_owned());
    Ok(NamedTarget { target: described(target, table), origin, base_path, keyed: named, path })
}

/// The target with the keys that say what it is and what it accepts.
fn described(target: Target, table: &TargetTable) -> Target {
    let target = with(target, table.model.as_ref(), |target, model| target.model(&model.0.0));
    let target = with(target, table.dialect, |target, dialect| target.dialect(dialect.0));
    let target = with(target, table.endpoint.as_ref(), |target, path| target.endpoint(&path.0.0));
    let target =
        with(target, table.account.as_ref(), |target, account| target.account(&account.0.0));
    let target = with(target, table.idempotent.filter(|is| *is), |target, _| target.idempotent());
    let keeps = table.keep_foreign_reasoning.filter(|keeps| *keeps);
    let target = with(target, keeps, |target, _| target.foreign_reasoning(ForeignReasoning::Keep));
    with(target, table.compatibility, |target, it| target.compatibility(it.0))
}

/// The source of the API key in a file.
fn key_source(table: &TargetTable, at: &str) -> Result<Option<CredentialPolicy>, ConfigError> {
    let Some(path) = &table.key_file else { return Ok(None) };
    if table.key_env.is_some() {
        let reason = "is beside key_env; allowed is one of the two";
        return Err(ConfigError::because(format!("{at}.key_file"), reason));
    }
    let header = table.key_header.as_ref().map(|header| header.0.clone());
    KeyFile::source(&path.0.0, header, at).map(Some)
}

/// The API key in a variable of the environment.
fn key(variable: &Variable, at: &str, env: Env<'_>) -> Result<String, ConfigError> {
    let wrong = |what: &str| {
        Err(ConfigError::because(format!("{at}.key_env"), format!("is {}, {what}", variable.0)))
    };
    match env(&variable.0) {
        Some(key) if !key.trim().is_empty() => {
            let key = key.trim();
            if key.bytes().all(|b| (0x20..0x7f).contains(&b)) {
                return Ok(key.to_owned());
            }
            wrong("whose value cannot be sent in a header; allowed is visible ASCII")
        }
        _ => wrong("which is not set; allowed is a variable of the environment that holds the key"),
    }
}

/// The fallback with the keys of the first target of its group.
pub(super) fn configured(
    fallback: Fallback,
    table: &TargetTable,
    at: &str,
) -> Result<Fallback, ConfigError> {
    let offers = Capabilities::default()
        .tools(table.tools.unwrap_or(true))
        .vision(table.vision.unwrap_or(true))
        .json(table.json.unwrap_or(true))
        .prefill(table.prefill.map(|form| form.0));
    let offers = with(offers, table.context, |offers, tokens| offers.context(tokens.u64()));
    let fallback = fallback
        .capabilities(offers)
        .edit(edit(table, at)?)
        .operations(table.operations.iter().flatten().map(|operation| operation.0))
        .on(table.on.iter().flatten().map(|on| on.0.clone()));
    let fallback = with(fallback, table.reserve, |fallback, time| fallback.reserve(time.0));
    Ok(with(fallback, table.balance.as_ref(), |fallback, table| fallback.balance(balance(table))))
}

fn edit(table: &TargetTable, at: &str) -> Result<Edit, ConfigError> {
    let mut edit = fields(table, at)?;
    edit = with(edit, table.max_tokens, |edit, tokens| edit.max_tokens(tokens.u64()));
    edit = with(edit, table.fit_context, |edit, tokens| edit.fit_context(tokens.u64()));
    edit = with(edit, table.tool_notice.as_ref(), |edit, line| edit.tool_notice(&line.0.0));
    let placeholder = table.image_placeholder.as_ref();
    edit = with(edit, placeholder, |edit, word| edit.image_placeholder(&word.0.0));
    for tool in table.without_tool.iter().flatten() {
        edit = edit.without_tool(&tool.0.0);
    }
    let on = |set: Option<bool>| set.filter(|set| *set);
    edit = with(edit, on(table.without_tools), |edit, _| edit.without_tools());
    edit = with(edit, on(table.without_images), |edit, _| edit.without_images());
    edit = with(edit, on(table.without_reasoning), |edit, _| edit.without_reasoning());
    Ok(with(edit, on(table.unstreamed), |edit, _| edit.unstreamed()))
}

/// The changes of single fields, each checked by itself so that an error names its key.
fn fields(table: &TargetTable, at: &str) -> Result<Edit, ConfigError> {
    let check = |edit: Edit, key: String| edit.check(&|_| format!("{at}.{key}"));
    let mut edit = Edit::new();
    for (from, to) in table.rename.iter().flatten() {
        check(Edit::new().rename(from, to), format!("rename.{from}"))?;
        edit = edit.rename(from, to);
    }
    for (nth, field) in table.drop.iter().flatten().enumerate() {
        check(Edit::new().drop(field), format!("drop[{nth}]"))?;
        edit = edit.drop(field);
    }
    for (field, value) in table.set.iter().flatten() {
        check(Edit::new().set(field, value.clone()), format!("set.{field}"))?;
        edit = edit.set(field, value.clone());
    }
    Ok(edit)
}

fn balance(table: &BalanceTable) -> BalancePolicy {
    let policy = BalancePolicy::default();
    let policy = with(policy, table.penalty, |policy, time| policy.penalty(time.0));
    let policy = with(policy, table.half_life, |policy, time| policy.half_life(time.0));
    let policy = with(policy, table.consecutive_failures, |policy, failures| {
        policy.consecutive_failures(failures.u32())
    });
    let policy =
        with(policy, table.ejection, |policy, [start, end]| policy.ejection(start.0..=end.0));
    let policy = with(policy, table.permanent_failure_ejection, |policy, time| {
        policy.permanent_failure_ejection(time.0)
    });
    with(policy, table.bounded_load_factor, BalancePolicy::bounded_load_factor)
}
