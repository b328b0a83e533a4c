//! The fallbacks in the file: targets, stored answers and canned replies.

use evenkeel::fallback::{Fallback, ForeignReasoning, Target};
use http::Uri;
use toml::Spanned;

use super::{
    capabilities,
    config_location::{ConfigSource, MONTH},
    keys::{Env, base_url, filled, key, key_file, key_header, named},
    target_tables::{CannedTable, StoredTable, Tables, TargetTable},
};

/// One fallback, validated.
#[derive(Clone, Debug)]
pub(crate) struct NamedFallback {
    pub(crate) fallback: Fallback,
    /// Its equal targets, if it has any, each with the origin of its `base_url`.
    pub(crate) targets: Vec<(Target, Option<Uri>)>,
    pub(crate) kind: FallbackKind,
    pub(crate) name: String,
    /// Its position in the file.
    pub(crate) at: std::ops::Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FallbackKind {
    Target,
    Stored,
    Canned,
}

/// The fallbacks in the order of the key `fallbacks`; without it, in the order of the file, canned replies last.
pub(crate) fn fallbacks(
    source: ConfigSource<'_>,
    tables: Tables<'_>,
    fallbacks: Option<&Spanned<Vec<Spanned<String>>>>,
    env: Env<'_>,
) -> Result<Vec<NamedFallback>, String> {
    let all = all(source, tables, env)?;
    let ordered = match fallbacks {
        None => all,
        Some(names) => {
            names.get_ref().iter().map(|name| find(source, &all, name)).collect::<Result<_, _>>()?
        }
    };
    let lost = ordered.iter().rev().skip(1).find(|fallback| fallback.kind == FallbackKind::Canned);
    match lost {
        Some(fallback) => Err(source.error_at(
            &fallbacks.map_or(fallback.at.clone(), Spanned::span),
            "fallbacks",
            &format!("is with {:?} before others; allowed is a canned reply only as the last: it never fails", fallback.name),
        )),
        None => Ok(ordered),
    }
}

/// Every fallback, in the order of the file.
fn all(
    source: ConfigSource<'_>,
    tables: Tables<'_>,
    env: Env<'_>,
) -> Result<Vec<NamedFallback>, String> {
    let Tables { targets, stored, canned } = tables;
    let mut groups: Vec<(&Spanned<String>, Vec<&Spanned<TargetTable>>)> = Vec::new();
    for (at, table) in targets.iter().enumerate() {
        let TargetTable { name, group, .. } = table.get_ref();
        unique(source, name, targets[..at].iter().map(|it| it.get_ref().name.get_ref()))?;
        let group_name = group.as_ref().unwrap_or(name);
        match groups.iter_mut().find(|(name, _)| name.get_ref() == group_name.get_ref()) {
            Some((_, group)) => group.push(table),
            None => groups.push((group_name, vec![table])),
        }
    }
    let groups =
        groups.into_iter().map(|(name, group)| (name, target_group(source, name, &group, env)));
    let stored = stored.iter().map(|table| (&table.get_ref().name, stored_answer(source, table)));
    let canned = canned.iter().map(|table| (&table.get_ref().name, canned_reply(source, table)));
    let mut all: Vec<NamedFallback> = Vec::new();
    for (name, fallback) in groups.chain(stored).chain(canned) {
        unique(source, name, all.iter().map(|fallback| &fallback.name))?;
        all.push(fallback?);
    }
    Ok(all)
}

/// Rejects a duplicate name.
fn unique<'a>(
    source: ConfigSource<'_>,
    name: &Spanned<String>,
    mut others: impl Iterator<Item = &'a String>,
) -> Result<(), String> {
    if others.any(|other| other == name.get_ref()) {
        let what =
            format!("is {:?}, which another has; allowed is a name of its own", name.get_ref());
        return Err(source.error_at(&name.span(), "name", &what));
    }
    Ok(())
}

fn find(
    source: ConfigSource<'_>,
    all: &[NamedFallback],
    name: &Spanned<String>,
) -> Result<NamedFallback, String> {
    let found = all.iter().find(|fallback| fallback.name == *name.get_ref());
    found.cloned().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|fallback| fallback.name.as_str()).collect();
        let what = format!(
            "is {:?}; allowed are the names of targets, groups, stored answers and canned replies: {}",
            name.get_ref(),
            known.join(", ")
        );
        source.error_at(&name.span(), "fallbacks", &what)
    })
}

/// The fallback of one target, or of several that are equal. The keys of the group are those of its first target.
fn target_group(
    source: ConfigSource<'_>,
    name: &Spanned<String>,
    group: &[&Spanned<TargetTable>],
    env: Env<'_>,
) -> Result<NamedFallback, String> {
    let first = group[0];
    let field = if first.get_ref().group.is_some() { "group" } else { "name" };
    let name = named(source, field, name)?;
    let targets = group.iter().map(|table| target(source, table, env));
    let targets: Vec<_> = targets.collect::<Result<_, _>>()?;
    group[1..].iter().try_for_each(|table| capabilities::refuse(source, table.get_ref()))?;
    let fallback = Fallback::targets(targets.iter().map(|(target, _)| target.clone())).named(&name);
    let fallback = capabilities::apply(source, first.get_ref(), fallback)?;
    Ok(NamedFallback { fallback, targets, kind: FallbackKind::Target, name, at: first.span() })
}

/// A target, and the origin of its `base_url`.
fn target(
    source: ConfigSource<'_>,
    spanned: &Spanned<TargetTable>,
    env: Env<'_>,
) -> Result<(Target, Option<Uri>), String> {
    let table = spanned.get_ref();
    let name = named(source, "name", &table.name)?;
    let base = table.base_url.as_ref().map(|base| base_url(source, base)).transpose()?;
    let target = match &table.base_url {
        Some(base) => Target::new(base.get_ref()),
        None => Target::same_host(),
    };
    // In events and in `/healthz` a key has the name of its target.
    let has_key = table.key_env.is_some() || table.key_file.is_some();
    let mut target = if has_key { target.label(&name) } else { target };
    if let Some(model) = &table.model {
        filled(source, "model", model)?;
        target = target.model(model.get_ref());
    }
    target = with_key(source, table, target, env)?;
    if let Some(dialect) = &table.dialect {
        target = target.dialect(capabilities::dialect(source, dialect)?);
    }
    if table.keep_foreign_reasoning.as_ref().is_some_and(|keep| *keep.get_ref()) {
        target = target.foreign_reasoning(ForeignReasoning::Keep);
    }
    if let Some(name) = &table.compatibility {
        target = target.compatibility(capabilities::compatibility(source, name)?);
    }
    if table.base_url.is_none() && table.model.is_none() && !has_key {
        let what = "is another name for the upstream; allowed is a target with base_url, model, key_env or key_file";
        return Err(source.error_at(&spanned.span(), "target", what));
    }
    Ok((target, base))
}

fn with_key(
    source: ConfigSource<'_>,
    table: &TargetTable,
    target: Target,
    env: Env<'_>,
) -> Result<Target, String> {
    let header = key_header(source, table.key_header.as_ref())?;
    if let Some(path) = &table.key_file {
        if table.key_env.is_some() {
            let what = "is beside key_env; allowed is one of them";
            return Err(source.error_at(&path.span(), "key_file", what));
        }
        return Ok(target.credentials(key_file(source, path, header)?));
    }
    let Some(key) = key(source, table.key_env.as_ref(), env)? else { return Ok(target) };
    Ok(match header {
        None => target.bearer(&key),
        Some(header) => target.credential(header, &key),
    })
}

fn stored_answer(
    source: ConfigSource<'_>,
    table: &Spanned<StoredTable>,
) -> Result<NamedFallback, String> {
    let StoredTable { name, age } = table.get_ref();
    let name = named(source, "name", name)?;
    let age = source.seconds("age", age, MONTH)?;
    let fallback = Fallback::stored(age).named(&name);
    Ok(NamedFallback {
        fallback,
        targets: Vec::new(),
        kind: FallbackKind::Stored,
        name,
        at: table.span(),
    })
}

fn canned_reply(
    source: ConfigSource<'_>,
    table: &Spanned<CannedTable>,
) -> Result<NamedFallback, String> {
    let CannedTable { name, text } = table.get_ref();
    let name = named(source, "name", name)?;
    filled(source, "text", text)?;
    let fallback = Fallback::canned(text.get_ref()).named(&name);
    Ok(NamedFallback {
        fallback,
        targets: Vec::new(),
        kind: FallbackKind::Canned,
        name,
        at: table.span(),
    })
}
