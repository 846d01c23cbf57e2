//! L4: values known to be secret, wherever they stand and in whatever form: as they are, JSON-escaped, percent-encoded, in hex, inside base64 at
//! any alignment.
//!
//! New values come with every window, so the index must grow cheaply: a bitmap over six bytes of every form says "not here" at
//! one step a byte, and a table over the same bytes leads to the candidates. Memory is bounded; what does not fit is counted.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::key::PseudonymKey;
use crate::kind::{self, Kind};
use crate::rules::R;
use crate::scan::{Learn, Shape, Span};

/// Shortest value that is looked for.
pub(crate) const SHORTEST: usize = 6;
/// Longest value that is kept.
const LONGEST: usize = 16 << 10;
/// Most values, and most bytes of them.
const MOST: usize = 20_000;
const MOST_BYTES: usize = 4 << 20;
/// Words of the bitmap, as a power of two.
const WORDS: u32 = 15;

/// Words that are no secrets although they stand where one would.
const COMMON: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "secrets",
    "postgres",
    "postgresql",
    "production",
    "development",
    "staging",
    "testing",
    "default",
    "localhost",
    "changeme",
    "example",
    "public",
    "private",
    "username",
    "undefined",
    "enabled",
    "disabled",
    "redacted",
    "filtered",
    "bearer",
    "sensitive",
    "database",
    "internal",
    "started",
    "stopped",
    "running",
    "service",
    "metrics",
    "deploy",
    "release",
    "machine",
    "volume",
    "region",
    "string",
    "number",
    "boolean",
    "object",
    "application",
    "authorization",
    "unknown",
    "missing",
    "invalid",
    "expired",
    "admin1",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "000000",
    "111111",
    "default:",
];

/// One value.
struct Entry {
    kind: Kind,
    prefix: &'static str,
    value: Box<[u8]>,
    /// Keyed hash of the value.
    hash: u64,
}

/// The keys are six bytes of text or keyed hashes, so one multiplication mixes them well enough.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}

/// Values to look for.
#[derive(Default)]
pub(crate) struct Known {
    entries: Vec<Entry>,
    /// How many of them are in the table.
    indexed: usize,
    seen: HashSet<u64, BuildHasherDefault<Mixed>>,
    /// Six bytes of a form → value, form, and where in the form they stand.
    table: HashMap<u64, Vec<(u32, u8, u16)>, BuildHasherDefault<Mixed>>,
    /// Made with the first value: most texts have none.
    bitmap: Vec<u64>,
    bytes: usize,
    /// Values that did not fit.
    pub(crate) left_out: u64,
    /// Length of the longest form with a blank in it: a window may not be cut so close to its end.
    pub(crate) longest_spaced: usize,
}

/// Forms of a value: [`form`] takes 0 to this.
const FORMS: u8 = 12;

impl Known {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes a value; says whether it will be looked for.
    pub(crate) fn add(
        &mut self,
        key: &PseudonymKey,
        kind: Kind,
        prefix: &'static str,
        value: &[u8],
    ) -> bool {
        let value = value.trim_ascii();
        if !usable(value) {
            return false;
        }
        self.push(Entry { kind, prefix, value: value.into(), hash: key.hash("seen", value) })
    }

    /// Takes every value of another index.
    pub(crate) fn add_all(&mut self, other: Self) {
        self.left_out += other.left_out;
        for entry in other.entries {
            self.push(entry);
        }
    }

    fn push(&mut self, entry: Entry) -> bool {
        if !self.seen.insert(entry.hash) {
            return true;
        }
        if self.entries.len() >= MOST || self.bytes + entry.value.len() > MOST_BYTES {
            self.left_out += 1;
            return false;
        }
        self.bytes += entry.value.len();
        self.entries.push(entry);
        true
    }

    /// Whether [`Known::index`] has something to do.
    pub(crate) fn is_behind(&self) -> bool {
        self.indexed < self.entries.len()
    }

    /// Files the values that came since the last time: to be called before [`Known::find`].
    pub(crate) fn index(&mut self) {
        if !self.is_behind() {
            return;
        }
        if self.bitmap.is_empty() {
            self.bitmap = vec![0; 1 << WORDS];
        }
        for at in self.indexed..self.entries.len() {
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            for number in 0..FORMS {
                let Some(text) = form(&self.entries[at].value, number) else { continue };
                let Some((offset, start)) = self.rarest(&text) else { continue };
                if text.iter().any(u8::is_ascii_whitespace) {
                    self.longest_spaced = self.longest_spaced.max(text.len().min(4096));
                }
                let (word, bits) = place(start);
                self.bitmap[word] |= bits;
                self.table.entry(start).or_default().push((index, number, offset));
            }
        }
        self.indexed = self.entries.len();
    }

    /// Where known values stand in `bytes`.
    pub(crate) fn find(&self, bytes: &[u8], spans: &mut Vec<Span>) {
        if self.bitmap.is_empty() || bytes.len() < SHORTEST {
            return;
        }
        let mut reach = 0;
        let mut check = |at: usize, start: u64, spans: &mut Vec<Span>| {
            // One that begins inside another may still reach further.
            if let Some(span) = self.at(bytes, at, start)
                && span.end > reach
            {
                reach = span.end;
                spans.push(span);
            }
        };
        for (at, window) in bytes.windows(8).enumerate() {
            let start = window.first_chunk::<8>().map_or(0, |chunk| u64::from_le_bytes(*chunk))
                & 0xffff_ffff_ffff;
            let (word, bits) = place(start);
            if self.bitmap[word] & bits == bits {
                check(at, start, spans);
            }
        }
        for at in bytes.len().saturating_sub(7)..=bytes.len() - SHORTEST {
            if let Some(start) = start(&bytes[at..]) {
                check(at, start, spans);
            }
        }
    }

    /// Six bytes of a form by which few other forms are filed: URLs all begin alike.
    fn rarest(&self, text: &[u8]) -> Option<(u16, u64)> {
        let last = text.len().checked_sub(SHORTEST)?;
        let mut best = (usize::MAX, 0);
        for place in
            [0, last, last / 2, last / 4, last * 3 / 4, last / 8, last * 5 / 8, last * 3 / 8]
        {
            let filed = self.table.get(&start(&text[place..])?).map_or(0, Vec::len);
            if filed < best.0 {
                best = (filed, place);
            }
            if filed == 0 {
                break;
            }
        }
        let place = best.1;
        Some((u16::try_from(place).ok()?, start(&text[place..])?))
    }

    /// The longest known value that holds the six bytes at `at`.
    fn at(&self, bytes: &[u8], at: usize, start: u64) -> Option<Span> {
        let mut best: Option<Span> = None;
        for (index, number, offset) in self.table.get(&start)? {
            let Some(at) = at.checked_sub(usize::from(*offset)) else { continue };
            let entry = self.entries.get(*index as usize)?;
            let Some(text) = form(&entry.value, *number) else { continue };
            if !bytes[at..].starts_with(&text) || *number == 0 && !fits(bytes, at, &text) {
                continue;
            }
            let (mut from, mut to) = (at, at + text.len());
            if *number >= 6 {
                // What stands around it in the same base64 run is part of the same text.
                let run = |byte: &u8| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
                };
                from -= bytes[..at]
                    .iter()
                    .rev()
                    .take(64)
                    .take_while(|byte| run(byte) && **byte != b'=')
                    .count();
                to += bytes[to..].iter().take(64).take_while(|byte| run(byte)).count();
            }
            if best.as_ref().is_none_or(|best| to > best.end) {
                best = Some(Span {
                    start: from,
                    end: to,
                    from,
                    rule: if entry.kind.is_identity() { R::Name } else { R::KnownValue },
                    kind: entry.kind,
                    prefix: entry.prefix,
                    value: Some(entry.value.to_vec()),
                    shape: Shape::Plain,
                    learn: Learn::No,
                });
            }
        }
        best
    }
}

/// Whether a value is long enough and no common word.
fn usable(value: &[u8]) -> bool {
    if value.len() < SHORTEST
        || value.len() > LONGEST
        || memchr::memmem::find(value, "‹".as_bytes()).is_some()
    {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    !COMMON.iter().any(|word| word.as_bytes() == lower)
        && value.iter().any(|byte| *byte != value[0])
}

/// Whether a value is worth looking for elsewhere although nothing but an unknown environment key says that it is secret.
pub(crate) fn is_odd(value: &[u8]) -> bool {
    let name = value
        .iter()
        .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.' | b'/'));
    let number =
        value.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b','));
    let plain_url = memchr::memmem::find(value, b"://").is_some()
        && !value.contains(&b'@')
        && !value.contains(&b'?');
    let path = value.first() == Some(&b'/')
        && value.iter().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/._-".contains(byte)
        });
    let host = [&b".internal"[..], b".flycast", b".fly.dev", b".local"]
        .iter()
        .any(|end| value.ends_with(end));
    !(name || number || plain_url || host || path || kind::is_identifier(value))
}

/// Whether a short plain word stands by itself: inside a longer word it is that word.
fn fits(bytes: &[u8], at: usize, text: &[u8]) -> bool {
    if text.len() >= 12
        || !text.iter().all(u8::is_ascii_alphabetic) && !text.iter().all(u8::is_ascii_digit)
    {
        return true;
    }
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    let escaped = at >= 2 && bytes[at - 2] == b'\\';
    (!word(before) || escaped) && !word(bytes.get(at + text.len()))
}

fn start(text: &[u8]) -> Option<u64> {
    let first = text.first_chunk::<6>()?;
    Some(u64::from_le_bytes([first[0], first[1], first[2], first[3], first[4], first[5], 0, 0]))
}

/// Where six bytes stand in the bitmap: a word, and two bits of it, so that few texts are looked up in vain.
#[inline]
fn place(start: u64) -> (usize, u64) {
    let hash = start.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((hash >> (64 - WORDS)) as usize, 1 << (hash >> 40 & 63) | 1 << (hash >> 34 & 63))
}

/// One form of a value; `None` where it is the same as an earlier one.
fn form(value: &[u8], number: u8) -> Option<Vec<u8>> {
    match number {
        0 => Some(value.to_vec()),
        1 => {
            if !value.iter().any(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\')) {
                return None;
            }
            let text = std::str::from_utf8(value).ok()?;
            let quoted = serde_json::to_string(text).ok()?;
            let inside = quoted.get(1..quoted.len() - 1)?;
            (inside != text).then(|| inside.as_bytes().to_vec())
        }
        2 | 3 => {
            if value.iter().all(|byte| plain_in_url(*byte)) {
                return None;
            }
            let mut out = Vec::with_capacity(value.len() * 3);
            for byte in value {
                if plain_in_url(*byte) {
                    out.push(*byte);
                } else {
                    out.push(b'%');
                    out.extend_from_slice(&hex(*byte, number == 2));
                }
            }
            Some(out)
        }
        4 | 5 => Some(value.iter().flat_map(|byte| hex(*byte, number == 5)).collect()),
        _ => {
            let shift = usize::from((number - 6) % 3);
            let mut padded = vec![0; shift];
            padded.extend_from_slice(value);
            let mut text = STANDARD_NO_PAD.encode(&padded);
            if number >= 9 {
                if !text.bytes().any(|byte| matches!(byte, b'+' | b'/')) {
                    return None;
                }
                text = text.replace('+', "-").replace('/', "_");
            }
            // Only characters that no neighbour has a bit in.
            let from = (shift * 8).div_ceil(6);
            let to = (shift + value.len()) * 8 / 6;
            text.get(from..to).map(|text| text.as_bytes().to_vec())
        }
    }
}

/// Whether percent-encoding leaves the byte as it is.
fn plain_in_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn hex(byte: u8, upper: bool) -> [u8; 2] {
    let digits: &[u8; 16] = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]
}
