//! The hosts that requests may be addressed to.

use std::net::{IpAddr, SocketAddr};

use http::{StatusCode, Version, header, request::Parts};

use super::refusal::Refusal;

/// The hosts that requests may be addressed to.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    /// Of the configuration: `name`, `name:port`, `*.name` or `*`, in lower case.
    allowed: Vec<String>,
    listen: IpAddr,
}

/// A host and its port, in lower case and without a dot at the end.
#[derive(Debug, PartialEq, Eq)]
struct Host<'a> {
    name: &'a str,
    port: Option<u16>,
}

// === impl Hosts ===

impl Hosts {
    pub(super) fn new(allowed: Vec<String>, listen: SocketAddr) -> Self {
        Self { allowed, listen: listen.ip() }
    }

    /// Rejects a request that is addressed to a host of others: a web page has rebound its name to this address.
    pub(super) fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        let mut fields = parts.headers.get_all(header::HOST).iter();
        let (field, second) = (fields.next(), fields.next());
        let authority = parts.uri.authority().map(|authority| authority.as_str());
        if second.is_some() || (field.is_none() && authority.is_none() && needs_host(parts)) {
            let message = "the request has no host, or several; allowed is one header host";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "bad_host", message));
        }
        let field = field.map(|value| value.to_str().unwrap_or("?"));
        if [field, authority].into_iter().flatten().all(|host| self.is_ours(host)) {
            return Ok(());
        }
        let message = "the host of the request is not one of this gateway; allowed are addresses and names of this machine, \
                       and the hosts in allow_hosts of its configuration";
        Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, "misdirected_host", message))
    }

    fn is_ours(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let Some(host) = Host::parse(&text) else { return false };
        if let Ok(address) = host.name.trim_matches(['[', ']']).parse() {
            return self.is_our_address(address) || self.is_allowed(&host);
        }
        // A name without a dot is not in the public DNS, so a web page cannot have it.
        let local = host.name == "localhost" || host.name.ends_with(".localhost");
        local || !host.name.contains('.') || self.is_allowed(&host)
    }

    /// A page cannot be at an address that is not its own. So beyond loopback every address is one of this machine, or one that
    /// is translated to it.
    fn is_our_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || address == self.listen || !self.listen.to_canonical().is_loopback()
    }

    fn is_allowed(&self, host: &Host<'_>) -> bool {
        self.allowed.iter().any(|pattern| {
            let Some(of) = Host::parse(pattern) else { return false };
            let port = of.port.is_none() || of.port == host.port;
            let below = of.name.strip_prefix('*');
            port && match below {
                Some(end) => host.name.len() > end.len() && host.name.ends_with(end),
                None => of.name == host.name,
            }
        })
    }
}

/// HTTP/1.0 has no header host.
fn needs_host(parts: &Parts) -> bool {
    parts.version > Version::HTTP_10
}

// === impl Host ===

impl<'a> Host<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let end = if text.starts_with('[') {
            text.find(']')? + 1
        } else {
            text.find(':').unwrap_or(text.len())
        };
        let (name, port) = text.split_at(end);
        let port = match port.strip_prefix(':') {
            Some(port) => Some(port.parse().ok()?),
            None if port.is_empty() => None,
            None => return None,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.*:[]".contains(c);
        let name = name.strip_suffix('.').unwrap_or(name);
        (!name.is_empty() && name.chars().all(plain)).then_some(Self { name, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listen: &str) -> Hosts {
        let allowed = ["gateway.internal", "*.example.com", "one.test:8080"].map(str::to_owned);
        Hosts::new(allowed.into(), listen.parse().unwrap())
    }

    #[test]
    fn a_host_of_this_machine_is_ours_and_one_that_a_page_can_have_is_not() {
        for (host, ours) in [
            ("localhost", true),
            ("LocalHost:8080", true),
            ("localhost.", true),
            ("app.localhost:1", true),
            ("127.0.0.1:8080", true),
            ("127.1.2.3", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]", true),
            ("gateway:8080", true),
            ("gateway.internal:9", true),
            ("a.example.com", true),
            ("a.b.example.com:8080", true),
            ("one.test:8080", true),
            ("one.test:8081", false),
            ("one.test", false),
            ("example.com", false),
            ("badexample.com", false),
            ("evil.test:8080", false),
            ("localhost.evil.test", false),
            ("127.0.0.1.evil.test", false),
            ("10.0.0.1", false),
            ("0.0.0.0:8080", false),
            ("[::1", false),
            ("", false),
            ("localhost:port", false),
            ("localhost@evil.test", false),
            ("localhost/evil.test", false),
            ("évil", false),
        ] {
            assert_eq!(hosts("127.0.0.1:8080").is_ours(host), ours, "{host}");
        }
    }

    #[test]
    fn beyond_loopback_every_address_is_ours() {
        for listen in ["0.0.0.0:1", "[::]:1", "192.168.0.2:1"] {
            assert!(hosts(listen).is_ours("192.168.0.2:9"), "{listen}");
            assert!(!hosts(listen).is_ours("evil.test"), "{listen}");
        }
        let any = Hosts::new(vec!["*".into()], "127.0.0.1:1".parse().unwrap());
        assert!(any.is_ours("evil.test"));
    }
}
