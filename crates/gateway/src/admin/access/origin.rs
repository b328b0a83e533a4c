//! What a request says of where it comes from.

use std::net::IpAddr;

use http::{HeaderMap, Request, header, uri::Authority};

/// Whether the request is addressed to an IP address or to `localhost`. A page of a name that was rebound to this address is not:
/// the browser sends that name.
pub(super) fn is_addressed_by_ip<B>(request: &Request<B>) -> bool {
    let host = host_of(request.headers());
    let host = request.uri().authority().cloned().or(host);
    host.is_some_and(|authority| {
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
    })
}

/// Whether the request comes from a page of another origin.
pub(super) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let origin = origin.and_then(|(_, authority)| authority.parse::<Authority>().ok());
    origin.is_none() || origin != host_of(headers)
}

/// The header `host`, if there is one.
fn host_of(headers: &HeaderMap) -> Option<Authority> {
    let mut all = headers.get_all(header::HOST).iter();
    let host = all.next()?.to_str().ok()?.parse().ok()?;
    all.next().is_none().then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_localhost_are_allowed_and_names_are_not() {
        let by_ip = |host: &str| {
            is_addressed_by_ip(&Request::get("/").header(header::HOST, host).body(()).unwrap())
        };
        for right in
            ["127.0.0.1:9090", "127.0.0.1", "[::1]:9090", "localhost:9", "LOCALHOST", "10.0.0.7:80"]
        {
            assert!(by_ip(right), "{right}");
        }
        for wrong in ["evil.example:9090", "localhost.evil.example", "127.0.0.1.nip.io", "", "a b"]
        {
            assert!(!by_ip(wrong), "{wrong}");
        }
        assert!(!is_addressed_by_ip(&Request::get("/").body(()).unwrap()));
        let absolute = Request::get("http://evil.example/").header(header::HOST, "localhost");
        assert!(!is_addressed_by_ip(&absolute.body(()).unwrap()));
        let two = Request::get("/").header(header::HOST, "localhost").header(header::HOST, "evil");
        assert!(!is_addressed_by_ip(&two.body(()).unwrap()));
    }

    #[test]
    fn only_the_own_origin_is_not_elsewhere() {
        let elsewhere = |origin: Option<&'static str>| {
            let mut headers =
                HeaderMap::from_iter([(header::HOST, "localhost:9".parse().unwrap())]);
            origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().unwrap()));
            is_from_elsewhere(&headers)
        };
        assert!(!elsewhere(None) && !elsewhere(Some("http://localhost:9")));
        for wrong in ["http://localhost:8", "http://evil.example", "null", "http://localhost"] {
            assert!(elsewhere(Some(wrong)), "{wrong}");
        }
    }
}
