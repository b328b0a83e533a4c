//! The source of a file without comments, string literals and tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All files of a folder that are not tests.
pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder of the sources is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match path.is_dir() {
            _ if name == "tests" => {}
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

/// A source without comments, string literals and tests.
pub(crate) fn code(source: &str) -> String {
    let tests = source.match_indices("#[cfg(test)]\nmod ").find(|(at, head)| {
        let rest = source[at + head.len()..].trim_start_matches(is_name);
        rest.starts_with(" {")
    });
    strip(&source[..tests.map_or(source.len(), |(at, _)| at)])
}

/// Whether a character is valid in a name.
pub(crate) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn strip(source: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(source.len()), source);
    while let Some(c) = rest.chars().next() {
        let raw = raw_end(rest, out.ends_with(is_name));
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(end) = raw {
            end
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' && is_char(rest) {
            quoted(rest, '\'')
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        rest = &rest[skipped..];
    }
    out
}

/// The length of a raw string, if one starts here.
fn raw_end(rest: &str, in_a_name: bool) -> Option<usize> {
    let hashes = rest.strip_prefix('r').filter(|_| !in_a_name)?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    let text = hashes[count..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(count));
    Some(1 + count + 1 + text.find(&close).map_or(text.len(), |end| end + close.len()))
}

/// The length of the quoted literal that starts here.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Whether a character literal starts here, and not a lifetime.
fn is_char(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    matches!((chars.next(), chars.next()), (Some('\\'), _) | (_, Some('\'')))
}

#[test]
fn comments_texts_and_tests_are_left_out() {
    let source =
        "a // b\n\"c // \\\" d\" 'e' '\\'' &'f r#\"g\"h\"# /* i */ j\n#[cfg(test)]\nmod k {\n l }";
    assert_eq!(code(source).split_whitespace().collect::<Vec<_>>(), ["a", "&'f", "j"]);
    assert!(code("#[cfg(test)]\nmod a;\nb").ends_with('b'), "what follows is no test");
}
