//! The imports of files, resolved to the file that defines each name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{
    parse::{Source, Use},
    source::{is_name, sources},
};

/// The names of the modules from the root to a module.
type Module = Vec<String>;

/// The files, or modules, that each one imports from.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// All modules of the library.
pub(crate) struct Tree(BTreeMap<Module, Source>);

/// The item that a path resolves to.
#[derive(Clone, PartialEq)]
enum Found {
    Module(Module),
    ItemOf(Module),
}

/// The largest number of re-exports that are followed one after the other.
const MAX_STEPS: u32 = 16;

// === impl Tree ===

impl Tree {
    pub(crate) fn read(root: &Path) -> Self {
        let mut files = Vec::new();
        sources(root, &mut files);
        let mut tree = BTreeMap::new();
        for file in &files {
            let name = file.strip_prefix(root).expect("it was found there").to_string_lossy();
            let text = fs::read_to_string(file).expect("a source can be read");
            tree.insert(module_of(&name), Source::read(&name, &text));
        }
        // Modules that only tests declare are test modules.
        let tests: Vec<Module> =
            tree.keys().filter(|it| !is_declared(&tree, it)).cloned().collect();
        tests.iter().for_each(|module| drop(tree.remove(module)));
        Self(tree)
    }

    /// The files that each file imports from. A re-export counts for the file that defines the item.
    pub(crate) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (module, source) in &self.0 {
            let used = |it: &&Use| !it.public || contains(&source.rest, &it.name);
            let paths = source.uses.iter().filter(used).map(|it| it.path.clone());
            for path in paths.chain(source.paths()) {
                let found = self.resolve(module, &path, 0);
                let Some(Found::Module(to) | Found::ItemOf(to)) = found else { continue };
                if to != *module {
                    imports
                        .entry(source.file.clone())
                        .or_default()
                        .insert(self.0[&to].file.clone());
                }
            }
        }
        imports
    }

    /// The item that a path in a module resolves to; `None` for an item of another crate.
    fn resolve(&self, module: &[String], path: &[String], steps: u32) -> Option<Found> {
        let mut rest = path;
        let mut at = match path.first()?.as_str() {
            "crate" => Found::Module(Module::new()),
            "self" => Found::Module(module.to_vec()),
            "super" => {
                let up = path.iter().take_while(|name| *name == "super").count();
                rest = &path[up - 1..];
                Found::Module(module[..module.len().checked_sub(up)?].to_vec())
            }
            name => self.member(module, name, steps)?,
        };
        for name in &rest[1..] {
            let Found::Module(inside) = &at else { break };
            if name == "*" {
                break;
            }
            at = self.member(inside, name, steps)?;
        }
        Some(at)
    }

    /// The item that a name in a module resolves to.
    fn member(&self, module: &[String], name: &str, steps: u32) -> Option<Found> {
        let source = self.0.get(module)?;
        if source.modules.contains(name) {
            return Some(Found::Module([module, &[name.to_owned()]].concat()))
                .filter(|it| matches!(it, Found::Module(inside) if self.0.contains_key(inside)));
        }
        if source.items.contains(name) {
            return Some(Found::ItemOf(module.to_vec()));
        }
        if steps == MAX_STEPS {
            return None;
        }
        let resolve = |it: &Use| self.resolve(module, &it.path, steps + 1);
        let named = source.uses.iter().filter(|it| it.name == name && it.path[0] != name);
        let all = source.uses.iter().filter(|it| it.name == "*").filter_map(resolve);
        let mut in_all = all.filter_map(|it| match it {
            Found::Module(inside) if inside != module => self.member(&inside, name, steps + 1),
            _ => None,
        });
        named.filter_map(resolve).next().or_else(|| in_all.next())
    }
}

/// Whether the parent module declares it outside of its tests.
fn is_declared(tree: &BTreeMap<Module, Source>, module: &Module) -> bool {
    let Some((name, above)) = module.split_last() else { return true };
    tree.get(above).is_some_and(|above| above.modules.contains(name))
}

fn module_of(file: &str) -> Module {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if ["lib", "main"].contains(&path) {
        Module::new()
    } else {
        path.split('/').map(str::to_owned).collect()
    }
}

fn contains(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(is_name) && !code[at + name.len()..].starts_with(is_name)
    })
}

/// The groups of files that import each other in a cycle.
pub(crate) fn cycles(imports: &Imports) -> Vec<BTreeSet<&str>> {
    let from: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (file.as_str(), reached(imports, file))).collect();
    let mut groups = Vec::new();
    for (file, reached) in &from {
        let leads_back = |other: &&&str| from.get(*other).is_some_and(|it| it.contains(file));
        let group: BTreeSet<&str> = reached.iter().filter(leads_back).copied().collect();
        if group.contains(file) && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// The files that a file imports, directly or indirectly.
fn reached<'a>(imports: &'a Imports, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        let further = imports.get(file).into_iter().flatten().map(String::as_str);
        next.extend(further.filter(|to| seen.insert(*to)));
    }
    seen
}

#[test]
fn a_path_is_followed_to_the_file_that_defines_its_end() {
    let source = |file: &str, text: &str| (module_of(file), Source::read(file, text));
    let tree = Tree(BTreeMap::from([
        source("lib.rs", "mod a;\nmod d;\npub use a::B;"),
        source("a/mod.rs", "mod b;\nmod c;\npub(crate) use b::{B, f as g};\nuse c::C;"),
        source("a/b.rs", "use super::c::{self, C};\npub struct B(C);\npub fn f() { c::h() }"),
        source(
            "a/c.rs",
            "pin_project! {\n    pub struct C { x: u8 }\n}\nfn h() { let _ = crate::d::D; }",
        ),
        source("d.rs", "use std::fmt;\nuse crate::{B, a::{g, *}};\npub(crate) const D: u8 = 1;"),
    ]));
    let imports = tree.imports();
    let of = |file: &str| imports.get(file).into_iter().flatten().cloned().collect::<Vec<_>>();
    assert_eq!(of("a/mod.rs"), ["a/c.rs"], "what is only exported again is no import");
    assert_eq!(of("a/b.rs"), ["a/c.rs"]);
    assert_eq!(of("a/c.rs"), ["d.rs"]);
    assert_eq!(of("d.rs"), ["a/b.rs", "a/mod.rs"]);
    assert_eq!(cycles(&imports), [BTreeSet::from(["a/b.rs", "a/c.rs", "a/mod.rs", "d.rs"])]);
}
