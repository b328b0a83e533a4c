//! What tools are called, where they are declared and where they are chosen.

use super::spelled;
use crate::lazy_json::LazyJson;

/// A choice of tools, by what they are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolFilter {
    /// No tool.
    #[default]
    None,
    /// Those with one of these names, or of one of these types of the provider's own (`web_search`), in any version.
    Named(Vec<Box<str>>),
    /// All tools.
    All,
}

/// What one tool is called by its provider: a name that a business uses for it stands for all of them.
const SAME: [&[&str]; 2] = [
    &["web_search", "google_search", "google_search_retrieval"],
    &["code_interpreter", "code_execution"],
];
const DECLARATIONS: [&str; 2] = ["functionDeclarations", "function_declarations"];

// === impl ToolFilter ===

impl ToolFilter {
    /// Whether a tool of that name, or of that type of the provider's own, is one of them: `web_search` is
    /// `web_search_20250305` too.
    pub(super) fn has(&self, name: &str) -> bool {
        let Self::Named(names) = self else { return *self == Self::All };
        let snake = snake(name);
        let is = |known: &str| {
            let version = snake.strip_prefix(known).and_then(|rest| rest.strip_prefix('_'));
            known == snake || known == name || version.is_some_and(is_version)
        };
        names.iter().any(|known| {
            let same = SAME.iter().find(|same| same.contains(&&**known));
            is(known) || same.is_some_and(|same| same.iter().any(|other| is(other)))
        })
    }
}

/// Whether what follows a type is its version: `20250305`, `preview_2025_03_11`.
fn is_version(rest: &str) -> bool {
    let dated = rest.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    rest.starts_with("preview") || (dated && !rest.is_empty())
}

/// `googleSearch` → `google_search`.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// What a tool is called: its name, and its type where it is one of the provider's own.
pub(super) fn called(tool: &LazyJson<'_>) -> Vec<String> {
    let kind = tool.str_or_empty("type");
    if let Some(known) = ["function", "custom"].into_iter().find_map(|kind| tool.get(kind)) {
        return vec![known.str_or_empty("name")];
    }
    let name = tool.str_or_empty("name");
    if !name.is_empty() {
        return vec![name];
    }
    match kind.as_str() {
        "" => {}
        "mcp" => return vec![tool.str_or_empty("server_label")],
        kind => return vec![kind.into()],
    }
    called_by_fields(tool)
}

/// The same of Gemini: one object of all the functions, and a field for each tool of the provider's own.
fn called_by_fields(tool: &LazyJson<'_>) -> Vec<String> {
    let Some(fields) = tool
        .borrow()
        .fields()
        .map(|fields| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>())
    else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for field in fields {
        if DECLARATIONS.contains(&&*field) {
            let declared = tool.get(&field);
            names.extend(
                declared.iter().flat_map(|all| all.to_items()).map(|one| one.str_or_empty("name")),
            );
        } else {
            names.push(snake(&field));
        }
    }
    names
}

/// Takes those tools out of a declaration; tells whether nothing is left of it.
pub(super) fn undeclared(tool: &mut LazyJson<'_>, which: &ToolFilter) -> bool {
    let Some(name) = spelled(tool, DECLARATIONS) else {
        let fields = tool.str_or_empty("type").is_empty() && tool.str_or_empty("name").is_empty();
        if fields && tool.get("function").is_none() {
            if let Some(fields) = tool.fields() {
                fields.retain(|(name, _)| !which.has(name));
                return fields.is_empty();
            }
        }
        let names = called(tool);
        return names.iter().any(|name| which.has(name)) || *which == ToolFilter::All;
    };
    if let Some(declared) = tool.field(name).and_then(LazyJson::items) {
        declared.retain(|one| !which.has(&one.str_or_empty("name")));
    }
    let Some(fields) = tool.fields() else { return false };
    fields.retain(
        |(field, node)| {
            if field == name { !node.to_items().is_empty() } else { !which.has(field) }
        },
    );
    fields.is_empty()
}

/// Whether a choice names one of those tools, however deep.
pub(super) fn chooses(choice: &LazyJson<'_>, which: &ToolFilter) -> bool {
    let named = called(choice).iter().any(|name| which.has(name));
    let typed = which.has(&choice.str_or_empty("type"));
    let allowed = ["allowed_tools", "functionCallingConfig", "function_calling_config"];
    let inner = allowed.into_iter().filter_map(|name| choice.get(name));
    let lists = ["tools", "allowedFunctionNames", "allowed_function_names"];
    let listed = lists.into_iter().filter_map(|name| choice.get(name)).any(|list| {
        let one = |one: &LazyJson<'_>| {
            one.string().is_some_and(|name| which.has(&name)) || chooses(one, which)
        };
        list.to_items().iter().any(one)
    });
    (*which != ToolFilter::All && (named || typed))
        || listed
        || inner.into_iter().any(|inner| chooses(&inner, which))
}
