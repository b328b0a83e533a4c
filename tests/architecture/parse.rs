//! The definitions and imports of a source file.

use std::collections::BTreeSet;

use crate::source::{code, is_name};

/// A parsed file, with the origins of its names.
pub(crate) struct Source {
    pub(crate) file: String,
    /// The items that it defines, and the modules that it declares.
    pub(crate) items: BTreeSet<String>,
    pub(crate) modules: BTreeSet<String>,
    pub(crate) uses: Vec<Use>,
    /// The code outside of its imports.
    pub(crate) rest: String,
}

/// One path that a file imports.
pub(crate) struct Use {
    pub(crate) path: Vec<String>,
    /// The local name.
    pub(crate) name: String,
    pub(crate) public: bool,
}

const ITEMS: [&str; 9] =
    ["struct", "enum", "trait", "type", "const", "static", "fn", "union", "macro_rules"];

// === impl Source ===

impl Source {
    pub(crate) fn read(file: &str, text: &str) -> Self {
        let code = code(text);
        let (mut uses, mut rest) = (Vec::new(), String::new());
        for (at, statement) in statements(&code).into_iter().enumerate() {
            let line = without_attributes(statement);
            let public = line.starts_with("pub");
            match without_visibility(line).strip_prefix("use ") {
                Some(tree) => flatten(tree.trim_end_matches(';'), &[], public, &mut uses),
                None if at > 0 => rest.extend([" ", statement]),
                None => rest.push_str(statement),
            }
        }
        let (items, modules) = definitions(&rest);
        Self { file: file.to_owned(), items, modules, uses, rest }
    }

    /// The paths in its code.
    pub(crate) fn paths(&self) -> impl Iterator<Item = Vec<String>> {
        let begins = self.rest.match_indices("::").filter_map(|(at, _)| {
            let head = self.rest[..at].trim_end_matches(is_name).len();
            // Neither in the middle of a path nor in a visibility.
            let begins = head < at && !self.rest[..head].ends_with([':'].as_slice());
            (begins && !self.rest[..head].ends_with("pub(in ")).then_some(head)
        });
        let starts =
            |name: &str| ["crate", "self", "super"].contains(&name) || self.modules.contains(name);
        begins.filter_map(move |at| {
            let path: Vec<String> = path_at(&self.rest[at..]);
            starts(&path[0]).then_some(path)
        })
    }
}

fn path_at(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !is_name(c) && c != ':').unwrap_or(text.len());
    text[..end].split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The statements and items of a file, each with its attributes.
fn statements(code: &str) -> Vec<&str> {
    let (mut found, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (at, c) in code.char_indices() {
        depth += match c {
            '{' | '(' | '[' => 1,
            '}' | ')' | ']' => -1,
            _ => 0,
        };
        if depth == 0 && (c == ';' || c == '}') {
            // A `;` follows the braces of an import.
            if c == '}' && code[at + 1..].starts_with(';') {
                continue;
            }
            found.push(code[from..=at].trim());
            from = at + 1;
        }
    }
    found
}

fn without_attributes(mut statement: &str) -> &str {
    while let Some(attribute) = statement.strip_prefix("#[").or(statement.strip_prefix("#![")) {
        statement = attribute.split_once(']').map_or("", |(_, rest)| rest).trim_start();
    }
    statement
}

fn without_visibility(statement: &str) -> &str {
    match statement.strip_prefix("pub(") {
        Some(inside) => inside.split_once(") ").map_or("", |(_, rest)| rest),
        None => statement.strip_prefix("pub ").unwrap_or(statement),
    }
}

/// The items that the file defines, and the modules that it declares, including structures that a macro defines.
fn definitions(rest: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut items, mut modules) = (BTreeSet::new(), BTreeSet::new());
    for statement in statements(rest) {
        if statement.starts_with("#[cfg(test)]") {
            continue;
        }
        let line = without_visibility(without_attributes(statement));
        if let Some(inside) = line.strip_prefix("pin_project! {") {
            items.extend(definitions(inside.trim_end_matches('}')).0);
            continue;
        }
        let mut words = line.split(|c: char| !is_name(c)).filter(|word| !word.is_empty());
        let kind = words.find(|word| ITEMS.contains(word) || ["mod", "impl", "use"].contains(word));
        let name = words.find(|word| !ITEMS.contains(word)).unwrap_or_default().to_owned();
        match kind {
            Some("mod") => drop(modules.insert(name)),
            Some(kind) if ITEMS.contains(&kind) => drop(items.insert(name)),
            _ => {}
        }
    }
    (items, modules)
}

/// Splits an import into its paths.
fn flatten(tree: &str, above: &[String], public: bool, found: &mut Vec<Use>) {
    let tree = tree.trim();
    if let Some(group) = tree.strip_prefix('{') {
        let group = group.trim_end().strip_suffix('}').expect("a group ends");
        let (mut depth, mut from) = (0_i32, 0);
        for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if c == ',' && depth == 0 {
                if !group[from..at].trim().is_empty() {
                    flatten(&group[from..at], above, public, found);
                }
                from = at + 1;
            }
        }
        return;
    }
    let (head, rest) =
        tree.split_once("::").map_or((tree, None), |(head, rest)| (head, Some(rest)));
    if let Some(rest) = rest {
        // A path that starts with `::` is of another crate.
        let head = if head.is_empty() { "::" } else { head };
        return flatten(rest, &[above, &[head.to_owned()]].concat(), public, found);
    }
    let (own, name) = head.split_once(" as ").unwrap_or((head, head));
    let mut path = above.to_vec();
    if own != "self" {
        path.push(own.trim().to_owned());
    }
    let name = if name == "self" {
        path.last().cloned().unwrap_or_default()
    } else {
        name.trim().to_owned()
    };
    found.push(Use { path, name, public });
}
