//! Pseudonyms of IP addresses that are addresses again, so that whatever reads the file next can still parse it.
//!
//! A mapped address is recognisable, because redacting twice must change nothing: IPv4 goes to 224.0.0.0/3 (multicast and reserved, never a
//! client), IPv6 to the documentation range 3fff::/20, a private network of Fly.io to network numbers beginning with ff. Structure
//! survives: addresses with a common prefix keep one, and the fields of a private address are mapped each on its own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::key::PseudonymKey;

/// Most IPv4 addresses whose pseudonyms are kept apart. Beyond, two may meet (one pair in 2^29).
const MOST: usize = 1 << 18;

/// What an address is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Somebody's address on the internet.
    Public,
    /// Fly.io's private network, `fdaa::/16`.
    SixPn,
    /// Says nothing about anybody: loopback, unspecified, link-local, documentation, private, multicast, reserved, Fly.io's anycast.
    Literal,
}

/// Fly.io's anycast range of IPv4: first address and length of the prefix. This one and 2a09:8280:1::/48 hold every address that the
/// platform was recorded to hand out to apps; others that it announces are treated like anybody's.
const ANYCAST_V4: (Ipv4Addr, u32) = (Ipv4Addr::new(66, 241, 124, 0), 23);

/// Where an address belongs.
pub(crate) fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(v4) => place_v4(v4),
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            if let Some(v4) = v6.to_ipv4_mapped() {
                return place_v4(v4);
            }
            match segments {
                // The resolver of a Machine (`fdaa::3`) is the same everywhere.
                [0xfdaa, network, rest, host, host_rest, ..] => {
                    let resolver = [network, rest, host, host_rest] == [0; 4];
                    if resolver || network >= 0xff00 { Place::Literal } else { Place::SixPn }
                }
                [0x2a09, 0x8280, 1, ..] | [0x2001, 0xdb8, ..] => Place::Literal,
                [0x3fff, next, ..] if next < 0x1000 => Place::Literal,
                [first, ..] if (0x2000..0x4000).contains(&first) => Place::Public,
                _ => Place::Literal,
            }
        }
    }
}

fn place_v4(v4: Ipv4Addr) -> Place {
    let [a, b, ..] = v4.octets();
    let (first, length) = ANYCAST_V4;
    let anycast = (v4.to_bits() ^ first.to_bits()) >> (32 - length) == 0;
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    if anycast
        || shared
        || benchmark
        || v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_unspecified()
        || v4.is_documentation()
        || a >= 224
        || a == 0
    {
        // 0.0.0.0/8 never is a client's, and is what dotted versions such as 0.1.2.3 look like.
        Place::Literal
    } else {
        Place::Public
    }
}

/// Maps addresses. One per run: it remembers which pseudonym belongs to whom, so that no two addresses share one.
pub(crate) struct Addresses {
    key: PseudonymKey,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    by_source: HashMap<u32, u32>,
    by_pseudonym: HashMap<u32, u32>,
}

impl Addresses {
    pub(crate) fn new(key: PseudonymKey) -> Self {
        Self { key, taken: Mutex::new(Taken::default()) }
    }

    pub(crate) fn map(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) => IpAddr::V4(self.v4(v4)),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => IpAddr::V6(self.v4(v4).to_ipv6_mapped()),
                None if v6.segments()[0] == 0xfdaa => IpAddr::V6(self.six_pn(v6)),
                None => IpAddr::V6(self.v6(v6)),
            },
        }
    }

    /// Each bit is turned or not by what stands before it, so that a common prefix stays one; then the first three bits are set.
    fn v4(&self, address: Ipv4Addr) -> Ipv4Addr {
        let source = address.to_bits();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mapped) = taken.by_source.get(&source) {
            return Ipv4Addr::from_bits(*mapped);
        }
        let mut mapped = 0;
        for bit in 0..32 {
            let prefix = if bit == 0 { 0 } else { source >> (32 - bit) };
            let turn = self.key.hash(
                "v4",
                &[&[u8::try_from(bit).unwrap_or(0)][..], &prefix.to_be_bytes()].concat(),
            ) & 1;
            mapped = mapped << 1 | (source >> (31 - bit) & 1) ^ u32::try_from(turn).unwrap_or(0);
        }
        mapped |= 0xe000_0000;
        // Three bits were lost, so another address may have got here first: take a free one nearby.
        let mut tries = 0;
        while taken.by_pseudonym.get(&mapped).is_some_and(|owner| *owner != source) && tries < 4096
        {
            tries += 1;
            let step = self
                .key
                .hash("v4-again", &[source.to_be_bytes(), u32::to_be_bytes(tries)].concat());
            let spread = if tries < 64 { 0xff } else { 0x1fff_ffff };
            mapped = mapped & !spread
                | u32::try_from(step & u64::from(spread)).unwrap_or(0)
                | 0xe000_0000;
        }
        if taken.by_source.len() < MOST {
            taken.by_source.insert(source, mapped);
            taken.by_pseudonym.insert(mapped, source);
        }
        Ipv4Addr::from_bits(mapped)
    }

    /// Twelve bits for the /32, sixteen each for the /48 and the /64, the rest for the whole address.
    fn v6(&self, address: Ipv6Addr) -> Ipv6Addr {
        let octets = address.octets();
        let part = |label: &str, length: usize| self.key.hash(label, &octets[..length]);
        let [a, b, c, d] = segments(part("v6-128", 16));
        Ipv6Addr::new(
            0x3fff,
            low16(part("v6-32", 4)) & 0xfff,
            low16(part("v6-48", 6)),
            low16(part("v6-64", 8)),
            a,
            b,
            c,
            d,
        )
    }

    /// `fdaa`, network/32, host/32, machine/32 and the last sixteen bits, which stay (superfly/docs `networking/private-networking.html.md`).
    fn six_pn(&self, address: Ipv6Addr) -> Ipv6Addr {
        let [_, network0, network1, host0, host1, machine0, machine1, last] = address.segments();
        let field = |label: &str, high: u16, low: u16| {
            if high == 0 && low == 0 {
                return [0, 0];
            }
            let [_, _, a, b] =
                segments(self.key.hash(label, &[high.to_be_bytes(), low.to_be_bytes()].concat()));
            [a, b]
        };
        let [n0, n1] = field("6pn-network", network0, network1);
        let [h0, h1] = field("6pn-host", host0, host1);
        let [m0, m1] = field("6pn-machine", machine0, machine1);
        Ipv6Addr::new(0xfdaa, 0xff00 | n0 & 0xff, n1, h0, h1, m0, m1, last)
    }
}

fn segments(hash: u64) -> [u16; 4] {
    [48, 32, 16, 0].map(|shift| low16(hash >> shift))
}

fn low16(hash: u64) -> u16 {
    u16::try_from(hash & 0xffff).unwrap_or(0)
}
