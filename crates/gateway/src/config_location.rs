//! Errors of a configuration in one line, with their line and key; and the parser of allowed URLs.

use std::{ops::Range, path::Path, time::Duration};

use http::Uri;
use toml::Spanned;

/// The longest age of a stored answer, in seconds. A longer one is rejected as a mistake.
pub(crate) const MONTH: f64 = 31.0 * 24.0 * 3600.0;

/// A configuration file, for the lines in its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConfigSource<'a> {
    pub(crate) name: &'a Path,
    pub(crate) text: &'a str,
}

// === impl ConfigSource ===

impl ConfigSource<'_> {
    /// `FILE:LINE: field: what is wrong`.
    pub(crate) fn error_at(&self, at: &Range<usize>, field: &str, what: &str) -> String {
        one_line(format!("{}:{}: {field}: {what}", self.name.display(), self.line(at.start)))
    }

    /// An error of the TOML parser. It may name what was expected, never a value of the file: that may be a key.
    pub(crate) fn toml_error(&self, error: &toml::de::Error) -> String {
        let at = error.span().unwrap_or(0..0);
        let message = error.message();
        let quoted = |text: &str| text.split('`').nth(1).map(str::to_owned);
        let unknown = message.starts_with("unknown field").then(|| quoted(message)).flatten();
        let missing = message.starts_with("missing field").then(|| quoted(message)).flatten();
        let field = unknown.clone().or(missing.clone()).unwrap_or_else(|| self.key(at.start));
        let what = match (unknown, missing) {
            (Some(name), _) if is_secret(&name) => {
                "is not read from a file; allowed is key_env, the name of a variable of the environment that holds the key".into()
            }
            (Some(_), _) => {
                let known = message.split_once("expected").map_or("nothing", |(_, known)| known);
                format!("is unknown; allowed is {}", known.replace('`', "").trim())
            }
            (_, Some(_)) => "is missing; it has to be there".into(),
            _ => without_value(message),
        };
        self.error_at(&at, &field, &what)
    }

    /// A time in seconds.
    pub(crate) fn seconds(
        &self,
        field: &str,
        value: &Spanned<f64>,
        max: f64,
    ) -> Result<Duration, String> {
        let seconds = *value.get_ref();
        if (0.001..=max).contains(&seconds) {
            return Ok(Duration::from_secs_f64(seconds));
        }
        let what = format!("is {seconds}; allowed is a number of seconds from 0.001 to {max}");
        Err(self.error_at(&value.span(), field, &what))
    }

    /// A number of at least `min`.
    pub(crate) fn at_least<N: Copy + PartialOrd + std::fmt::Display>(
        &self,
        field: &str,
        value: &Spanned<N>,
        min: N,
    ) -> Result<N, String> {
        let number = *value.get_ref();
        let what = format!("is {number}; allowed is a whole number from {min} on");
        if number >= min { Ok(number) } else { Err(self.error_at(&value.span(), field, &what)) }
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    /// The key on the line of that position; `syntax` for a line without a key.
    fn key(&self, at: usize) -> String {
        let line = self.text.lines().nth(self.line(at) - 1).unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
        match key.len() {
            1..=40 if key.chars().all(plain) => key.to_owned(),
            _ => "syntax".to_owned(),
        }
    }
}

/// A message of the TOML parser without the value that it shows.
fn without_value(message: &str) -> String {
    match message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: ")) {
        Some(rest) => {
            let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, "another"));
            let found = found.split(['"', '`']).next().unwrap_or_default().trim();
            format!("is of the wrong type ({found}); allowed is {expected}")
        }
        None => {
            format!("is no TOML ({})", message.split(['"', '`']).next().unwrap_or_default().trim())
        }
    }
}

/// Whether the name of a field is that of a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["key", "bearer", "token", "secret", "password", "auth", "credential"];
    words.iter().any(|word| name.contains(word))
}

/// An origin: scheme, host and port, nothing else.
pub(crate) fn origin(text: &str) -> Result<Uri, String> {
    let allowed = "allowed is an origin such as http://127.0.0.1:11434";
    let Ok(uri) = text.parse::<Uri>() else {
        return Err(format!("is no URL; {allowed}"));
    };
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err(format!(
            "has a user; {allowed}, with the key in a header or in a target's key_env"
        ));
    }
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(format!("has no http:// or https:// before it; {allowed}"));
    }
    if uri.query().is_some() || text.contains('#') || uri.path() != "/" {
        return Err(format!(
            "has a path or a query; {allowed}, as the path of each request stays as it is"
        ));
    }
    let behind = authority.rsplit(']').next().unwrap_or(authority);
    let odd = behind.contains(':') && uri.port_u16().is_none_or(|port| port == 0);
    if uri.host().is_none_or(str::is_empty) || odd {
        return Err(format!("has no host, or a port that is none; {allowed}"));
    }
    Ok(uri)
}

/// One line without control characters, whatever a file or an argument holds.
pub(crate) fn one_line(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    let words: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
