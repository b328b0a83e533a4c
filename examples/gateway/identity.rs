//! By what callers are known, and what goes along to another origin.

use evenkeel::identity::IdentityPolicy;
use http::HeaderName;
use serde::Deserialize;
use toml::Spanned;

use super::{keys::filled, place::Source};

/// The table `[identity]`: names beside the usual ones.
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

/// The names of one field, and what puts one of them in.
type Headers<'a> =
    (&'a str, &'a [Spanned<String>], fn(IdentityPolicy, HeaderName) -> IdentityPolicy);
type Keys<'a> = (&'a str, &'a [Spanned<String>], fn(IdentityPolicy, &str) -> IdentityPolicy);

// === impl IdentityTable ===

impl IdentityTable {
    /// The policy, each name right by itself and with the others.
    pub(crate) fn read(&self, source: Source<'_>) -> Result<IdentityPolicy, String> {
        let headers: [Headers<'_>; 5] = [
            ("payer", &self.payer, IdentityPolicy::payer),
            ("user", &self.user, IdentityPolicy::user),
            ("ignore", &self.ignore, IdentityPolicy::ignore),
            ("named_by", self.named_by.as_slice(), IdentityPolicy::named_by),
            ("forward", &self.forward, IdentityPolicy::forward),
        ];
        let keys: [Keys<'_>; 2] = [
            ("payer_query", &self.payer_query, |it, key| it.payer_query(key)),
            ("forward_query", &self.forward_query, |it, key| it.forward_query(key)),
        ];
        let mut policy = IdentityPolicy::new();
        for (field, names, set) in headers {
            for name in names {
                policy = self::set(source, (field, name), |name| Ok(set(policy, header(name)?)))?;
            }
        }
        for (field, names, set) in keys {
            for name in names {
                filled(source, &format!("identity.{field}"), name)?;
                policy = self::set(source, (field, name), |name| Ok(set(policy, name)))?;
            }
        }
        Ok(policy)
    }
}

/// One name more, if the policy is right with it.
fn set(
    source: Source<'_>,
    (field, name): (&str, &Spanned<String>),
    set: impl FnOnce(&str) -> Result<IdentityPolicy, String>,
) -> Result<IdentityPolicy, String> {
    let wrong = |what: &str| source.wrong(&name.span(), &format!("identity.{field}"), what);
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
