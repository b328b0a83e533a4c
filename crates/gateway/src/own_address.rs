//! An upstream or a target that is the gateway itself.

use std::net::{IpAddr, SocketAddr};

use http::Uri;

/// The first of the origins that a gateway listening there would send to itself, as one line. What only a resolver knows is seen by
/// the `via` of the first request.
pub(crate) fn refuse(listen: SocketAddr, origins: &[&Uri]) -> Result<(), String> {
    match origins.iter().find(|origin| is_own(listen, origin)) {
        Some(origin) => Err(format!(
            "{origin} is the gateway itself, which listens on {listen}; allowed is the address of another server, or another --listen"
        )),
        None => Ok(()),
    }
}

fn is_own(listen: SocketAddr, origin: &Uri) -> bool {
    let usual = if origin.scheme_str() == Some("https") { 443 } else { 80 };
    let host = origin.host().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.');
    // The system picks another port than any that is named.
    if listen.port() == 0 || origin.port_u16().unwrap_or(usual) != listen.port() {
        return false;
    }
    let local = host.eq_ignore_ascii_case("localhost");
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        // The system connects to the loopback for `0.0.0.0` and `::`.
        Ok(address) if address.is_loopback() || address.is_unspecified() => {
            takes_loopback(listen, address)
        }
        Ok(address) => address == listen.ip().to_canonical(),
        Err(_) => local && (listen.ip().is_loopback() || listen.ip().is_unspecified()),
    }
}

/// Whether a listener gets the connections to that loopback address.
fn takes_loopback(listen: SocketAddr, address: IpAddr) -> bool {
    let own = listen.ip().to_canonical();
    own.is_unspecified() || own == address || (address.is_unspecified() && own.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_address_is_known_in_all_its_names() {
        for (listen, origin, own) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "http://LocalHost:8080", true),
            ("127.0.0.1:8080", "http://localhost.:8080", true),
            ("127.0.0.1:8080", "http://0.0.0.0:8080", true),
            ("127.0.0.1:8080", "http://[::ffff:127.0.0.1]:8080", true),
            ("0.0.0.0:8080", "http://127.0.0.1:8080", true),
            ("[::]:8080", "http://[::1]:8080", true),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("10.0.0.5:8080", "http://10.0.0.5:8080", true),
            ("127.0.0.1:80", "http://localhost", true),
            ("127.0.0.1:443", "https://localhost/v1", true),
            ("127.0.0.1:8080", "http://127.0.0.1:8081", false),
            ("127.0.0.1:8080", "http://127.0.0.2:8080", false),
            ("127.0.0.1:8080", "http://10.0.0.5:8080", false),
            ("10.0.0.5:8080", "http://localhost:8080", false),
            ("127.0.0.1:8080", "https://api.openai.com", false),
            ("127.0.0.1:0", "http://127.0.0.1:8080", false),
        ] {
            let (listen, origin): (SocketAddr, Uri) =
                (listen.parse().unwrap(), origin.parse().unwrap());
            assert_eq!(refuse(listen, &[&origin]).is_err(), own, "{listen} {origin}");
        }
    }
}
