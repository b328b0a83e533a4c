//! The table `[identity]`: the headers that identify callers, and those that are forwarded to another origin.

use evenkeel::identity::IdentityPolicy;
use http::HeaderName;
use serde::Deserialize;
use toml::Spanned;

use super::{config_location::ConfigSource, keys::filled};

/// The table `[identity]`: names in addition to the usual ones.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IdentityTable {
    payer: Vec<Spanned<String>>,
    payer_query: Vec<Spanned<String>>,
    user: Vec<Spanned<String>>,
    ignore: Vec<Spanned<String>>,
    named_by: Option<Spanned<String>>,
    forward: Vec<Spanned<String>>,
    forward_query: Vec<Spanned<String>>,
}

/// One key, its names of headers, and the setter of a name.
type Headers<'a> =
    (&'a str, &'a [Spanned<String>], fn(IdentityPolicy, HeaderName) -> IdentityPolicy);
/// One key, its names of query parameters, and the setter of a name.
type QueryKeys<'a> = (&'a str, &'a [Spanned<String>], fn(IdentityPolicy, &str) -> IdentityPolicy);

// === impl IdentityTable ===

impl IdentityTable {
    /// The policy, each name valid by itself and together with the others.
    pub(crate) fn policy(&self, source: ConfigSource<'_>) -> Result<IdentityPolicy, String> {
        let headers: [Headers<'_>; 5] = [
            ("payer", &self.payer, IdentityPolicy::payer),
            ("user", &self.user, IdentityPolicy::user),
            ("ignore", &self.ignore, IdentityPolicy::ignore),
            ("named_by", self.named_by.as_slice(), IdentityPolicy::named_by),
            ("forward", &self.forward, IdentityPolicy::forward),
        ];
        let keys: [QueryKeys<'_>; 2] = [
            ("payer_query", &self.payer_query, |it, key| it.payer_query(key)),
            ("forward_query", &self.forward_query, |it, key| it.forward_query(key)),
        ];
        let mut policy = IdentityPolicy::new();
        for (field, names, set) in headers {
            for name in names {
                policy = add(source, field, name, |name| Ok(set(policy, header(name)?)))?;
            }
        }
        for (field, names, set) in keys {
            for name in names {
                filled(source, &format!("identity.{field}"), name)?;
                policy = add(source, field, name, |name| Ok(set(policy, name)))?;
            }
        }
        Ok(policy)
    }
}

/// Adds a name, if the policy is valid with it.
fn add(
    source: ConfigSource<'_>,
    field: &str,
    name: &Spanned<String>,
    set: impl FnOnce(&str) -> Result<IdentityPolicy, String>,
) -> Result<IdentityPolicy, String> {
    let wrong = |what: &str| source.error_at(&name.span(), &format!("identity.{field}"), what);
    let policy = set(name.get_ref()).map_err(|what| wrong(&what))?;
    match policy.clone().build() {
        Ok(_) => Ok(policy),
        Err(error) => {
            let text = error.to_string();
            Err(wrong(text.strip_prefix(error.field()).unwrap_or(&text).trim()))
        }
    }
}

fn header(name: &str) -> Result<HeaderName, String> {
    let allowed = "is no name of a header; allowed is one such as x-team";
    name.to_ascii_lowercase().parse().map_err(|_| allowed.to_owned())
}
