//! A pattern of names.

use std::fmt;

/// A name in which a `*` stands for any characters. Case is ignored.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pattern(Box<str>);

// === impl Pattern ===

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.trim().to_ascii_lowercase().into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let Some((first, rest)) = self.0.split_once('*') else { return *name == *self.0 };
        let Some(mut name) = name.strip_prefix(first) else { return false };
        let Some((middle, last)) = rest.rsplit_once('*') else { return name.ends_with(rest) };
        for part in middle.split('*') {
            let Some(at) = name.find(part) else { return false };
            name = &name[at + part.len()..];
        }
        name.ends_with(last)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, is) in [
            ("gpt-4o", "gpt-4o", true),
            ("GPT-4o", "gpt-4O", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "gpt-4o-mini", true),
            ("gpt-*", "o3", false),
            ("*-mini", "gpt-4o-mini", true),
            ("*-mini", "gpt-4o-mini-2", false),
            ("gpt-*-mini", "gpt-4o-mini", true),
            ("gpt-*-mini", "gpt-mini", false),
            ("*4*min*", "gpt-4o-mini", true),
            ("*min*4*", "gpt-4o-mini", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*", "", true),
            ("**", "anything", true),
            ("", "anything", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), is, "{pattern} {name}");
        }
    }
}
