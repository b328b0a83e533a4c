//! Checks the floors: a module imports only from floors below its own, layers never import one another, and there is no cycle,
//! neither between modules nor between files.
//!
//! The imports are read from the sources, without tests and comments.

mod files;
mod parse;
mod source;

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    files::Imports,
    source::{code, is_name, sources},
};

const FLOORS: [&[&str]; 3] = [
    &[
        "attempt_log",
        "availability",
        "budget",
        "circuit_state",
        "cold_start",
        "coding",
        "compatibility",
        "context",
        "dialect",
        "error",
        "fault_kind",
        "hash",
        "identity",
        "latency",
        "outcome",
        "provenance",
        "response_ext",
        "route",
        "route_state",
        "served_by",
        "stream",
        "sync",
        "target",
        "telemetry",
        "time",
        "upstream",
    ],
    &[
        "amend",
        "balance",
        "breaker",
        "cache",
        "chaos",
        "classify",
        "credentials",
        "fallback",
        "hedge",
        "limit",
        "no_chaos",
        "reasoning",
        "retry",
        "timeout",
    ],
    &[
        "adapter",
        "call",
        "call_options",
        "client",
        "config",
        "guide",
        "into_call",
        "profile",
        "rehearsal",
        "stack",
    ],
];

/// The sources of the library and of each crate beside it.
const FOLDERS: [&str; 4] =
    ["src", "crates/dialect/src", "crates/testkit/src", "crates/gateway/src"];

fn floor(module: &str) -> usize {
    let floor = FLOORS.iter().position(|floor| floor.contains(&module));
    floor.unwrap_or_else(|| panic!("{module} has no floor: give it one in FLOORS"))
}

/// The first name after each `crate::`.
fn names(code: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| is_name(*c)).collect();
    let mut found = Vec::new();
    let whole = |(at, _): &(usize, &str)| !code[..*at].ends_with(is_name);
    for (at, path) in code.match_indices("crate::").filter(whole) {
        let rest = &code[at + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push(name(rest));
            continue;
        };
        let (mut depth, mut begins) = (1, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => begins = true,
                c if depth == 1 && begins && !c.is_whitespace() => {
                    found.push(name(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// The modules that each module of a crate imports; `folder` holds its sources.
fn imports(folder: &str) -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let lib = fs::read_to_string(root.join("lib.rs")).expect("the library has a root");
    let lib = code(&lib);
    // A re-export of the root belongs to the module that defines the item.
    let homes: BTreeMap<String, String> = lib
        .split("pub use ")
        .skip(1)
        .filter_map(|export| export.split(';').next()?.split_once("::"))
        .flat_map(|(home, names)| {
            let names = names.trim_matches(['{', '}']).split(',');
            names.map(|name| (name.trim().to_owned(), home.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut imports = Imports::new();
    for file in files {
        let inside = file.strip_prefix(&root).expect("it was found there");
        let first = inside.components().next().expect("a file has a name").as_os_str();
        let module = first.to_string_lossy().trim_end_matches(".rs").to_owned();
        if module == "lib" {
            continue;
        }
        let source = fs::read_to_string(&file).expect("a source can be read");
        for name in names(&code(&source)) {
            let name = homes.get(&name).cloned().unwrap_or(name);
            if name != module {
                imports.entry(module.clone()).or_default().insert(name);
            }
        }
    }
    imports
}

fn pairs(imports: &Imports) -> impl Iterator<Item = (&str, &str)> {
    imports.iter().flat_map(|(from, to)| to.iter().map(|to| (from.as_str(), to.as_str())))
}

#[test]
fn nobody_imports_from_a_floor_above_and_no_layer_imports_a_layer() {
    let imports = imports("src");
    let breaks = |(from, to): &(&str, &str)| {
        let (from, to) = (floor(from), floor(to));
        to > from || (from == 1 && to == 1)
    };
    let found: Vec<_> = pairs(&imports).filter(breaks).collect();
    assert_eq!(found, [], "imports from above, or of a layer by a layer");
}

#[test]
fn there_is_no_cycle() {
    assert_eq!(files::cycles(&imports("src")), [], "modules that import each other");
}

#[test]
fn there_is_no_cycle_in_the_dialect_crate() {
    assert_eq!(files::cycles(&imports("crates/dialect/src")), [], "modules that import each other");
}

#[test]
fn there_is_no_cycle_between_files() {
    for folder in FOLDERS {
        let tree = files::Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        let imports = tree.imports();
        assert_eq!(files::cycles(&imports), [], "files of {folder} that import each other");
    }
}

#[test]
fn imports_are_read_as_they_are_written() {
    let code =
        code("use crate::{Error, a::{b, c}, d};\n// crate::no\nlet x = crate::e::f(a_crate::g());");
    assert_eq!(names(&code), ["Error", "a", "d", "e"]);
}
