//! The gateways that a request has passed, in the header `via` (RFC 9110, 7.6.3).
//!
//! Each process has a random pseudonym. A request that comes back with it goes in a circle: the gateway, or one behind it, is
//! pointed at itself. It would go round until no connection is left, so it is refused.

use std::hash::{BuildHasher, Hasher, RandomState};

use http::{HeaderMap, HeaderValue, StatusCode, header::VIA};

use super::errors::GatewayError;

/// The name of a gateway in `via`.
#[derive(Clone, Debug)]
pub(crate) struct Hop(Box<str>);

/// The value of `via` for the requests that are sent for a call, in their extensions: the transport adds it, wherever they go.
#[derive(Clone, Debug)]
pub(crate) struct Via(pub(crate) HeaderValue);

/// What all pseudonyms begin with.
const PREFIX: &str = "evenkeel-";
/// The most gateways of evenkeel in front of this one.
const MAX_HOPS: usize = 4;

// === impl Hop ===

impl Hop {
    /// Creates a random name.
    pub(crate) fn random() -> Self {
        Self(format!("{PREFIX}{:016x}", RandomState::new().build_hasher().finish()).into())
    }

    /// The `via` of the requests for a call. Entries of other proxies stay in `headers`.
    pub(super) fn pass(&self, headers: &mut HeaderMap) -> Result<Via, GatewayError> {
        let entries: Vec<String> = headers
            .get_all(VIA)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|entry| entry.trim().to_owned())
            .collect();
        let (ours, others): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .filter(|entry| !entry.is_empty())
            .partition(|it| gateway(it).is_some());
        if ours.iter().any(|entry| gateway(entry) == Some(&self.0)) {
            return Err(refused(
                "the request has passed this gateway before: the gateway, or one behind it, is its own upstream",
            ));
        }
        if ours.len() > MAX_HOPS {
            return Err(refused(
                "the request has passed more than 4 gateways of evenkeel; allowed is one behind the other up to 5",
            ));
        }
        headers.remove(VIA);
        if let Ok(value) = HeaderValue::try_from(others.join(", ")) {
            if !value.is_empty() {
                headers.insert(VIA, value);
            }
        }
        let own = format!("1.1 {}", self.0);
        let all = ours.into_iter().chain([own]).collect::<Vec<_>>().join(", ");
        // Entries that came in a header can go in one.
        Ok(Via(HeaderValue::try_from(all).unwrap_or(HeaderValue::from_static("1.1 evenkeel"))))
    }
}

/// The pseudonym of an entry, if it is of a gateway: the entry is a protocol and a name.
fn gateway(entry: &str) -> Option<&str> {
    entry.split_ascii_whitespace().nth(1).filter(|name| name.starts_with(PREFIX))
}

fn refused(why: &str) -> GatewayError {
    GatewayError::new(StatusCode::LOOP_DETECTED, "loop", format!("evenkeel: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (VIA, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn each_gateway_adds_itself_behind_those_before_it() {
        let (first, second) = (Hop::random(), Hop::random());
        let mut headers = via(&["1.1 cdn (x), HTTP/2 other"]);
        let one = first.pass(&mut headers).unwrap().0;
        assert_eq!(one, format!("1.1 {}", first.0));
        assert_eq!(headers[VIA], "1.1 cdn (x), HTTP/2 other");
        headers.append(VIA, one);
        let two = second.pass(&mut headers).unwrap().0;
        assert_eq!(two, format!("1.1 {}, 1.1 {}", first.0, second.0));
        assert_eq!(headers[VIA], "1.1 cdn (x), HTTP/2 other");
        assert_ne!(first.0, second.0);
    }

    #[test]
    fn a_circle_and_a_long_chain_are_refused() {
        let hop = Hop::random();
        let back = format!("1.1 cdn, 1.1 {}", hop.0);
        assert!(hop.pass(&mut via(&["1.1 a", &back])).is_err());
        let chain = |length: usize| vec!["1.1 evenkeel-1"; length];
        assert!(hop.pass(&mut via(&chain(4))).is_ok());
        assert!(hop.pass(&mut via(&chain(5))).is_err());
        assert!(hop.pass(&mut via(&["", "1.1", ",,", "evenkeel-"])).is_ok());
    }
}
