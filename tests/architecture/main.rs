//! The law of floors: a module imports from floors below its own only, layers never import one another, and there is no cycle,
//! neither between modules nor between files.
//!
//! The imports are read from the sources, without tests and comments. What breaks the law still stands in [`OWED`] and
//! [`OWED_FILES`]: the lists may get shorter and not longer, and one that is paid has to go from its list.

mod files;
mod parse;
mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::source::{code, is_name, sources};

const FLOORS: [&[&str]; 3] = [
    &[
        "attempt_log",
        "availability",
        "budget",
        "context",
        "dialect",
        "error",
        "hash",
        "identity",
        "keyed_state",
        "latency",
        "outcome",
        "route",
        "stream",
        "sync",
        "target",
        "telemetry",
        "time",
        "upstream",
    ],
    &["balance", "breaker", "cache", "classify", "fallback", "hedge", "limit", "retry", "timeout"],
    &["adapter", "client", "guide", "profile", "stack", "testkit"],
];

/// What breaks the law: who imports whom.
const OWED: [(&str, &str); 5] = [
    // Layers among themselves.
    ("limit", "breaker"),
    // What closes a cycle on the ground floor.
    ("dialect", "stream"),
    ("dialect", "upstream"),
    ("outcome", "error"),
    ("outcome", "upstream"),
];

/// The files that still import each other.
const OWED_FILES: [&str; 84] = [
    // The languages, their outcomes and their readers, and what is made of an error and a body of theirs.
    "cache/answer_summary.rs",
    "cache/answer_summary/read.rs",
    "dialect/anthropic/follow.rs",
    "dialect/anthropic/message.rs",
    "dialect/anthropic/mod.rs",
    "dialect/anthropic/render.rs",
    "dialect/effects.rs",
    "dialect/follower.rs",
    "dialect/gemini/chunk.rs",
    "dialect/gemini/follow.rs",
    "dialect/gemini/mod.rs",
    "dialect/gemini/place.rs",
    "dialect/gemini/render.rs",
    "dialect/mod.rs",
    "dialect/ollama/follow.rs",
    "dialect/ollama/line.rs",
    "dialect/ollama/mod.rs",
    "dialect/ollama/render.rs",
    "dialect/openai_chat/chunk.rs",
    "dialect/openai_chat/mod.rs",
    "dialect/openai_chat/render.rs",
    "dialect/openai_chat/whole.rs",
    "dialect/openai_responses/follow.rs",
    "dialect/openai_responses/mod.rs",
    "dialect/openai_responses/render.rs",
    "dialect/openai_responses/response.rs",
    "dialect/operation.rs",
    "dialect/progress.rs",
    "dialect/reply.rs",
    "dialect/request_info.rs",
    "dialect/restream/anthropic.rs",
    "dialect/restream/gemini.rs",
    "dialect/restream/mod.rs",
    "dialect/restream/ollama.rs",
    "dialect/restream/openai_chat.rs",
    "dialect/restream/openai_responses.rs",
    "dialect/said.rs",
    "dialect/tree.rs",
    "dialect/tree/parts.rs",
    "dialect/whole.rs",
    "error.rs",
    "outcome/classify.rs",
    "outcome/codes.rs",
    "outcome/codes/table.rs",
    "outcome/head.rs",
    "outcome/local.rs",
    "outcome/message_patterns.rs",
    "outcome/mod.rs",
    "outcome/said.rs",
    "outcome/verdict.rs",
    "stream/body.rs",
    "stream/body_end.rs",
    "stream/monitor.rs",
    "stream/monitored.rs",
    "stream/tap.rs",
    "upstream.rs",
    // The limits.
    "limit/cooldown.rs",
    "limit/gate.rs",
    "limit/gate/report.rs",
    "limit/headers.rs",
    "limit/limiter.rs",
    "limit/policy.rs",
    "limit/queued.rs",
    "limit/quota.rs",
    "limit/quotas.rs",
    "limit/rate_limit_info.rs",
    "limit/service.rs",
    "limit/slots.rs",
    // The testkit.
    "testkit/incident/built_in.rs",
    "testkit/incident/file.rs",
    "testkit/incident/policy.rs",
    "testkit/incident/schedule.rs",
    "testkit/provider/flight.rs",
    "testkit/provider/line.rs",
    "testkit/provider/prefill.rs",
    "testkit/provider/state.rs",
    "testkit/reply/answer.rs",
    "testkit/reply/chat.rs",
    "testkit/reply/messages.rs",
    "testkit/reply/plan.rs",
    "testkit/reply/policy.rs",
    "testkit/reply/responses.rs",
    "testkit/scenario/play.rs",
    "testkit/scenario/tally.rs",
];

type Imports = BTreeMap<String, BTreeSet<String>>;

fn floor(module: &str) -> usize {
    let floor = FLOORS.iter().position(|floor| floor.contains(&module));
    floor.unwrap_or_else(|| panic!("{module} has no floor: give it one in FLOORS"))
}

/// The first names behind each `crate::`.
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

/// The modules that each module imports.
fn imports() -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(root.join("lib.rs")).expect("the library has a root");
    let lib = code(&lib);
    // What the root exports again belongs to the module that it comes from.
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

/// Whether somebody can come from one module to the other by imports.
fn leads(imports: &Imports, (from, to): (&str, &str)) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        for to in imports.get(module).into_iter().flatten() {
            if seen.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    seen.contains(to)
}

#[test]
fn nobody_imports_from_a_floor_above_and_no_layer_imports_a_layer() {
    let imports = imports();
    let breaks = |(from, to): &(&str, &str)| {
        let (from, to) = (floor(from), floor(to));
        to > from || (from == 1 && to == 1)
    };
    let found: BTreeSet<_> = pairs(&imports).filter(breaks).collect();
    let owed: BTreeSet<_> = OWED.iter().copied().filter(breaks).collect();
    assert_eq!(found, owed, "left: what breaks the law, right: what is known to");
}

#[test]
fn there_is_no_cycle() {
    let mut imports = imports();
    for (from, to) in OWED {
        let there = imports.get_mut(from).is_some_and(|all| all.remove(to));
        assert!(there, "{from} imports {to} no longer: take it from OWED");
    }
    let cycle = |(from, to): &(&str, &str)| leads(&imports, (to, from));
    let found: Vec<_> = pairs(&imports).filter(cycle).collect();
    assert!(found.is_empty(), "imports that close a cycle: {found:?}");
}

#[test]
fn there_is_no_cycle_between_files() {
    let tree = files::Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let imports = tree.imports();
    let cycles = files::cycles(&imports);
    println!("{} cycles: {cycles:#?}", cycles.len());
    let found: BTreeSet<_> = cycles.into_iter().flatten().collect();
    let owed = BTreeSet::from(OWED_FILES);
    let news: Vec<_> = found.difference(&owed).collect();
    assert!(news.is_empty(), "files that import each other, from one to the next: {news:?}");
    let paid: Vec<_> = owed.difference(&found).collect();
    assert!(paid.is_empty(), "no longer in a cycle: take them from OWED_FILES: {paid:?}");
}

#[test]
fn imports_are_read_as_they_are_written() {
    let code =
        code("use crate::{Error, a::{b, c}, d};\n// crate::no\nlet x = crate::e::f(a_crate::g());");
    assert_eq!(names(&code), ["Error", "a", "d", "e"]);
}
