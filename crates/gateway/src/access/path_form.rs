//! The form of a path: one that every server on the way understands in the same way.

use std::borrow::Cow;

/// How often a path is decoded: some servers decode twice.
const LEVELS: usize = 4;

/// Before the name of a model, in which a slash may be encoded: official clients do so.
const BEFORE_MODELS: [&str; 5] = ["models", "tunedModels", "model", "deployments", "engines"];

/// What is wrong with a path that servers understand in different ways.
pub(super) fn fault(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        // It is no path, and refused as such.
        return None;
    }
    if !is_encoded_well(path.as_bytes()) {
        return Some("a % that is not followed by two hexadecimal digits");
    }
    let mut before = "";
    for segment in path.split('/') {
        if !BEFORE_MODELS.contains(&before) && decoded(segment)?.contains('/') {
            return Some("an encoded slash, except in the name of a model");
        }
        before = segment;
    }
    let mut level = Cow::Borrowed(path);
    for _ in 0..LEVELS {
        if let Some(fault) = fault_of_level(&level) {
            return Some(fault);
        }
        let Some(next) = decode(&level) else { return Some("bytes that are not UTF-8") };
        if next == level {
            return None;
        }
        level = next.into();
    }
    Some("a text that is encoded many times")
}

/// What is wrong with a path as one server sees it.
fn fault_of_level(path: &str) -> Option<&'static str> {
    let path = folded(path);
    if path.contains('\\') {
        return Some("a backslash");
    }
    if path.contains(char::is_control) {
        return Some("a control character");
    }
    if path.contains("//") {
        return Some("two slashes in a row");
    }
    path.split('/').any(is_dots).then_some("a dot segment")
}

/// Whether a segment is one of dots to some server: with parameters behind it, or with blanks and more dots than two.
fn is_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or(segment);
    name.contains('.') && name.chars().all(|c| c == '.' || c == ' ')
}

/// Characters that some servers fold into those of ASCII that matter here.
fn folded(path: &str) -> Cow<'_, str> {
    if path.is_ascii() {
        return path.into();
    }
    let fold = |c| match c {
        '\u{ff0e}' | '\u{2024}' | '\u{2025}' | '\u{2026}' => '.',
        '\u{ff0f}' | '\u{2044}' | '\u{2215}' => '/',
        '\u{ff3c}' | '\u{2216}' => '\\',
        '\u{ff1b}' => ';',
        c => c,
    };
    path.chars().map(fold).collect::<String>().into()
}

fn is_encoded_well(path: &[u8]) -> bool {
    path.iter().enumerate().all(|(at, byte)| *byte != b'%' || pair(path, at).is_some())
}

/// The byte that is encoded at that position of a `%`.
fn pair(text: &[u8], at: usize) -> Option<u8> {
    let digit = |at| char::from(*text.get(at)?).to_digit(16);
    Some((digit(at + 1)? * 16 + digit(at + 2)?) as u8)
}

/// The text with every well-formed pair decoded, once; `None` if that is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let code = if *byte == b'%' { pair(bytes, at) } else { None };
        out.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).ok()
}

/// The text decoded until nothing changes, at most as often as a path is.
fn decoded(text: &str) -> Option<String> {
    let mut level = text.to_owned();
    for _ in 0..LEVELS {
        // What is not UTF-8 is found later.
        let Some(next) = decode(&level) else { break };
        if next == level {
            break;
        }
        level = next;
    }
    Some(folded(&level).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_that_servers_understand_in_different_ways_is_refused() {
        for (path, part) in [
            ("/v1/../admin", "dot segment"),
            ("/v1/./models", "dot segment"),
            ("/..", "dot segment"),
            ("/v1/%2e%2e/admin", "dot segment"),
            ("/v1/.%2E/admin", "dot segment"),
            ("/v1/%252e%252e/admin", "dot segment"),
            ("/v1/%25252e./admin", "dot segment"),
            ("/%25zz/%252e%252e/a", "dot segment"),
            ("/v1/..;x=y/admin", "dot segment"),
            ("/v1/..%3b/admin", "dot segment"),
            ("/v1/..%20/admin", "dot segment"),
            ("/v1/.../admin", "dot segment"),
            ("/v1/%EF%BC%8E%EF%BC%8E/admin", "dot segment"),
            ("/v1/%E2%80%A5/admin", "dot segment"),
            ("/v1/models/..%2f..%2fadmin", "dot segment"),
            ("/v1/models/a%2F..%2Fb", "dot segment"),
            ("//v1/models", "two slashes"),
            ("/v1//models", "two slashes"),
            ("/v1/models//", "two slashes"),
            ("/v1/models/%2Fa", "two slashes"),
            ("/v1/a%2Fb", "encoded slash"),
            ("/v1/a%252fb", "encoded slash"),
            ("/v1%2fmodels", "encoded slash"),
            ("/v1/a%EF%BC%8Fb", "encoded slash"),
            ("/v1/a\\b", "backslash"),
            ("/v1/a%5cb", "backslash"),
            ("/v1/models/a%255Cb", "backslash"),
            ("/v1/a%00", "control"),
            ("/v1/a%0d%0ab", "control"),
            ("/v1/a%2500", "control"),
            ("/v1/%", "% that"),
            ("/v1/%u002e", "% that"),
            ("/v1/%c0%ae%c0%ae/a", "UTF-8"),
            ("/v1/%252525252525252561", "many times"),
        ] {
            let found = fault(path);
            assert!(found.is_some_and(|found| found.contains(part)), "{path}: {found:?}");
        }
    }

    #[test]
    fn a_path_of_an_api_is_accepted() {
        for path in [
            "/",
            "/v1/chat/completions",
            "/v1/chat/completions/",
            "/v1beta/models/gemini-2.5-flash:generateContent",
            "/v1/models/vendor%2Fname",
            "/v1/models/ft:gpt-4o-mini:org::a1",
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.a/converse",
            "/openai/deployments/my%20own/chat/completions",
            "/v1/files/a..b",
            "/v1/.well-known",
            "/a;b=c,d@e:f|g",
            "/%F0%9F%90%8E",
            "/v1/models/100%25",
            "*",
        ] {
            assert_eq!(fault(path), None, "{path}");
        }
    }

    /// What servers do to a path, in any combination.
    fn normalised(path: &str, decodings: usize, flags: u8) -> String {
        let mut path = path.to_owned();
        for _ in 0..decodings {
            path = String::from_utf8_lossy(&percent(path.as_bytes())).into_owned();
        }
        if flags & 1 != 0 {
            path = path.replace('\\', "/");
        }
        if flags & 2 != 0 {
            while path.contains("//") {
                path = path.replace("//", "/");
            }
        }
        if flags & 4 != 0 {
            path = path.split('\0').next().unwrap().to_owned();
        }
        let mut out: Vec<String> = Vec::new();
        for segment in path.split('/') {
            let segment = if flags & 8 != 0 { segment.split(';').next().unwrap() } else { segment };
            let segment = if flags & 16 != 0 { segment.trim_end() } else { segment };
            match segment {
                "." => {}
                ".." => drop(out.pop()),
                segment => out.push(segment.to_owned()),
            }
        }
        out.join("/")
    }

    fn percent(text: &[u8]) -> Vec<u8> {
        let hex = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let (mut out, mut rest) = (Vec::new(), text);
        while let Some((first, tail)) = rest.split_first() {
            let code = tail.get(..2).filter(|_| *first == b'%').and_then(hex);
            out.push(code.unwrap_or(*first));
            rest = if code.is_some() { &tail[2..] } else { tail };
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn no_accepted_path_leaves_its_prefix_whatever_servers_do_to_it(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "..", ".", "/", "%2e", "%2E", "%252e", "%25", "%2f", "%252F", "%5c", "\\", "a", "models/", ";x", "%3b", "%00",
                "%20", "%c0%ae", "%", "2e", "2f", "v1",
            ]), 0..8),
            decodings in 0..5_usize,
            flags in 0..32_u8,
        ) {
            let path = format!("/v1/files/{}", pieces.concat());
            if fault(&path).is_none() {
                let seen = normalised(&path, decodings, flags);
                prop_assert!(seen.starts_with("/v1/files"), "{path} is {seen}");
            }
        }
    }
}
