//! Addresses stay addresses, and who shares what with whom can be read from them as before.

#![expect(clippy::cast_possible_truncation, reason = "numbers below a few hundred")]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redact::{Format, Redactor};

use crate::support::redactor;

/// A small generator of numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: u64) -> u64 {
        (self.next() >> 20) % most
    }
}

/// Each address alone on its line, in one run of one redactor.
fn mapped<A: ToString>(redactor: &Redactor, addresses: &[A]) -> Vec<IpAddr> {
    let lines: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let (out, _) = redactor.redact("a", Format::Text, lines.join("\n").as_bytes()).unwrap();
    let out = String::from_utf8(out).unwrap();
    out.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("no address: {line}"))).collect()
}

/// Panics unless equal parts, and only those, became equal parts.
fn isomorphic<T: std::hash::Hash + Eq + std::fmt::Debug + Copy>(
    pairs: impl Iterator<Item = (T, T)>,
) {
    let (mut there, mut back) = (HashMap::new(), HashMap::new());
    for (before, after) in pairs {
        assert_eq!(*there.entry(before).or_insert(after), after, "{before:?} became two things");
        assert_eq!(*back.entry(after).or_insert(before), before, "two things became {after:?}");
    }
}

fn public_v4(count: usize) -> Vec<Ipv4Addr> {
    let mut numbers = Numbers(11);
    let networks = [[84, 23], [84, 24], [9, 8], [203, 1], [100, 2]];
    (0..count)
        .map(|_| {
            let [a, b] = networks[numbers.below(5) as usize];
            Ipv4Addr::new(a, b, numbers.below(40) as u8, numbers.below(250) as u8 + 1)
        })
        .collect()
}

#[test]
fn public_ipv4_is_mapped_one_to_one_and_near_ones_stay_near() {
    let before = public_v4(3000);
    let after = mapped(&redactor(), &before);
    isomorphic(before.iter().map(|v4| IpAddr::V4(*v4)).zip(after.iter().copied()));
    let bits = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.to_bits(),
        IpAddr::V6(_) => panic!("another family"),
    };
    for pair in before.windows(2).zip(after.windows(2)) {
        let common = (pair.0[0].to_bits() ^ pair.0[1].to_bits()).leading_zeros();
        let kept = (bits(&pair.1[0]) ^ bits(&pair.1[1])).leading_zeros();
        // The first three bits mark a pseudonym, and a clash moves the last eight.
        assert!(kept >= common.min(24), "{pair:?}");
    }
    assert!(before.iter().zip(&after).all(|(before, after)| IpAddr::V4(*before) != *after));
}

#[test]
fn one_address_is_one_pseudonym_whatever_it_begins_with() {
    let after =
        mapped(&redactor(), &["84.1.2.3", "84.1.2.34", "84.1.2.3", "84.1.2.30", "8.84.1.2"]);
    isomorphic([3_u128, 34, 3, 30, 0].into_iter().zip(after.iter().map(|after| match after {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    })));
}

#[test]
fn public_ipv6_keeps_its_networks() {
    let mut numbers = Numbers(5);
    let before: Vec<Ipv6Addr> = (0..2000)
        .map(|_| {
            let site = numbers.below(3) as u16;
            let net = numbers.below(4) as u16;
            Ipv6Addr::new(0x2605, 0x4c40 + site, 1, net, 0, 0, 0, numbers.below(200) as u16 + 1)
        })
        .collect();
    let after: Vec<Ipv6Addr> = mapped(&redactor(), &before)
        .into_iter()
        .map(|after| match after {
            IpAddr::V6(v6) => v6,
            IpAddr::V4(_) => panic!("another family"),
        })
        .collect();
    for length in [2, 4, 8] {
        let part = |address: &Ipv6Addr| {
            let mut part = [0; 8];
            part[..length].copy_from_slice(&address.segments()[..length]);
            part
        };
        isomorphic(before.iter().map(part).zip(after.iter().map(part)));
    }
}

#[test]
fn machines_that_share_a_host_or_a_network_still_do() {
    let mut numbers = Numbers(3);
    let before: Vec<Ipv6Addr> = (0..3000)
        .map(|_| {
            let mut field = |most| numbers.below(most) as u16;
            let (network, host, machine) = (field(7) + 1, field(30) + 1, field(200) + 1);
            Ipv6Addr::new(0xfdaa, 0, network, 0xa7b, host, 0x2c, machine, 2)
        })
        .collect();
    let after = mapped(&redactor(), &before);
    let segments = |address: &IpAddr| match address {
        IpAddr::V6(v6) => v6.segments(),
        IpAddr::V4(_) => panic!("another family"),
    };
    for field in [1, 3, 5] {
        isomorphic(before.iter().zip(&after).map(|(before, after)| {
            let (before, after) = (before.segments(), segments(after));
            ((before[field], before[field + 1]), (after[field], after[field + 1]))
        }));
    }
    assert!(after.iter().all(|after| segments(after)[0] == 0xfdaa && segments(after)[7] == 2));
}

#[test]
fn ranges_that_say_nothing_about_anybody_stay_and_no_more() {
    for kept in [
        "10.1.2.3",
        "172.19.4.2",
        "192.168.1.1",
        "127.0.0.1",
        "0.0.0.0",
        "169.254.1.1",
        "192.0.2.7",
        "198.51.100.1",
        "203.0.113.9",
        "66.241.124.9",
        "66.241.125.200",
        "100.64.3.4",
        "::1",
        "fe80::1",
        "2001:db8::9",
        "2a09:8280:1::42",
        "fdaa::3",
    ] {
        assert_eq!(mapped(&redactor(), &[kept])[0].to_string(), kept);
    }
    for mapped_one in [
        "1.2.3.4",
        "8.8.8.8",
        "66.241.123.1",
        "66.241.126.1",
        "172.32.0.1",
        "137.66.1.2",
        "213.188.200.1",
        "100.128.0.1",
        "2a09:8280:2::1",
        "2606:4700::1",
    ] {
        assert_ne!(mapped(&redactor(), &[mapped_one])[0].to_string(), mapped_one);
    }
}
