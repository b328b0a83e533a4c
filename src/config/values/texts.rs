//! The texts of a configuration that have a form: names, URLs, headers.

use std::net::SocketAddr;

use http::{HeaderName, StatusCode, Uri};
use serde::{Deserialize, Deserializer, de::Error};

use super::{choices::FAILURES, shown, text::FromText};
use crate::fallback::FallbackOn;

/// The name of a target, a group, a stored answer or a canned reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Name(pub(in crate::config) String);

/// A text that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Filled(pub(in crate::config) String);

/// The name of a variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Variable(pub(in crate::config) String);

/// A URL with the path of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct BaseUrl {
    pub(in crate::config) text: String,
    /// Scheme, host and port.
    pub(in crate::config) origin: Uri,
}

/// The status of an error: a 2xx is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct ErrorStatus(pub(in crate::config) StatusCode);

// === impl FromText ===

impl FromText for Name {
    fn from_text(text: &str) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_graphic() && b != b',';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
            return Err("is no name; allowed are 1 to 64 visible ASCII characters without blanks and commas".into());
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromText for Filled {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Err("is blank; allowed is a text".into()),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl FromText for Variable {
    fn from_text(text: &str) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        let first = text.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if first && text.bytes().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        Err("is not shown here, as it may be a key; allowed is the name of a variable of the environment, such as MISTRAL_API_KEY".into())
    }
}

impl FromText for HeaderName {
    fn from_text(text: &str) -> Result<Self, String> {
        let name = text.to_ascii_lowercase().parse();
        name.map_err(|_| "is no name of a header; allowed is one such as x-team".into())
    }
}

impl FromText for FallbackOn {
    fn from_text(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("tool:").filter(|name| !name.is_empty()) {
            return Ok(Self::tool(name));
        }
        let found = FAILURES.iter().find(|(name, _)| *name == text);
        found.map(|(_, on)| on.clone()).ok_or_else(|| {
            let names: Vec<_> = FAILURES.iter().map(|(name, _)| *name).collect();
            format!("is {}; allowed is one of {} and tool:NAME", shown(text), names.join(", "))
        })
    }
}

impl FromText for SocketAddr {
    fn from_text(text: &str) -> Result<Self, String> {
        let numeric = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_owned(),
        };
        numeric.parse().map_err(|_| {
            format!("is {}; allowed is an address and a port, such as 127.0.0.1:8080", shown(text))
        })
    }
}

impl FromText for BaseUrl {
    fn from_text(text: &str) -> Result<Self, String> {
        let allowed =
            "allowed is a URL such as https://api.mistral.ai/v1, without a user and a query";
        let origin = origin_of(text).map_err(|what| format!("{what}; {allowed}"))?;
        Ok(Self { text: text.to_owned(), origin })
    }
}

impl FromText for Uri {
    /// An origin: scheme, host and port, nothing else.
    fn from_text(text: &str) -> Result<Self, String> {
        let allowed = "allowed is an origin such as http://127.0.0.1:11434";
        let origin = origin_of(text).map_err(|what| match what {
            "has a user" => {
                format!("{what}; {allowed}, with the key in a header or in a target's key_env")
            }
            what => format!("{what}; {allowed}"),
        })?;
        match text.parse::<Uri>() {
            Ok(uri) if uri.path() == "/" => Ok(origin),
            _ => Err(format!("has a path; {allowed}, as the path of each request stays as it is")),
        }
    }
}

/// Scheme, host and port of a URL that may have a path. The error shows nothing of it: a user and a query are where keys travel.
pub(in crate::config) fn origin_of(text: &str) -> Result<Uri, &'static str> {
    let uri: Uri = text.parse().map_err(|_| "is no URL")?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err("has a user");
    }
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("has no http:// or https:// before it");
    }
    if uri.query().is_some() || text.contains('#') {
        return Err("has a query");
    }
    let behind = authority.rsplit(']').next().unwrap_or(authority);
    let odd = behind.contains(':') && uri.port_u16().is_none_or(|port| port == 0);
    if uri.host().is_none_or(str::is_empty) || odd {
        return Err("has no host, or a port that is none");
    }
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|_| "is no URL")
}

// === impl ErrorStatus ===

impl<'de> Deserialize<'de> for ErrorStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let status = u16::try_from(number).ok().filter(|number| (300..600).contains(number));
        let status = status.and_then(|number| StatusCode::from_u16(number).ok());
        status.map(Self).ok_or_else(|| {
            D::Error::custom(format!("is {number}; allowed is a status from 300 to 599"))
        })
    }
}
