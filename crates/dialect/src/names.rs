//! The names of unknown paths in routes, without the ids in them, and limited in number for the whole process.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::OnceLock,
};

use http::Method;

/// The number of unknown paths with their own name; all other paths share one name. A caller may request any path, so without a
/// limit the number of a provider's routes would grow without end.
const MAX_NAMES: usize = 64;
/// The number of slots tried for one name.
const MAX_TRIES: usize = 8;
/// The number of path segments in a name, and the longest segment in bytes.
const MAX_SEGMENTS: usize = 4;
const MAX_SEGMENT: usize = 24;

const OTHER: &str = "other";

static NAMES: [OnceLock<Box<str>>; MAX_NAMES] = [const { OnceLock::new() }; MAX_NAMES];

/// The name of an unknown path: `GET /v1/usage/*`.
pub(super) fn of(method: &Method, path: &str) -> &'static str {
    let name = folded(method, path);
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let start = hasher.finish() as usize % MAX_NAMES;
    let places = (0..MAX_TRIES).map(|n| &NAMES[(start + n) % MAX_NAMES]);
    let mut names = places.map(|place| &**place.get_or_init(|| name.as_str().into()));
    names.find(|kept| *kept == name).unwrap_or(OTHER)
}

/// The path with `*` in place of each id.
fn folded(method: &Method, path: &str) -> String {
    let method = match *method {
        Method::GET | Method::HEAD => "GET",
        Method::DELETE => "DELETE",
        _ => "POST",
    };
    let plain = |part: &str| {
        let letters = |b: u8| b.is_ascii_lowercase() || b == b'_' || b == b'-';
        let version = part.len() <= 8 && part.starts_with('v') && !part.contains(['.', '%']);
        let word = part.bytes().all(letters);
        part.len() <= MAX_SEGMENT
            && (word || (version && part.bytes().all(|b| b.is_ascii_alphanumeric())))
    };
    let mut name = method.to_owned();
    name.push(' ');
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    for part in parts.by_ref().take(MAX_SEGMENTS) {
        name.push('/');
        name.push_str(if plain(part) { part } else { "*" });
    }
    if parts.next().is_some() {
        name.push_str("/*");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_a_path_are_folded() {
        for (method, path, name) in [
            ("GET", "/v1/usage/acct_123/days", "GET /v1/usage/*/days"),
            ("HEAD", "/v1beta/a/b/c/d/e", "GET /v1beta/a/b/c/*"),
            ("PATCH", "/x\n\u{1b}[31m/Y", "POST /*/*"),
            ("POST", "/", "POST "),
        ] {
            assert_eq!(folded(&method.parse().unwrap(), path), name);
        }
    }

    #[test]
    fn the_names_of_any_number_of_paths_are_bounded() {
        let word = |n: usize| {
            format!("/{}", "abcdefghij".chars().nth(n / 10 % 10).unwrap())
                + &"abcdefghij".chars().nth(n % 10).unwrap().to_string()
                + &"abcdefghij".chars().nth(n / 100).unwrap().to_string()
        };
        let names: std::collections::HashSet<_> =
            (0..1000).map(|n| of(&Method::POST, &word(n))).collect();
        assert!(names.len() <= MAX_NAMES + 1 && names.contains(OTHER), "{}", names.len());
        assert_eq!(of(&Method::POST, &word(0)), of(&Method::POST, &word(0)));
    }
}
