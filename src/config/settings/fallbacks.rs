//! The fallbacks of a configuration, and their order.

use super::targets::{Env, NamedTarget, configured, target};
use crate::{
    ConfigError,
    config::{
        source::Source,
        tables::{GROUP_KEYS, TargetTable},
        values::{Name, Parsed},
    },
    fallback::Fallback,
};

/// A fallback of a configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NamedFallback {
    /// The fallback.
    pub fallback: Fallback,
    /// What it is.
    pub kind: FallbackKind,
    /// Its name: that of the target, or of its group.
    pub name: String,
    /// Its equal targets; none if it is no target.
    pub targets: Vec<NamedTarget>,
    /// The path of its table in the configuration: `target[0]`.
    pub path: String,
}

/// What a fallback of a configuration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FallbackKind {
    /// One target, or several that are equal.
    Target,
    /// A stored answer.
    Stored,
    /// A canned reply.
    Canned,
}

/// The fallbacks in their order, and whether the request goes first where it is addressed.
pub(super) struct Order {
    pub(super) fallbacks: Vec<NamedFallback>,
    pub(super) addressed_first: bool,
}

/// The most tables of one kind: as many targets as all fallbacks may have.
const MOST: usize = 2048;

/// The name of the target that a request is addressed to.
const PRIMARY: &str = "primary";

// === impl Order ===

impl Order {
    /// Those of the key `fallbacks`; without it, targets, stored answers and canned replies in the order of the file.
    pub(super) fn new(source: &Source, env: Env<'_>) -> Result<Self, ConfigError> {
        check_counts(source)?;
        let all = all(source, env)?;
        let upstream = source.file.upstream.is_some();
        let Some(names) = &source.file.fallbacks else {
            return Ok(Self { fallbacks: all, addressed_first: upstream });
        };
        let mut fallbacks: Vec<NamedFallback> = Vec::new();
        let mut addressed_first = upstream;
        for (nth, name) in names.iter().enumerate() {
            if name.0.0 == PRIMARY && nth == 0 {
                addressed_first = true;
                continue;
            }
            let found = found(&all, &fallbacks, &name.0.0);
            fallbacks.push(
                found.map_err(|what| ConfigError::because(format!("fallbacks[{nth}]"), what))?,
            );
        }
        Ok(Self { fallbacks, addressed_first })
    }
}

/// Rejects lists that are longer than any use of them.
fn check_counts(source: &Source) -> Result<(), ConfigError> {
    let file = &source.file;
    let counts = [
        ("target", file.target.len()),
        ("stored", file.stored.len()),
        ("canned", file.canned.len()),
        ("outcome", file.outcome.len()),
        ("fallbacks", file.fallbacks.as_ref().map_or(0, Vec::len)),
        ("traffic.model", file.traffic.model.len()),
    ];
    match counts.into_iter().find(|(_, count)| *count > MOST) {
        Some((name, _)) => {
            let what = format!("is one too many; allowed are at most {MOST}");
            Err(ConfigError::because(format!("{name}[{MOST}]"), what))
        }
        None => Ok(()),
    }
}

/// The fallback of that name, unless the list has it already.
fn found(
    all: &[NamedFallback],
    list: &[NamedFallback],
    name: &str,
) -> Result<NamedFallback, String> {
    if name == PRIMARY {
        return Err("is \"primary\" below another; allowed is it as the first".into());
    }
    if list.iter().any(|fallback| fallback.name == name) {
        return Err(format!("is {name:?} again; allowed is each name once"));
    }
    all.iter().find(|fallback| fallback.name == name).cloned().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|fallback| fallback.name.as_str()).collect();
        format!(
            "is {name:?}; allowed are the names of targets, groups, stored answers and canned replies: {}",
            known.join(", ")
        )
    })
}

/// Every fallback, in the order of the file.
fn all(source: &Source, env: Env<'_>) -> Result<Vec<NamedFallback>, ConfigError> {
    let file = &source.file;
    let mut all = Vec::new();
    for members in groups(&file.target)? {
        add(&mut all, group(source, &members, env)?)?;
    }
    for (at, table) in file.stored.iter().enumerate() {
        let on = table.on.iter().flatten().map(|on| on.0.clone());
        let fallback = Fallback::stored(table.age.0).named(&table.name.0.0).on(on);
        add(&mut all, local(fallback, FallbackKind::Stored, &table.name, format!("stored[{at}]")))?;
    }
    for (at, table) in file.canned.iter().enumerate() {
        let on = table.on.iter().flatten().map(|on| on.0.clone());
        let fallback = Fallback::canned(&table.text.0.0).named(&table.name.0.0).on(on);
        add(&mut all, local(fallback, FallbackKind::Canned, &table.name, format!("canned[{at}]")))?;
    }
    Ok(all)
}

fn local(
    fallback: Fallback,
    kind: FallbackKind,
    name: &Parsed<Name>,
    path: String,
) -> NamedFallback {
    NamedFallback { fallback, kind, name: name.0.0.clone(), targets: Vec::new(), path }
}

/// Adds a fallback with a name of its own.
fn add(all: &mut Vec<NamedFallback>, fallback: NamedFallback) -> Result<(), ConfigError> {
    let twin = all.iter().any(|other| other.name == fallback.name);
    if twin || fallback.name == PRIMARY {
        return Err(taken(&fallback.name, &fallback.path));
    }
    all.push(fallback);
    Ok(())
}

fn taken(name: &str, path: &str) -> ConfigError {
    let what = format!("is {name:?}, which another has; allowed is a name of its own");
    ConfigError::because(format!("{path}.name"), what)
}

/// The targets with their positions, those of a group together, in the order of the first of each.
fn groups(targets: &[TargetTable]) -> Result<Vec<Vec<(usize, &TargetTable)>>, ConfigError> {
    let mut groups: Vec<Vec<(usize, &TargetTable)>> = Vec::new();
    for (at, table) in targets.iter().enumerate() {
        if targets[..at].iter().any(|other| other.name == table.name) {
            return Err(taken(&table.name.0.0, &format!("target[{at}]")));
        }
        let same = |group: &&mut Vec<(usize, &TargetTable)>| {
            table.group.is_some() && group[0].1.group == table.group
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push((at, table)),
            None => groups.push(vec![(at, table)]),
        }
    }
    Ok(groups)
}

/// The fallback of one target, or of several that are equal.
fn group(
    source: &Source,
    members: &[(usize, &TargetTable)],
    env: Env<'_>,
) -> Result<NamedFallback, ConfigError> {
    let (first, table) = members[0];
    let path = format!("target[{first}]");
    let mut targets = Vec::new();
    for (nth, (at, table)) in members.iter().enumerate() {
        targets.push(target(table, format!("target[{at}]"), env)?);
        if nth > 0 {
            check_group_keys(source, *at)?;
        }
    }
    let name = table.group.as_ref().unwrap_or(&table.name).0.0.clone();
    let fallback = Fallback::targets(targets.iter().map(|it| it.target.clone())).named(&name);
    let fallback = configured(fallback, table, &path)?;
    Ok(NamedFallback { fallback, kind: FallbackKind::Target, name, targets, path })
}

/// Rejects the keys of a group at a target that is not its first.
fn check_group_keys(source: &Source, at: usize) -> Result<(), ConfigError> {
    let table = source.tree.get("target").and_then(|targets| targets.get(at));
    let is_set = |key: &&str| table.is_some_and(|table| table.get(*key).is_some());
    match GROUP_KEYS.iter().find(|key| is_set(key)) {
        Some(key) => Err(ConfigError::because(
            format!("target[{at}].{key}"),
            "is a key of the group; allowed is it at the first target of the group alone",
        )),
        None => Ok(()),
    }
}
