//! Mistakes in credentials, found when a client is built: an outage is too late to find them.

/// What is wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialFault {
    /// Empty or whitespace: an environment variable that is not set.
    Blank,
    /// It has a character that no header may have.
    Unprintable,
    /// It begins or ends with whitespace.
    Padded,
    /// It is in quotes, as some files of environment variables leave them.
    Quoted,
    /// It has the scheme that `bearer()` adds.
    SchemeTwice,
    /// It is `$NAME` or `${NAME}`: a variable that nobody has expanded.
    Unexpanded,
}

// === impl CredentialFault ===

impl CredentialFault {
    /// The mistake in the value of a header, if there is one.
    pub(super) fn of(secret: &str) -> Option<Self> {
        let visible = |c: char| (' '..='~').contains(&c);
        let quoted =
            |quote: char| secret.len() > 1 && secret.starts_with(quote) && secret.ends_with(quote);
        if secret.trim().is_empty() {
            Some(Self::Blank)
        } else if !secret.chars().all(visible) {
            Some(Self::Unprintable)
        } else if secret.trim() != secret {
            Some(Self::Padded)
        } else if ['"', '\''].into_iter().any(quoted) {
            Some(Self::Quoted)
        } else if is_variable(secret) {
            Some(Self::Unexpanded)
        } else {
            None
        }
    }

    /// The mistake in a key that is sent as `Bearer …`, if there is one.
    pub(super) fn of_bearer(key: &str) -> Option<Self> {
        let scheme =
            key.trim_start().get(..7).filter(|start| start.eq_ignore_ascii_case("bearer "));
        Self::of(key).or(scheme.map(|_| Self::SchemeTwice))
    }

    /// What was found, without the secret.
    pub(super) fn found(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Unprintable => "not printable ASCII",
            Self::Padded => "surrounded by spaces",
            Self::Quoted => "in quotes",
            Self::SchemeTwice => "already with \"Bearer \"",
            Self::Unexpanded => "the name of a variable",
        }
    }

    pub(super) fn allowed(self) -> &'static str {
        match self {
            Self::Blank => "a key that is not blank: check that its environment variable is set",
            Self::Unprintable => {
                "printable ASCII without line breaks: check the end of the file that the key is read from"
            }
            Self::Padded => "the key without spaces around it",
            Self::Quoted => "the key without quotes around it",
            Self::SchemeTwice => "the key alone: bearer() adds the scheme",
            Self::Unexpanded => "the value of the variable: nothing is expanded here",
        }
    }
}

/// Whether it is a reference to an environment variable.
fn is_variable(secret: &str) -> bool {
    let Some(name) = secret.strip_prefix('$') else { return false };
    let inner = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    !inner.is_empty()
        && inner.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_as_it_is_and_its_mistakes_are_named() {
        for right in ["sk-abc", "its key", "a\"b", "$2b$10$abc", "Basic dTpw", "$"] {
            assert_eq!(CredentialFault::of_bearer(right), None, "{right}");
        }
        for (wrong, fault) in [
            ("\t ", CredentialFault::Blank),
            ("sk-abc\n", CredentialFault::Unprintable),
            ("sk-äbc", CredentialFault::Unprintable),
            ("ключ-abc", CredentialFault::Unprintable),
            ("sk-abc ", CredentialFault::Padded),
            ("\"sk-abc\"", CredentialFault::Quoted),
            ("'sk-abc'", CredentialFault::Quoted),
            ("bearer sk-abc", CredentialFault::SchemeTwice),
            ("$OPENAI_API_KEY", CredentialFault::Unexpanded),
            ("${OPENAI_API_KEY}", CredentialFault::Unexpanded),
        ] {
            assert_eq!(CredentialFault::of_bearer(wrong), Some(fault), "{wrong}");
        }
        // The whole header is the caller's own text.
        assert_eq!(CredentialFault::of("Bearer sk-abc"), None);
    }
}
