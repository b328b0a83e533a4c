//! Patterns with `*`.

/// Whether a pattern matches a whole text. `crosses`: whether the `*` at this position of the pattern may match a slash.
fn matches(pattern: &[u8], text: &[u8], crosses: impl Fn(usize) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    // The last star, and the end of what it has matched.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), star) {
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(byte), _) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            (_, Some((at, end))) if text[end] != b'/' || crosses(at) => {
                star = Some((at, end + 1));
                p = at + 1;
                t = end + 1;
            }
            _ => return false,
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Whether a path matches a pattern: a `*` matches any text without a slash; at the end, everything. `/a/*` matches `/a` as well.
pub(super) fn matches_path(pattern: &str, path: &str) -> bool {
    let last = pattern.len().wrapping_sub(1);
    let itself = pattern.strip_suffix("/*").is_some_and(|start| !start.is_empty() && start == path);
    itself || matches(pattern.as_bytes(), path.as_bytes(), |at| at == last)
}

/// Whether a name matches a pattern: a `*` matches any text.
pub(super) fn matches_name(pattern: &str, name: &str) -> bool {
    matches(pattern.as_bytes(), name.as_bytes(), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_path_stops_at_a_slash_unless_it_is_the_end() {
        for (pattern, path, matched) in [
            ("/v1/files/*", "/v1/files/f/content", true),
            ("/v1/files/*", "/v1/files", true),
            ("/v1/files/*", "/v1/files/", true),
            ("/v1/files/*", "/v1/filesx", false),
            ("/v1/files*", "/v1/files-of-mine", true),
            ("/v1/*/content", "/v1/files/content", true),
            ("/v1/*/content", "/v1/files/f/content", false),
            ("/v1/*/a*c/*", "/v1/x/abbc/d/e", true),
            ("/v1/*b/*b", "/v1/xbb/yb", true),
            ("/v1/models", "/v1/models", true),
            ("/v1/models", "/v1/models/", false),
            ("/*", "/", true),
            ("/*", "/any/thing", true),
            ("/", "", false),
        ] {
            assert_eq!(matches_path(pattern, path), matched, "{pattern} {path}");
        }
    }

    #[test]
    fn a_star_in_a_name_matches_any_text() {
        for (pattern, name, matched) in [
            ("gpt-4o*", "gpt-4o-mini", true),
            ("gpt-4o*", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("*/llama*", "vendor/a/llama-3", true),
            ("*", "", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("", "", true),
        ] {
            assert_eq!(matches_name(pattern, name), matched, "{pattern} {name}");
        }
    }
}
