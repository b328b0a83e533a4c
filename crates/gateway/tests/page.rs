//! The operator's page as files: nothing from elsewhere, nothing inline, every name in it exists. Its pure functions are
//! tested by `page/page.test.mjs`, where there is a Node.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/admin/page");

/// The name of the namespace of SVG is not an address that is asked.
const SVG: &str = "http://www.w3.org/2000/svg";

fn files(extension: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(PAGE).expect("the page is in the repository");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|it| it == extension));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("it is text");
        (path, text)
    };
    let files: Vec<_> = paths.map(read).collect();
    assert!(!files.is_empty(), "{extension}");
    files
}

fn html() -> String {
    fs::read_to_string(Path::new(PAGE).join("index.html")).expect("the page is in the repository")
}

/// What stands between `before` and `after`, wherever it does.
fn between<'a>(text: &'a str, before: &str, after: char) -> Vec<&'a str> {
    let rest = text.split(before).skip(1);
    rest.filter_map(|rest| rest.split_once(after)).map(|(found, _)| found).collect()
}

fn all() -> Vec<(PathBuf, String)> {
    ["html", "css", "js", "svg"].into_iter().flat_map(files).collect()
}

#[test]
fn nothing_is_asked_of_another_host() {
    for (path, text) in all() {
        let text = text.replace(SVG, "");
        for address in ["http:", "https:", "ws:", "wss:", "\"//", "'//", "(//", "@import", "data:"]
        {
            assert!(!text.contains(address), "{}: {address}", path.display());
        }
    }
}

#[test]
fn nothing_is_inline_and_no_text_becomes_markup() {
    let html = html();
    assert!(!html.contains("<style"), "a style");
    assert_eq!(html.matches("<script").count(), 1);
    assert!(html.contains("<script type=\"module\" src=\"/page.js\"></script>"));
    let attributes = html.split('<').flat_map(|tag| tag.split_whitespace().skip(1));
    for attribute in attributes.filter(|it| it.contains('=')) {
        assert!(!attribute.starts_with("on") && !attribute.starts_with("style="), "{attribute}");
    }
    let forbidden = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "srcdoc",
        "DOMParser",
        "createContextualFragment",
        "setHTML",
        "window.confirm",
        "alert(",
    ];
    for (path, text) in files("js") {
        for name in forbidden {
            assert!(!text.contains(name), "{}: {name}", path.display());
        }
    }
}

#[test]
fn every_identifier_exists_once() {
    let html = html();
    let ids = between(&html, " id=\"", '"');
    let unique: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "one is there twice: {ids:?}");
    let scripts: String = files("js").into_iter().map(|(_, text)| text).collect();
    let mut used = between(&scripts, "byId(\"", '"');
    // `keys.js` goes to the heading of a part.
    let parts = between(&scripts, "go(\"", '"');
    let headings: Vec<_> = parts.iter().map(|part| format!("{part}-heading")).collect();
    used.extend(headings.iter().map(String::as_str));
    for attribute in [" for=\"", "aria-labelledby=\"", "aria-describedby=\"", "href=\"#"] {
        used.extend(between(&html, attribute, '"'));
    }
    assert!(used.len() > 40, "{used:?}");
    for id in used {
        assert!(unique.contains(id), "{id}");
    }
}

#[test]
fn every_file_that_is_named_exists_and_none_is_left_over() {
    let html = html();
    let mut named: BTreeSet<String> = BTreeSet::from(["index.html".to_owned()]);
    for attribute in [" src=\"/", " href=\"/"] {
        named.extend(between(&html, attribute, '"').into_iter().map(str::to_owned));
    }
    for (_, text) in files("js") {
        named.extend(between(&text, "from \"./", '"').into_iter().map(str::to_owned));
    }
    let there =
        all().into_iter().filter_map(|(path, _)| Some(path.file_name()?.to_str()?.to_owned()));
    assert_eq!(named, there.collect());
}

#[test]
fn the_pure_functions_of_the_page_give_what_they_should() {
    let node = Command::new("node").arg("--version").stdin(Stdio::null()).output();
    let Ok(version) = node else {
        println!("skipped: there is no node");
        return;
    };
    // `node:test` and its globals are in 18 and later.
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|it| it.parse().ok());
    if major.is_none_or(|major: u32| major < 18) {
        println!("skipped: node is {version}");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page/page.test.mjs");
    let run = Command::new("node")
        .args(["--test", script])
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let report = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{report}");
    assert!(report.contains("# pass ") || report.contains("ℹ pass "), "{report}");
}
