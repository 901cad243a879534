//! Where a request comes from, as far as counting needs it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, request::Parts},
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request comes from. None over the Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Remote {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        Ok(Self(peer.map(|peer| counted(behind(peer, &parts.headers)))))
    }
}

/// Of a proxy on this host the address that it says it was asked from: the last one, which it has written itself.
fn behind(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.to_canonical().is_loopback() {
        return peer;
    }
    let newest = headers.get_all(FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok());
    let named = newest.and_then(|value| value.rsplit(',').next());
    named.and_then(|name| name.trim().parse().ok()).unwrap_or(peer)
}

/// A household has 2^64 addresses of IPv6: they count as one.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_proxy_on_this_host_is_believed() {
        let cases = [
            ("203.0.113.7", vec![], "203.0.113.7"),
            ("203.0.113.7", vec!["198.51.100.1"], "203.0.113.7"),
            ("127.0.0.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("::1", vec!["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            ("::ffff:127.0.0.1", vec!["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", vec!["nonsense"], "127.0.0.1"),
            ("127.0.0.1", vec!["198.51.100.1, "], "127.0.0.1"),
            ("127.0.0.1", vec!["\u{fffd}"], "127.0.0.1"),
            ("127.0.0.1", vec!["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::1", vec![], "2001:db8:1:2::"),
            ("::ffff:203.0.113.7", vec![], "203.0.113.7"),
        ];
        for (peer, forwarded, want) in cases {
            let mut headers = HeaderMap::new();
            for value in &forwarded {
                headers.append(FORWARDED_FOR, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            let found = counted(behind(peer.parse().unwrap(), &headers));
            assert_eq!(found, want.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }
}
