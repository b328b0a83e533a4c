//! The address that connections are counted by.

use std::net::IpAddr;

use crate::limits::EdgeLimits;

/// A peer: an IPv4 address, or the 64 bits of an IPv6 address that a host chooses no part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    /// On loopback all clients of this machine have one address.
    Loopback,
    V4([u8; 4]),
    V6([u16; 4]),
}

// === impl Peer ===

impl Peer {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            address if address.is_loopback() => Self::Loopback,
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }

    /// The most connections of this peer.
    pub(super) fn limit(self, limits: &EdgeLimits) -> usize {
        match (limits.connections_per_peer, self) {
            (Some(limit), _) => limit,
            (None, Self::Loopback) => limits.connections,
            (None, _) => limits.connections.div_ceil(4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::of(address.parse().unwrap())
    }

    #[test]
    fn a_host_is_one_peer_whatever_address_it_chooses() {
        assert_eq!(peer("2001:db8:1:2::1"), peer("2001:db8:1:2:ffff::9"));
        assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
        assert_ne!(peer("10.0.0.2"), peer("10.0.0.1"));
        assert_eq!([peer("127.0.0.1"), peer("::1"), peer("::ffff:127.0.0.9")], [Peer::Loopback; 3]);
    }

    #[test]
    fn a_peer_has_a_quarter_of_the_connections_and_this_machine_all_of_them_unless_it_is_set() {
        let limits = EdgeLimits { connections: 10, ..EdgeLimits::default() };
        assert_eq!((peer("10.0.0.1").limit(&limits), peer("::1").limit(&limits)), (3, 10));
        let limits = EdgeLimits { connections_per_peer: Some(7), ..limits };
        assert_eq!((peer("10.0.0.1").limit(&limits), peer("::1").limit(&limits)), (7, 7));
    }
}
