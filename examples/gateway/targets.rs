//! The rungs that the file names: targets and canned replies.

use evenkeel::ladder::{Offers, Rung, Target};
use http::{HeaderName, Uri};
use serde::Deserialize;
use toml::Spanned;

use super::place::Source;

/// A `[[target]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetTable {
    name: Spanned<String>,
    base_url: Option<Spanned<String>>,
    model: Option<Spanned<String>>,
    key_env: Option<Spanned<String>>,
    key_header: Option<Spanned<String>>,
    context: Option<u64>,
    tools: Option<bool>,
    reserve: Option<Spanned<f64>>,
}

/// A `[[canned]]`: a reply that cannot fail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CannedTable {
    name: Spanned<String>,
    text: Spanned<String>,
}

/// One rung of the ladder, checked.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) rung: Rung,
    /// What a target is, where the rung is one, and the origin that it stands at.
    pub(crate) target: Option<(Target, Option<Uri>)>,
    pub(crate) name: String,
    /// Where it stands in the file.
    pub(crate) at: std::ops::Range<usize>,
}

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The rungs in the order of `ladder`; without it, in that of the file, the canned reply last.
pub(crate) fn steps(
    source: Source<'_>,
    (targets, canned): (&[Spanned<TargetTable>], &[Spanned<CannedTable>]),
    ladder: Option<&Spanned<Vec<Spanned<String>>>>,
    env: Env<'_>,
) -> Result<Vec<Step>, String> {
    let mut all: Vec<Step> = Vec::new();
    let targets = targets.iter().map(|table| (&table.get_ref().name, target(source, table, env)));
    let canned = canned.iter().map(|table| (&table.get_ref().name, reply(source, table)));
    for (name, step) in targets.chain(canned) {
        if all.iter().any(|step| step.name == *name.get_ref()) {
            let what =
                format!("is {:?}, which another has; allowed is a name of its own", name.get_ref());
            return Err(source.wrong(&name.span(), "name", &what));
        }
        all.push(step?);
    }
    let ordered = match ladder {
        None => all,
        Some(names) => {
            let find = |name: &Spanned<String>| {
                let found = all.iter().find(|step| step.name == *name.get_ref());
                found.cloned().ok_or_else(|| {
                    let known: Vec<_> = all.iter().map(|step| step.name.as_str()).collect();
                    let what = format!(
                        "is {:?}; allowed are the names of targets and canned replies: {}",
                        name.get_ref(),
                        known.join(", ")
                    );
                    source.wrong(&name.span(), "ladder", &what)
                })
            };
            names.get_ref().iter().map(find).collect::<Result<_, _>>()?
        }
    };
    let lost = ordered.iter().rev().skip(1).find(|step| step.target.is_none());
    match lost {
        Some(step) => Err(source.wrong(
            &ladder.map_or(step.at.clone(), Spanned::span),
            "ladder",
            &format!("is with {:?} before others; allowed is a canned reply only as the last: it never fails", step.name),
        )),
        None => Ok(ordered),
    }
}

fn target(source: Source<'_>, table: &Spanned<TargetTable>, env: Env<'_>) -> Result<Step, String> {
    let at = table.span();
    let table = table.get_ref();
    let name = named(source, &table.name)?;
    let base = table.base_url.as_ref().map(|base| base_url(source, base)).transpose()?;
    let mut target = match &table.base_url {
        Some(base) => Target::new(base.get_ref()),
        None => Target::here(),
    };
    if let Some(model) = &table.model {
        filled(source, "model", model)?;
        target = target.model(model.get_ref());
    }
    if let Some(key) = key(source, table, env)? {
        target = match key_header(source, table)? {
            None => target.bearer(&key),
            Some(header) => target.credential(header, &key),
        };
    }
    if table.base_url.is_none() && table.model.is_none() && table.key_env.is_none() {
        let what =
            "is another name for the upstream; allowed is a target with base_url, model or key_env";
        return Err(source.wrong(&at, "target", what));
    }
    let offers = Offers::default().tools(table.tools.unwrap_or(true));
    let offers = table.context.into_iter().fold(offers, Offers::context);
    let mut rung = Rung::target(target.clone()).named(&name).offers(offers);
    if let Some(reserve) = &table.reserve {
        let seconds = *reserve.get_ref();
        if !(0.001..=86400.0).contains(&seconds) {
            let what = format!("is {seconds}; allowed is a number of seconds from 0.001 to 86400");
            return Err(source.wrong(&reserve.span(), "reserve", &what));
        }
        rung = rung.reserve(std::time::Duration::from_secs_f64(seconds));
    }
    Ok(Step { rung, target: Some((target, base)), name, at })
}

fn reply(source: Source<'_>, table: &Spanned<CannedTable>) -> Result<Step, String> {
    let at = table.span();
    let name = named(source, &table.get_ref().name)?;
    filled(source, "text", &table.get_ref().text)?;
    let rung = Rung::canned(table.get_ref().text.get_ref()).named(&name);
    Ok(Step { rung, target: None, name, at })
}

/// The key in the variable of the environment that the file names. Neither is ever shown unless it is sure to be a name.
fn key(source: Source<'_>, table: &TargetTable, env: Env<'_>) -> Result<Option<String>, String> {
    let Some(variable) = &table.key_env else { return Ok(None) };
    let name = variable.get_ref();
    let is_name = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    let wrong = |what: &str| source.wrong(&variable.span(), "key_env", what);
    if !is_name {
        return Err(wrong(
            "is not shown here, as it may be a key; allowed is the name of a variable of the environment, such as MISTRAL_API_KEY",
        ));
    }
    match env(name) {
        Some(key) if !key.trim().is_empty() => {
            let key = key.trim();
            let sendable = key.bytes().all(|b| (0x20..0x7f).contains(&b));
            let what = format!(
                "is {name}, whose value cannot be sent in a header; allowed is visible ASCII"
            );
            if sendable { Ok(Some(key.to_owned())) } else { Err(wrong(&what)) }
        }
        _ => Err(wrong(&format!(
            "is {name}, which is not set; allowed is a variable of the environment that holds the key"
        ))),
    }
}

fn key_header(source: Source<'_>, table: &TargetTable) -> Result<Option<HeaderName>, String> {
    let Some(header) = &table.key_header else { return Ok(None) };
    let name = header.get_ref();
    if name.eq_ignore_ascii_case("authorization") {
        return Ok(None);
    }
    let read = name.parse().map_err(|_| {
        source.wrong(
            &header.span(),
            "key_header",
            "is no name of a header; allowed is one such as x-api-key",
        )
    });
    read.map(Some)
}

/// The origin of a base URL that may have a path.
fn base_url(source: Source<'_>, base: &Spanned<String>) -> Result<Uri, String> {
    let allowed = "allowed is a URL such as https://api.mistral.ai/v1, without a user and a query";
    let wrong = |what: &str| source.wrong(&base.span(), "base_url", &format!("{what}; {allowed}"));
    let text = base.get_ref();
    let uri: Uri = text.parse().map_err(|_| wrong("is no URL"))?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') || uri.query().is_some() || text.contains('#') {
        return Err(wrong("has a user or a query, where keys travel"));
    }
    let behind = authority.rsplit(']').next().unwrap_or(authority);
    let odd = behind.contains(':') && uri.port_u16().is_none_or(|port| port == 0);
    if !matches!(uri.scheme_str(), Some("http" | "https"))
        || uri.host().is_none_or(str::is_empty)
        || odd
    {
        return Err(wrong("has no http:// or https://, no host, or a port that is none"));
    }
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|_| wrong("is no URL"))
}

fn named(source: Source<'_>, name: &Spanned<String>) -> Result<String, String> {
    let text = name.get_ref();
    let plain = |b: u8| b.is_ascii_graphic() && b != b',';
    if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
        let what =
            "is no name; allowed are 1 to 64 visible ASCII characters without blanks and commas";
        return Err(source.wrong(&name.span(), "name", what));
    }
    Ok(text.clone())
}

fn filled(source: Source<'_>, field: &str, text: &Spanned<String>) -> Result<(), String> {
    match text.get_ref().trim() {
        "" => Err(source.wrong(&text.span(), field, "is blank; allowed is text")),
        _ => Ok(()),
    }
}
