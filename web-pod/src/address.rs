//! Where a request comes from, through proxies that are trusted and past what anybody else says.

use std::net::IpAddr;
use std::str::FromStr;

use axum::extract::Extension;
use http::{HeaderMap, HeaderName};
use roster::Settings;
use serve::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: that of the connection, or, where a trusted proxy made it, what the last proxy that is
/// trusted says. What stands further left was written by somebody who is not.
pub(crate) fn of(peer: Option<&Extension<Peer>>, headers: &HeaderMap, settings: &Settings) -> Option<IpAddr> {
    let Extension(Peer(peer)) = peer?;
    let trusted: Vec<Range> =
        settings.trusted_proxies.iter().filter_map(|range| range.parse().ok()).collect();
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.has(address));
    let mut address = peer.ip().to_canonical();
    let said =
        headers.get_all(FORWARDED_FOR).iter().flat_map(|line| line.to_str().unwrap_or_default().split(','));
    for one in said.collect::<Vec<_>>().into_iter().rev() {
        if !is_trusted(address) {
            break;
        }
        // A proxy that writes nonsense is asked no further.
        let Ok(before) = one.trim().parse::<IpAddr>() else { break };
        address = before.to_canonical();
    }
    Some(address)
}

/// Addresses that begin with the same bits.
struct Range {
    first: IpAddr,
    bits: u32,
}

impl FromStr for Range {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, bits) = text.split_once('/').ok_or(())?;
        let first: IpAddr = first.parse().map_err(|_| ())?;
        let bits = bits.parse().map_err(|_| ())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        if bits > most { Err(()) } else { Ok(Self { first, bits }) }
    }
}

impl Range {
    fn has(&self, address: IpAddr) -> bool {
        let differing = match (self.first, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= self.bits
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn nobody_but_a_trusted_proxy_says_where_a_client_is() {
        let trusted = ["10.0.0.0/8", "fd00::/16"].map(str::to_owned).to_vec();
        let settings = Settings { trusted_proxies: trusted, ..Settings::default() };
        for (peer, said, expected) in [
            ("203.0.113.7:1", &[][..], "203.0.113.7"),
            ("203.0.113.7:1", &["198.51.100.1"], "203.0.113.7"),
            ("10.1.2.3:1", &["198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3:1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3:1", &["6.6.6.6", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            ("10.1.2.3:1", &["6.6.6.6, nonsense"], "10.1.2.3"),
            ("10.1.2.3:1", &[], "10.1.2.3"),
            ("[fd00::1]:1", &["2001:db8::5"], "2001:db8::5"),
            ("[::ffff:10.1.2.3]:1", &["198.51.100.1"], "198.51.100.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in said {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
            }
            let peer = Extension(Peer(peer.parse().unwrap()));
            assert_eq!(
                of(Some(&peer), &headers, &settings),
                Some(expected.parse().unwrap()),
                "{peer:?} {said:?}"
            );
        }
        assert_eq!(of(None, &HeaderMap::new(), &settings), None);
    }

    #[test]
    fn a_range_is_its_first_bits() {
        for (range, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "::1", true),
        ] {
            assert_eq!(
                range.parse::<Range>().unwrap().has(address.parse().unwrap()),
                inside,
                "{range} {address}"
            );
        }
        for nonsense in ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129"] {
            assert!(nonsense.parse::<Range>().is_err(), "{nonsense}");
        }
    }
}
