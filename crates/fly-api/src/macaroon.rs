//! Reads what a macaroon says about itself, without a key: where it is from, until when it holds, what it is narrowed to.
//!
//! The form is superfly/macaroon's: MessagePack, structures as arrays, a token being `[nonce, location, caveats, tail]` and
//! `caveats` a flat list of type and body in turn. Nothing here can tell whether a token is genuine, only the platform can;
//! and nothing secret (nonce, tail, tickets of discharges) is kept. It must not know: how tokens are sent.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde::Serialize;

/// A macaroon's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MacaroonFacts {
    /// Who made it, an address.
    pub location: String,
    /// It does not hold before.
    pub not_before: Option<Timestamp>,
    /// It does not hold after: the earliest end that a caveat of its own sets. Discharges may end earlier.
    pub expires: Option<Timestamp>,
    /// The organization's number and what may be done in it, e.g. `77: read, write`.
    pub organization: Option<String>,
    /// Apps by number with what may be done to each, when it is narrowed to apps.
    pub apps: Option<Vec<String>>,
    /// Every caveat by name; an unknown type by its number.
    pub caveats: Vec<String>,
}

/// Numbers and names of caveats (superfly/macaroon `caveat.go`).
const CAVEATS: [(u64, &str); 24] = [
    (0, "organization"),
    (2, "volumes"),
    (3, "apps"),
    (4, "validity window"),
    (5, "feature set"),
    (6, "mutations"),
    (7, "machines"),
    (8, "confined to a user"),
    (9, "confined to an organization"),
    (10, "user"),
    (11, "third party"),
    (12, "bound to a parent token"),
    (13, "if present"),
    (14, "machine feature set"),
    (15, "from a machine"),
    (16, "clusters"),
    (19, "confined to a Google domain"),
    (20, "confined to a GitHub organization"),
    (21, "maximum validity"),
    (22, "member"),
    (26, "action"),
    (27, "commands"),
    (28, "app feature set"),
    (29, "storage objects"),
];

/// Bits of what may be done, lowest first (superfly/macaroon `resset/action.go`).
const ACTIONS: [&str; 5] = ["read", "write", "create", "delete", "control"];

/// Nesting beyond this is no macaroon.
const MAX_DEPTH: usize = 16;

impl MacaroonFacts {
    /// Reads one token, with or without its `fm2_` prefix. None when it is no macaroon of the current form.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let body = token.split_once('_').map_or(token, |(_, body)| body);
        let lenient = GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
        let bytes =
            GeneralPurpose::new(&base64::alphabet::STANDARD, lenient).decode(body.trim()).ok()?;
        let mut reader = Reader { bytes: &bytes };
        let Value::List(parts) = reader.value(0)? else { return None };
        let [_, Value::Text(location), Value::List(caveats), _] = parts.as_slice() else {
            return None;
        };
        let mut facts = Self { location: location.clone(), ..Self::default() };
        for pair in caveats.chunks(2) {
            let [Value::Number(number), body] = pair else { return None };
            facts.caveat(u64::try_from(*number).ok()?, body);
        }
        Some(facts)
    }

    fn caveat(&mut self, number: u64, body: &Value) {
        let known = CAVEATS.iter().find(|(known, _)| *known == number);
        self.caveats.push(known.map_or_else(|| format!("type {number}"), |it| it.1.to_owned()));
        let Value::List(fields) = body else { return };
        match (number, fields.as_slice()) {
            (0, [Value::Number(id), Value::Number(mask)]) => {
                self.organization = Some(format!("{id}: {}", actions(*mask)));
            }
            (3, [Value::Map(apps)]) => {
                let named = apps.iter().filter_map(|(app, mask)| match (app, mask) {
                    (Value::Number(id), Value::Number(mask)) => {
                        Some(format!("{id}: {}", actions(*mask)))
                    }
                    _ => None,
                });
                self.apps = Some(named.collect());
            }
            (4, [Value::Number(from), Value::Number(to)]) => {
                self.not_before = later(self.not_before, seconds(*from));
                self.expires = earlier(self.expires, seconds(*to));
            }
            _ => {}
        }
    }
}

fn seconds(number: i128) -> Option<Timestamp> {
    i64::try_from(number).ok().and_then(|number| Timestamp::from_second(number).ok())
}

fn later(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.max(b)
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

fn actions(mask: i128) -> String {
    let named: Vec<&str> = ACTIONS
        .iter()
        .enumerate()
        .filter(|(bit, _)| mask >> bit & 1 == 1)
        .map(|(_, name)| *name)
        .collect();
    if named.is_empty() { "nothing".to_owned() } else { named.join(", ") }
}

/// As much of MessagePack as a macaroon needs; the content of byte strings is passed over.
enum Value {
    Number(i128),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Other,
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(head)
    }

    fn unsigned(&mut self, width: usize) -> Option<u64> {
        Some(self.take(width)?.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, width: usize) -> Option<i128> {
        let bits = 8 * u32::try_from(width).ok()?;
        let value = i128::from(self.unsigned(width)?);
        Some(if value >> (bits - 1) == 1 { value - (1 << bits) } else { value })
    }

    fn length(&mut self, width: usize) -> Option<usize> {
        usize::try_from(self.unsigned(width)?).ok()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let first = *self.take(1)?.first()?;
        let small = |mask: u8| usize::from(first & mask);
        Some(match first {
            0x00..=0x7f => Value::Number(first.into()),
            0x80..=0x8f => self.map(small(0x0f), depth)?,
            0x90..=0x9f => self.list(small(0x0f), depth)?,
            0xa0..=0xbf => self.text(small(0x1f))?,
            0xc0 | 0xc2 | 0xc3 => Value::Other,
            0xc4..=0xc6 => {
                let length = self.length(1 << (first - 0xc4))?;
                self.skip(length)?
            }
            0xc7..=0xc9 => {
                let length = self.length(1 << (first - 0xc7))?;
                self.skip(length.checked_add(1)?)?
            }
            0xca => self.skip(4)?,
            0xcb => self.skip(8)?,
            0xcc..=0xcf => Value::Number(self.unsigned(1 << (first - 0xcc))?.into()),
            0xd0..=0xd3 => Value::Number(self.signed(1 << (first - 0xd0))?),
            0xd4..=0xd8 => self.skip((1 << (first - 0xd4)) + 1)?,
            0xd9..=0xdb => {
                let length = self.length(1 << (first - 0xd9))?;
                self.text(length)?
            }
            0xdc | 0xdd => {
                let length = self.length(2 << (first - 0xdc))?;
                self.list(length, depth)?
            }
            0xde | 0xdf => {
                let length = self.length(2 << (first - 0xde))?;
                self.map(length, depth)?
            }
            0xe0..=0xff => Value::Number(i128::from(first) - 256),
            0xc1 => return None,
        })
    }

    fn skip(&mut self, length: usize) -> Option<Value> {
        self.take(length).map(|_| Value::Other)
    }

    fn text(&mut self, length: usize) -> Option<Value> {
        let bytes = self.take(length)?;
        Some(Value::Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    // Every element takes a byte at least, so a length cannot ask for more memory than the token has bytes.
    fn list(&mut self, length: usize, depth: usize) -> Option<Value> {
        let mut list = Vec::with_capacity(length.min(self.bytes.len()));
        for _ in 0..length {
            list.push(self.value(depth + 1)?);
        }
        Some(Value::List(list))
    }

    fn map(&mut self, length: usize, depth: usize) -> Option<Value> {
        let mut map = Vec::with_capacity(length.min(self.bytes.len()));
        for _ in 0..length {
            map.push((self.value(depth + 1)?, self.value(depth + 1)?));
        }
        Some(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by superfly/macaroon itself with a key that was thrown away: organization 77, app 4242, a validity window.
    const REAL: &str = "fm2_lJPEBWtpZC0xxBDp+WgN3EQFt4/kGMqSbE2lwrVodHRwczovL2FwaS5mbHkuaW8vdjGWAJJNHwORgc0QkgMEks5qsTuAzmtJ0gDEIEPtB9OmyVme+ioMWCDsLMc0+DirzzqaX+UIfMWAYdpi";

    #[test]
    fn a_real_macaroon_says_what_it_is_limited_to() {
        let facts = MacaroonFacts::read(REAL).unwrap();
        assert_eq!(facts.location, "https://api.fly.io/v1");
        assert_eq!(facts.organization.as_deref(), Some("77: read, write, create, delete, control"));
        assert_eq!(facts.apps, Some(vec!["4242: read, write".to_owned()]));
        assert_eq!(facts.not_before, Timestamp::from_second(1_790_000_000).ok());
        assert_eq!(facts.expires, Timestamp::from_second(1_800_000_000).ok());
        assert_eq!(facts.caveats, ["organization", "apps", "validity window"]);
        // Neither the nonce nor the signature can come back out.
        let text = serde_json::to_string(&facts).unwrap();
        assert!(!text.contains("kid-1"), "{text}");
    }

    #[test]
    fn what_is_no_macaroon_is_unknown() {
        for text in ["", "fm2_", "fm2_AAAA", "fm2_!!!!", "fm2_3f//////", "fo1_abc", "fm1r_lJPE"] {
            assert_eq!(MacaroonFacts::read(text), None, "{text}");
        }
        // Cut anywhere, it is refused or read, never a panic.
        for length in 0..REAL.len() {
            assert_eq!(MacaroonFacts::read(&REAL[..length]), None, "{length}");
        }
        // Lists in lists without an end.
        let deep = base64::engine::general_purpose::STANDARD.encode([0x91; 4000]);
        assert_eq!(MacaroonFacts::read(&format!("fm2_{deep}")), None);
    }

    #[test]
    fn the_earliest_end_counts() {
        let mut facts = MacaroonFacts::default();
        for to in [1_900_000_000, 1_800_000_000, 1_850_000_000] {
            facts.caveat(4, &Value::List(vec![Value::Number(0), Value::Number(to)]));
        }
        assert_eq!(facts.expires, Timestamp::from_second(1_800_000_000).ok());
    }
}
