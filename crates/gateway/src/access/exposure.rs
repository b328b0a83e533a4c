//! What is open to others, for the log at start.

use std::net::SocketAddr;

use evenkeel::config::{NamedTarget, Settings};

/// What is open to others, apart from the address.
#[derive(Clone, Debug)]
pub(crate) struct Exposure {
    /// The names of the targets with a key.
    keyed: Vec<String>,
    tokens: bool,
    tls: bool,
}

// === impl Exposure ===

impl Exposure {
    pub(crate) fn new(settings: &Settings) -> Self {
        let all = settings.first.iter().chain(&settings.fallbacks);
        let keyed = all.filter(|fallback| fallback.targets.iter().any(|it: &NamedTarget| it.keyed));
        let access = &settings.server.access;
        Self {
            keyed: keyed.map(|fallback| fallback.name.clone()).collect(),
            tokens: !access.callers.is_empty(),
            tls: access.tls.is_some(),
        }
    }

    /// What is open to others at that address; `None` if nothing is.
    pub(crate) fn warning(&self, address: SocketAddr) -> Option<String> {
        let mut open = Vec::new();
        if address.ip().to_canonical().is_loopback() {
            return None;
        }
        if !self.tokens {
            let keys = match &*self.keyed {
                [] => String::new(),
                names => format!(" and the keys of {}", names.join(", ")),
            };
            open.push(format!("everyone who can reach it can use the upstream{keys} without a token: set [[caller]]"));
        }
        if !self.tls {
            let tokens = if self.tokens { "tokens, " } else { "" };
            open.push(format!("{tokens}requests and answers are not encrypted: set [tls]"));
        }
        if open.is_empty() {
            return None;
        }
        open.push("/healthz shows the states of the routes to everyone".into());
        Some(format!("listening beyond this machine at {address}: {}", open.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warning_names_what_is_open_and_nothing_else() {
        let warning = |address: &str, tokens, tls, keyed: &[&str]| {
            let keyed = keyed.iter().map(|name| (*name).to_owned()).collect();
            Exposure { keyed, tokens, tls }.warning(address.parse().unwrap())
        };
        assert_eq!(warning("127.0.0.1:1", false, false, &["a"]), None);
        assert_eq!(warning("[::1]:1", false, false, &["a"]), None);
        assert_eq!(warning("0.0.0.0:1", true, true, &["a"]), None);
        let all = warning("0.0.0.0:1", false, false, &["a", "b"]).unwrap();
        assert!(all.contains("0.0.0.0:1") && all.contains("the keys of a, b"), "{all}");
        assert!(all.contains("[[caller]]") && all.contains("[tls]") && all.contains("/healthz"));
        let plain = warning("0.0.0.0:1", true, false, &["a"]).unwrap();
        assert!(!plain.contains("[[caller]]") && plain.contains("tokens, requests"), "{plain}");
        let open = warning("0.0.0.0:1", false, true, &[]).unwrap();
        assert!(!open.contains("[tls]") && !open.contains("keys"), "{open}");
    }
}
