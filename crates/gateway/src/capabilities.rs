//! The keys of a `[[target]]` that hold for its whole group: what its targets can do, and how a request is edited for them.

use evenkeel::{
    dialect::{Dialect, Operation, Prefill},
    fallback::{Capabilities, Compatibility, Edit, Fallback},
};
use toml::Spanned;

use super::{config_location::ConfigSource, target_tables::TargetTable};

const DIALECTS: [(&str, Dialect); 5] = [
    ("openai-chat", Dialect::OpenAiChat),
    ("openai-responses", Dialect::OpenAiResponses),
    ("anthropic", Dialect::Anthropic),
    ("gemini", Dialect::Gemini),
    ("ollama", Dialect::Ollama),
];
const PREFILLS: [(&str, Prefill); 3] = [
    ("message", Prefill::Message),
    ("prefix", Prefill::Prefix),
    ("continue-final-message", Prefill::ContinueFinalMessage),
];

const OPERATIONS: [(&str, Operation); 8] = [
    ("chat", Operation::Chat),
    ("embeddings", Operation::Embeddings),
    ("images", Operation::Images),
    ("videos", Operation::Videos),
    ("audio", Operation::Audio),
    ("files", Operation::Files),
    ("batches", Operation::Batches),
    ("models", Operation::Models),
];

/// Applies the keys of the first target of a group.
pub(crate) fn apply(
    source: ConfigSource<'_>,
    table: &TargetTable,
    fallback: Fallback,
) -> Result<Fallback, String> {
    let on = |field: &Option<Spanned<bool>>, default| {
        field.as_ref().map_or(default, |set| *set.get_ref())
    };
    let mut offers = Capabilities::default()
        .tools(on(&table.tools, true))
        .vision(on(&table.vision, true))
        .json(on(&table.json, true));
    if let Some(context) = &table.context {
        offers = offers.context(source.at_least("context", context, 1)?);
    }
    if let Some(prefill) = &table.prefill {
        offers = offers.prefill(one_of(source, "prefill", prefill, &PREFILLS)?);
    }
    let mut taken = Vec::new();
    for name in table.operations.iter().flat_map(|names| names.get_ref()) {
        taken.push(one_of(source, "operations", name, &OPERATIONS)?);
    }
    let fallback = fallback.capabilities(offers).edit(edit(source, table)?).operations(taken);
    match &table.reserve {
        Some(reserve) => Ok(fallback.reserve(source.seconds("reserve", reserve, 86400.0)?)),
        None => Ok(fallback),
    }
}

fn edit(source: ConfigSource<'_>, table: &TargetTable) -> Result<Edit, String> {
    let on = |field: &Option<Spanned<bool>>| field.as_ref().is_some_and(|set| *set.get_ref());
    let mut edit = Edit::new();
    if let Some(most) = &table.max_tokens {
        edit = edit.max_tokens(source.at_least("max_tokens", most, 16)?);
    }
    if let Some(context) = &table.fit_context {
        edit = edit.fit_context(source.at_least("fit_context", context, 256)?);
    }
    for (from, to) in table.rename.iter().flat_map(|table| table.get_ref()) {
        edit = edit.rename(from, to);
    }
    for field in table.drop.iter().flat_map(|fields| fields.get_ref()) {
        edit = edit.drop(field);
    }
    for (field, value) in table.set.iter().flat_map(|table| table.get_ref()) {
        edit = edit.set(field, json(source, table.set.as_ref(), value)?);
    }
    edit = if on(&table.without_tools) { edit.without_tools() } else { edit };
    edit = if on(&table.without_images) { edit.without_images() } else { edit };
    Ok(if on(&table.unstreamed) { edit.unstreamed() } else { edit })
}

/// A value of the file as JSON, which has no dates and no infinite numbers.
fn json<T>(
    source: ConfigSource<'_>,
    at: Option<&Spanned<T>>,
    value: &toml::Value,
) -> Result<serde_json::Value, String> {
    serde_json::to_value(value).map_err(|_| {
        let what = "has a value that JSON does not have; allowed are texts, numbers, true, false, lists and tables";
        source.error_at(&at.map_or(0..0, Spanned::span), "set", what)
    })
}

/// The compatibility of a target.
pub(crate) fn compatibility(
    source: ConfigSource<'_>,
    name: &Spanned<String>,
) -> Result<Compatibility, String> {
    Compatibility::named(name.get_ref()).ok_or_else(|| {
        let known: Vec<_> = Compatibility::names().collect();
        let what = format!("is {:?}; allowed is one of {}", name.get_ref(), known.join(", "));
        source.error_at(&name.span(), "compatibility", &what)
    })
}

/// Refuses these keys at a target that is not the first of its group.
pub(crate) fn refuse(source: ConfigSource<'_>, table: &TargetTable) -> Result<(), String> {
    let set = [
        ("context", table.context.as_ref().map(Spanned::span)),
        ("tools", table.tools.as_ref().map(Spanned::span)),
        ("vision", table.vision.as_ref().map(Spanned::span)),
        ("json", table.json.as_ref().map(Spanned::span)),
        ("prefill", table.prefill.as_ref().map(Spanned::span)),
        ("max_tokens", table.max_tokens.as_ref().map(Spanned::span)),
        ("without_tools", table.without_tools.as_ref().map(Spanned::span)),
        ("without_images", table.without_images.as_ref().map(Spanned::span)),
        ("unstreamed", table.unstreamed.as_ref().map(Spanned::span)),
        ("fit_context", table.fit_context.as_ref().map(Spanned::span)),
        ("rename", table.rename.as_ref().map(Spanned::span)),
        ("drop", table.drop.as_ref().map(Spanned::span)),
        ("set", table.set.as_ref().map(Spanned::span)),
        ("reserve", table.reserve.as_ref().map(Spanned::span)),
        ("operations", table.operations.as_ref().map(Spanned::span)),
    ];
    match set.into_iter().find_map(|(field, at)| at.map(|at| (field, at))) {
        Some((field, at)) => {
            let what =
                "is a key of the group; allowed is it at the first target of the group alone";
            Err(source.error_at(&at, field, what))
        }
        None => Ok(()),
    }
}

pub(crate) fn dialect(source: ConfigSource<'_>, name: &Spanned<String>) -> Result<Dialect, String> {
    one_of(source, "dialect", name, &DIALECTS)
}

fn one_of<T: Copy>(
    source: ConfigSource<'_>,
    field: &str,
    name: &Spanned<String>,
    all: &[(&str, T)],
) -> Result<T, String> {
    let found = all.iter().find(|(known, _)| known == name.get_ref());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        let what = format!("is {:?}; allowed is one of {}", name.get_ref(), known.join(", "));
        source.error_at(&name.span(), field, &what)
    })
}
