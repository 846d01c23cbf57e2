//! L6: mail addresses and IP addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Learn, Scan, Shape, Span, Until};
use crate::address::Place;
use crate::kind::Kind;
use crate::options::Mode;
use crate::rules::R;

impl Scan<'_> {
    /// The `@` of a mail address stands two bytes before `end`.
    pub(super) fn email(&mut self, end: usize) {
        if self.scanner.identities.email == Mode::Keep {
            return;
        }
        let at = end - 2;
        let local = self.run_start(at, 64, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
        });
        let local = local
            + self.bytes[local..at]
                .iter()
                .take_while(|byte| matches!(byte, b'.' | b'-' | b'+' | b'%'))
                .count();
        let mut stop = at + 1;
        while self
            .bytes
            .get(stop)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            && stop < at + 254
        {
            stop += 1;
        }
        if stop == self.bytes.len() {
            self.open(local, Until::Run);
        }
        while matches!(self.bytes[stop - 1], b'.' | b'-') {
            stop -= 1;
        }
        let domain = &self.bytes[at + 1..stop];
        let top = domain.rsplit(|byte| *byte == b'.').next().unwrap_or(domain);
        let dotted = domain.contains(&b'.')
            && (2..=24).contains(&top.len())
            && top.iter().all(u8::is_ascii_alphabetic);
        // `git@host:path` is a program's address, not a person's; `…:password@host` is a URL's business.
        let before = local.checked_sub(1).map(|at| self.bytes[at]);
        let remote = &self.bytes[local..at] == b"git"
            || self.bytes.get(stop) == Some(&b':')
                && self
                    .bytes
                    .get(stop + 1)
                    .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'/')
                && before != Some(b'<');
        if local == at
            || !dotted
            || remote && &self.bytes[local..at] == b"git"
            || matches!(top, b"internal" | b"flycast" | b"local" | b"service" | b"scope")
                && !domain.contains(&b'.')
        {
            return;
        }
        if before == Some(b':')
            && self.bytes[..local].iter().rev().take(64).any(|byte| *byte == b'/')
        {
            return;
        }
        // The user of a URL that was found to be a key.
        if before == Some(b'/') && self.touches(local) {
            return;
        }
        let value = self.bytes[local..stop].to_ascii_lowercase();
        self.identity(
            R::Email,
            Kind::Email,
            local,
            stop,
            Some(value),
            self.scanner.identities.email,
        );
    }

    fn identity(
        &mut self,
        rule: R,
        kind: Kind,
        start: usize,
        end: usize,
        value: Option<Vec<u8>>,
        mode: Mode,
    ) {
        if mode == Mode::Mask {
            if !self.is_done(start, end) {
                let text = format!("‹{}›", kind.word());
                self.spans.push(Span {
                    start,
                    end,
                    from: start,
                    rule,
                    kind,
                    prefix: "",
                    value: None,
                    shape: Shape::Text(text),
                    learn: Learn::No,
                });
            }
            return;
        }
        self.claim_as(rule, kind, start, end, value, Learn::No);
    }

    /// Four dotted numbers, the last of which begins at `end - 1`.
    pub(super) fn ipv4(&mut self, end: usize) {
        let part = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let start = self.run_start(end, 24, part);
        let mut stop = end;
        while self.bytes.get(stop).is_some_and(|byte| part(*byte)) && stop < start + 24 {
            stop += 1;
        }
        if stop == self.bytes.len() {
            self.open(start, Until::Run);
        }
        let stop = if self.bytes[stop - 1] == b'.' { stop - 1 } else { stop };
        let start = if self.bytes.get(start) == Some(&b'.') { start + 1 } else { start };
        if start < self.address_to || stop <= start {
            return;
        }
        // A version, an object id, part of a name: what stands next to it tells.
        if self.glued(start, stop) {
            return;
        }
        let Some(address) = std::str::from_utf8(&self.bytes[start..stop])
            .ok()
            .and_then(|text| text.parse::<Ipv4Addr>().ok())
        else {
            return;
        };
        self.address(IpAddr::V4(address), start, stop);
    }

    /// Colons and hex digits around `end`.
    pub(super) fn ipv6(&mut self, end: usize) {
        let part = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
        let start = self.run_start(end, 48, part);
        let mut stop = end;
        while self.bytes.get(stop).is_some_and(|byte| part(*byte)) && stop < start + 64 {
            stop += 1;
        }
        if start < self.address_to {
            return;
        }
        if stop == self.bytes.len() {
            self.open(start, Until::Run);
        }
        if self.glued(start, stop) {
            return;
        }
        // Punctuation around it, and a port behind one that has no brackets, are no part of it.
        let mut to = stop;
        let mut from = start;
        for _ in 0..3 {
            let Ok(text) = std::str::from_utf8(&self.bytes[from..to]) else { return };
            if text.len() < 3 {
                return;
            }
            if let Ok(address) = text.parse::<Ipv6Addr>() {
                self.address(IpAddr::V6(address), from, to);
                return;
            }
            if matches!(self.bytes[to - 1], b'.' | b':') {
                to -= 1;
            } else if matches!(self.bytes[from], b'.' | b':')
                && !self.bytes[from..].starts_with(b"::")
            {
                from += 1;
            } else {
                return;
            }
        }
    }

    /// Whether a letter, digit or `_` that belongs to no secret stands right before or behind: then it is part of a longer word.
    fn glued(&mut self, start: usize, stop: usize) -> bool {
        let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let before = start > 0 && part(self.bytes[start - 1]) && !self.bounded(start);
        let behind = self.bytes.get(stop).is_some_and(|byte| part(*byte));
        before && !self.touches(start) || behind && !self.touches(stop)
    }

    /// Whether a span that a literal led to begins or ends at `at`.
    fn touches(&mut self, at: usize) -> bool {
        let spans = &self.spans;
        let edges = self.edges.get_or_insert_with(|| {
            let mut edges: Vec<_> = spans.iter().flat_map(|span| [span.start, span.end]).collect();
            edges.sort_unstable();
            edges
        });
        edges.binary_search(&at).is_ok()
    }

    fn address(&mut self, address: IpAddr, start: usize, end: usize) {
        self.address_to = end;
        let place = crate::address::place(address);
        let modes = self.scanner.identities;
        let (mode, rule) = match (place, address) {
            (Place::Public, IpAddr::V4(_)) => (modes.public_ip, R::Ipv4),
            (Place::Public, IpAddr::V6(_)) => (modes.public_ip, R::Ipv6),
            (Place::SixPn, _) => (modes.six_pn, R::SixPn),
            (Place::Literal, _) => return,
        };
        let text = match mode {
            Mode::Keep => return,
            Mode::Mask => format!("‹{}›", Kind::Ip.word()),
            Mode::Pseudonym => self.scanner.addresses.map(address).to_string(),
        };
        self.spans.push(Span {
            start,
            end,
            from: start,
            rule,
            kind: Kind::Ip,
            prefix: "",
            value: None,
            shape: Shape::Text(text),
            learn: Learn::No,
        });
    }
}
