//! Who may use a gateway, and how its listener is secured.

use std::{fmt, path::PathBuf, time::Duration};

use sha2::{Digest, Sha256};

use super::targets::Env;
use crate::{
    ConfigError,
    config::{
        tables::{CallerTable, File},
        values::{Filled, Parsed},
    },
    context::Priority,
};

/// Who may use a gateway, and how its listener is secured.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AccessKeys {
    /// Hosts that requests may be addressed to, besides the usual ones: `gateway.internal`, `gateway.internal:8080`,
    /// `*.internal`, or `*`. Lower case.
    pub hosts: Vec<String>,
    /// Origins of web pages that may send requests: lower case, without the default port.
    pub origins: Vec<String>,
    /// Paths that are allowed in addition: a `*` matches any text without a slash; at the end, everything below.
    pub paths: Vec<String>,
    /// The callers that are known by a token. Without any, no token is required.
    pub callers: Vec<CallerKeys>,
    /// The time of a call that names none: that of the profile.
    pub deadline: Duration,
    /// The files of the certificate of the listener. `None`: no TLS.
    pub tls: Option<TlsKeys>,
}

/// One caller that is known by its token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallerKeys {
    /// Its name in logs.
    pub name: String,
    /// Where its token is.
    pub token: TokenSource,
    /// The tenant that its answers are stored for.
    pub tenant: String,
    /// The names of the fallbacks that it may use; `None` for all.
    pub fallbacks: Option<Vec<String>>,
    /// The models that it may request; a `*` matches any text. `None` for all.
    pub models: Option<Vec<String>>,
    /// The highest priority of its calls.
    pub priority: Priority,
    /// The most time of its calls; `None` for that of the profile.
    pub deadline: Option<Duration>,
    /// Its requests a minute; `None` for no limit.
    pub requests: Option<u32>,
    /// Its concurrent calls; `None` for no limit.
    pub concurrency: Option<usize>,
    /// The path of its table in the configuration: `caller[1]`.
    pub path: String,
}

/// Where the token of a caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// The hash of a token that does not change.
    Known(TokenDigest),
    /// A file, which may change.
    File(PathBuf),
}

/// The SHA-256 of a token. It is not shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

/// The files of the certificate of a listener.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsKeys {
    /// A PEM file with the certificate and those of its issuers.
    pub certificate: PathBuf,
    /// A PEM file with the key of the certificate.
    pub key: PathBuf,
}

// === impl TokenDigest ===

impl TokenDigest {
    /// The digest of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// The digest itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}

// === impl AccessKeys ===

impl AccessKeys {
    /// `fallbacks`: the names of all that a call may use.
    pub(super) fn new(
        file: &File,
        env: Env<'_>,
        fallbacks: &[&str],
        deadline: Duration,
    ) -> Result<Self, ConfigError> {
        let mut callers: Vec<CallerKeys> = Vec::new();
        for (at, table) in file.caller.iter().enumerate() {
            let caller = CallerKeys::new(table, format!("caller[{at}]"), env)?;
            caller.check(&callers, fallbacks)?;
            callers.push(caller);
        }
        Ok(Self {
            hosts: file.allow_hosts.iter().flatten().map(|host| host.0.0.clone()).collect(),
            origins: file.allow_origins.iter().flatten().map(|origin| origin.0.0.clone()).collect(),
            paths: file.allow_paths.iter().flatten().map(|path| path.0.0.clone()).collect(),
            callers,
            deadline,
            tls: file.tls.as_ref().map(|tls| TlsKeys {
                certificate: (&tls.certificate.0.0).into(),
                key: (&tls.key.0.0).into(),
            }),
        })
    }
}

// === impl CallerKeys ===

impl CallerKeys {
    fn new(table: &CallerTable, path: String, env: Env<'_>) -> Result<Self, ConfigError> {
        let texts =
            |list: &[Parsed<Filled>]| list.iter().map(|text| text.0.0.trim().to_owned()).collect();
        let name = table.name.0.0.clone();
        Ok(Self {
            token: token(table, &path, env)?,
            tenant: table.tenant.as_ref().map_or_else(|| name.clone(), |tenant| tenant.0.0.clone()),
            name,
            fallbacks: table
                .fallbacks
                .as_ref()
                .map(|names| names.iter().map(|name| name.0.0.clone()).collect()),
            models: table.models.as_deref().map(texts),
            priority: table.priority.map_or(Priority::Interactive, |priority| priority.0),
            deadline: table.deadline.map(|deadline| deadline.0),
            requests: table.limits.requests.map(|requests| requests.u32()),
            concurrency: table.limits.concurrency.map(|calls| calls.usize()),
            path,
        })
    }

    /// Rejects what is not allowed together with the callers above it.
    fn check(&self, above: &[Self], fallbacks: &[&str]) -> Result<(), ConfigError> {
        let wrong = |key: &str, what: String| {
            Err(ConfigError::because(format!("{}.{key}", self.path), what))
        };
        if above.iter().any(|other| other.name == self.name) {
            let what =
                format!("is {:?}, which another has; allowed is a name of its own", self.name);
            return wrong("name", what);
        }
        if let Some(twin) = above.iter().find(|other| other.token == self.token) {
            let key = match self.token {
                TokenSource::Known(_) => "name",
                TokenSource::File(_) => "token_file",
            };
            let what = format!("has the token of {:?}; allowed is a token of its own", twin.name);
            return wrong(key, what);
        }
        if self.deadline.is_some_and(|deadline| deadline.is_zero()) {
            return wrong("deadline", "is 0; allowed is longer than zero".into());
        }
        let mut names = self.fallbacks.iter().flatten().enumerate();
        match names.find(|(_, name)| !fallbacks.contains(&name.as_str())) {
            Some((nth, name)) => {
                let known = fallbacks.join(", ");
                let what = format!("is {name:?}; allowed are the fallbacks of all calls: {known}");
                wrong(&format!("fallbacks[{nth}]"), what)
            }
            None => Ok(()),
        }
    }
}

/// Where the token of a caller is: one place.
fn token(table: &CallerTable, at: &str, env: Env<'_>) -> Result<TokenSource, ConfigError> {
    let wrong = |key: &str, what: String| ConfigError::because(format!("{at}.{key}"), what);
    match (&table.token_env, &table.token_file, &table.token_sha256) {
        (Some(variable), None, None) => {
            let name = &variable.0.0;
            let token = env(name).unwrap_or_default();
            let token = token.trim();
            let what = match token {
                "" => {
                    "which is not set; allowed is a variable of the environment that holds the token"
                }
                _ if !token.bytes().all(|b| (0x21..0x7f).contains(&b)) => {
                    "whose value cannot be sent in a header; allowed is visible ASCII"
                }
                _ => return Ok(TokenSource::Known(TokenDigest::of(token))),
            };
            Err(wrong("token_env", format!("is {name}, {what}")))
        }
        (None, Some(file), None) => Ok(TokenSource::File((&file.0.0).into())),
        (None, None, Some(hash)) => Ok(TokenSource::Known(TokenDigest(hash.0.0))),
        (None, None, None) => Err(wrong(
            "token_env",
            "is missing; allowed is one of token_env, token_file and token_sha256".into(),
        )),
        (first, second, _) => {
            let key =
                if first.is_some() && second.is_some() { "token_file" } else { "token_sha256" };
            let what =
                "is beside another token; allowed is one of token_env, token_file and token_sha256";
            Err(wrong(key, what.into()))
        }
    }
}
