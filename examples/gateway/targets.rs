//! The rungs that the file names: targets, stored answers and canned replies.

use evenkeel::fallback::{Fallback, Target};
use http::Uri;
use serde::Deserialize;
use toml::Spanned;

use super::{
    keys::{Env, base_url, filled, key, key_header, named},
    place::Source,
    skills,
};

/// A `[[target]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetTable {
    name: Spanned<String>,
    /// Targets of one rung are equal.
    rung: Option<Spanned<String>>,
    base_url: Option<Spanned<String>>,
    model: Option<Spanned<String>>,
    key_env: Option<Spanned<String>>,
    key_header: Option<Spanned<String>>,
    dialect: Option<Spanned<String>>,
    // Of the rung; what each does is told in `skills.rs`.
    pub(crate) context: Option<Spanned<u64>>,
    pub(crate) tools: Option<Spanned<bool>>,
    pub(crate) vision: Option<Spanned<bool>>,
    pub(crate) json: Option<Spanned<bool>>,
    pub(crate) prefill: Option<Spanned<String>>,
    pub(crate) max_tokens: Option<Spanned<u64>>,
    pub(crate) without_tools: Option<Spanned<bool>>,
    pub(crate) without_images: Option<Spanned<bool>>,
    pub(crate) unstreamed: Option<Spanned<bool>>,
    pub(crate) fit: Option<Spanned<u64>>,
    pub(crate) reserve: Option<Spanned<f64>>,
    pub(crate) takes: Option<Spanned<Vec<Spanned<String>>>>,
}

/// A `[[stored]]`: the stored answer to the same request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredTable {
    name: Spanned<String>,
    age: Spanned<f64>,
}

/// A `[[canned]]`: a reply that cannot fail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CannedTable {
    name: Spanned<String>,
    text: Spanned<String>,
}

/// The tables that name rungs.
pub(crate) type Tables<'a> =
    (&'a [Spanned<TargetTable>], &'a [Spanned<StoredTable>], &'a [Spanned<CannedTable>]);

/// One rung of the ladder, checked.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) rung: Fallback,
    /// Its equal targets, where it has any, and the origins that they stand at.
    pub(crate) targets: Vec<(Target, Option<Uri>)>,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// Where it stands in the file.
    pub(crate) at: std::ops::Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Target,
    Stored,
    Canned,
}

/// The rungs in the order of `ladder`; without it, in that of the file, the canned reply last.
pub(crate) fn steps(
    source: Source<'_>,
    tables: Tables<'_>,
    ladder: Option<&Spanned<Vec<Spanned<String>>>>,
    env: Env<'_>,
) -> Result<Vec<Step>, String> {
    let all = all(source, tables, env)?;
    let ordered = match ladder {
        None => all,
        Some(names) => {
            names.get_ref().iter().map(|name| find(source, &all, name)).collect::<Result<_, _>>()?
        }
    };
    let lost = ordered.iter().rev().skip(1).find(|step| step.kind == Kind::Canned);
    match lost {
        Some(step) => Err(source.wrong(
            &ladder.map_or(step.at.clone(), Spanned::span),
            "ladder",
            &format!("is with {:?} before others; allowed is a canned reply only as the last: it never fails", step.name),
        )),
        None => Ok(ordered),
    }
}

/// Every rung that is named, as they stand in the file.
fn all(
    source: Source<'_>,
    (targets, stored, canned): Tables<'_>,
    env: Env<'_>,
) -> Result<Vec<Step>, String> {
    let mut groups: Vec<(&Spanned<String>, Vec<&Spanned<TargetTable>>)> = Vec::new();
    for (at, table) in targets.iter().enumerate() {
        let TargetTable { name, rung, .. } = table.get_ref();
        alone(source, name, targets[..at].iter().map(|it| it.get_ref().name.get_ref()))?;
        let rung = rung.as_ref().unwrap_or(name);
        match groups.iter_mut().find(|(name, _)| name.get_ref() == rung.get_ref()) {
            Some((_, group)) => group.push(table),
            None => groups.push((rung, vec![table])),
        }
    }
    let groups = groups.into_iter().map(|(name, group)| (name, equals(source, name, &group, env)));
    let stored = stored.iter().map(|table| (&table.get_ref().name, age(source, table)));
    let canned = canned.iter().map(|table| (&table.get_ref().name, reply(source, table)));
    let mut all: Vec<Step> = Vec::new();
    for (name, step) in groups.chain(stored).chain(canned) {
        alone(source, name, all.iter().map(|step| &step.name))?;
        all.push(step?);
    }
    Ok(all)
}

/// Refuses a name that another has.
fn alone<'a>(
    source: Source<'_>,
    name: &Spanned<String>,
    mut others: impl Iterator<Item = &'a String>,
) -> Result<(), String> {
    if others.any(|other| other == name.get_ref()) {
        let what =
            format!("is {:?}, which another has; allowed is a name of its own", name.get_ref());
        return Err(source.wrong(&name.span(), "name", &what));
    }
    Ok(())
}

fn find(source: Source<'_>, all: &[Step], name: &Spanned<String>) -> Result<Step, String> {
    let found = all.iter().find(|step| step.name == *name.get_ref());
    found.cloned().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|step| step.name.as_str()).collect();
        let what = format!(
            "is {:?}; allowed are the names of targets and their rungs, stored and canned replies: {}",
            name.get_ref(),
            known.join(", ")
        );
        source.wrong(&name.span(), "ladder", &what)
    })
}

/// The rung of some targets: one, or several that are equal. What a rung can do and asks is said at its first.
fn equals(
    source: Source<'_>,
    name: &Spanned<String>,
    group: &[&Spanned<TargetTable>],
    env: Env<'_>,
) -> Result<Step, String> {
    let first = group[0];
    let field = if first.get_ref().rung.is_some() { "rung" } else { "name" };
    let name = named(source, field, name)?;
    let targets = group.iter().map(|table| target(source, table, env));
    let targets: Vec<_> = targets.collect::<Result<_, _>>()?;
    group[1..].iter().try_for_each(|table| skills::none(source, table.get_ref()))?;
    let rung = Fallback::targets(targets.iter().map(|(target, _)| target.clone())).named(&name);
    let rung = skills::with(source, first.get_ref(), rung)?;
    Ok(Step { rung, targets, kind: Kind::Target, name, at: first.span() })
}

fn target(
    source: Source<'_>,
    table: &Spanned<TargetTable>,
    env: Env<'_>,
) -> Result<(Target, Option<Uri>), String> {
    let at = table.span();
    let table = table.get_ref();
    let name = named(source, "name", &table.name)?;
    let base = table.base_url.as_ref().map(|base| base_url(source, base)).transpose()?;
    let target = match &table.base_url {
        Some(base) => Target::new(base.get_ref()),
        None => Target::here(),
    };
    // In events and in `/healthz` a key goes by the name of its target.
    let mut target = if table.key_env.is_some() { target.label(&name) } else { target };
    if let Some(model) = &table.model {
        filled(source, "model", model)?;
        target = target.model(model.get_ref());
    }
    if let Some(key) = key(source, table.key_env.as_ref(), env)? {
        target = match key_header(source, table.key_header.as_ref())? {
            None => target.bearer(&key),
            Some(header) => target.credential(header, &key),
        };
    }
    if let Some(dialect) = &table.dialect {
        target = target.dialect(skills::dialect(source, dialect)?);
    }
    if table.base_url.is_none() && table.model.is_none() && table.key_env.is_none() {
        let what =
            "is another name for the upstream; allowed is a target with base_url, model or key_env";
        return Err(source.wrong(&at, "target", what));
    }
    Ok((target, base))
}

fn age(source: Source<'_>, table: &Spanned<StoredTable>) -> Result<Step, String> {
    let StoredTable { name, age } = table.get_ref();
    let name = named(source, "name", name)?;
    let age = source.seconds("age", age, skills::LONG)?;
    let rung = Fallback::stored(age).named(&name);
    Ok(Step { rung, targets: Vec::new(), kind: Kind::Stored, name, at: table.span() })
}

fn reply(source: Source<'_>, table: &Spanned<CannedTable>) -> Result<Step, String> {
    let CannedTable { name, text } = table.get_ref();
    let name = named(source, "name", name)?;
    filled(source, "text", text)?;
    let rung = Fallback::canned(text.get_ref()).named(&name);
    Ok(Step { rung, targets: Vec::new(), kind: Kind::Canned, name, at: table.span() })
}
