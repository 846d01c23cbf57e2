//! L1: values behind a telling key, in any notation that writes a key, a delimiter and a value.

use super::keys::{self, Telling};
use super::value::{self, Value};
use super::{Learn, Scan, Shape, Until};
use crate::rules::R;

/// A key before its delimiter.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Its quote and the backslashes before it.
    pub(super) quote: Option<(u8, usize)>,
}

impl Key {
    /// First byte of the key or of its opening quote.
    pub(super) fn outer(&self) -> usize {
        self.quote.map_or(self.start, |(_, slashes)| self.start - 1 - slashes)
    }
}

/// Words that stand behind `password:` in messages about passwords.
const REMARKS: &[&str] = &[
    "expired",
    "invalid",
    "missing",
    "incorrect",
    "failed",
    "required",
    "not",
    "is",
    "was",
    "unexpected",
    "authentication",
    "for",
    "of",
    "user",
    "role",
    "error",
    "must",
    "cannot",
    "denied",
    "unauthorized",
    "permission",
    "no",
    "wrong",
    "rejected",
    "mismatch",
    "the",
    "unknown",
    "unset",
    "changed",
    "updated",
    "set",
    "empty",
    "too",
    "has",
    "does",
    "should",
    "could",
    "please",
    "accepted",
    "ok",
    "refresh",
    "refreshed",
    "revoked",
    "rotated",
    "created",
    "deleted",
    "valid",
    "verified",
    "malformed",
    "signature",
    "and",
    "or",
    "with",
    "from",
    "in",
    "on",
    "to",
    "a",
    "an",
    "required,",
    "optional",
    "string",
    "boolean",
    "number",
    "object",
    "integer",
];

impl Scan<'_> {
    /// The key before the delimiter at `at`.
    pub(super) fn key_before(&self, at: usize) -> Option<Key> {
        let mut end = at;
        while end > 0 && matches!(self.bytes[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        if end > 0 && self.bytes[end - 1] == b']' {
            end -= 1;
        }
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if end > 0 && matches!(self.bytes[end - 1], b'"' | b'\'') {
            let quote = self.bytes[end - 1];
            let slashes = value::slashes_before(self.bytes, end - 1);
            end -= 1 + slashes;
            let floor = end.saturating_sub(128);
            let mut start = end;
            while start > floor
                && (named(self.bytes[start - 1])
                    || matches!(self.bytes[start - 1], b' ' | b'/' | b'$' | b'@' | b'['))
            {
                start -= 1;
            }
            let opened = start > slashes
                && self.bytes[start - 1] == quote
                && self.bytes[start - 1 - slashes..start - 1].iter().all(|byte| *byte == b'\\');
            if opened {
                return (start < end).then_some(Key { start, end, quote: Some((quote, slashes)) });
            }
        }
        let start = self.run_start(end, 128, named);
        (start < end).then_some(Key { start, end, quote: None })
    }

    /// Where the value behind the delimiter begins: behind `=>`, `:=` and blanks.
    pub(super) fn value_start(&self, end: usize, quoted: bool) -> Option<usize> {
        let delimiter = self.bytes[end - 1];
        let mut at = end;
        match (delimiter, self.bytes.get(end)) {
            // A path of modules or the scheme of a URL, no delimiter.
            (b':', Some(b':')) => return None,
            (b':', Some(b'/')) if self.bytes.get(end + 1) == Some(&b'/') => return None,
            (b':', Some(b'=')) | (b'=', Some(b'>' | b'=' | b'~')) => at += 1,
            _ => {}
        }
        Some(value::skip_blanks(self.bytes, at, quoted))
    }

    /// A telling word ends at `end`: looks whether it is part of a key with a delimiter behind it, or of a flag.
    pub(super) fn word(&mut self, end: usize) {
        if end <= self.word_to {
            return;
        }
        let named = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let tail = end + self.bytes[end..].iter().take(128).take_while(named).count();
        self.word_to = tail;
        let quote = value::opening_quote(self.bytes, tail).map_or(tail, |(_, _, behind)| behind);
        let bracket = if self.bytes.get(quote) == Some(&b']') { quote + 1 } else { quote };
        let delimiter = value::skip_blanks(self.bytes, bracket, false);
        match self.bytes.get(delimiter) {
            Some(b':' | b'=') => self.keyed(delimiter + 1),
            None => {
                let start = self.run_start(end, 64, |byte| {
                    byte.is_ascii_alphanumeric()
                        || matches!(byte, b'_' | b'.' | b'-' | b'"' | b'\\')
                });
                self.open(start, Until::Run);
            }
            Some(_) if delimiter > tail => self.flag(tail + 1),
            Some(_) => {}
        }
    }

    pub(super) fn keyed(&mut self, end: usize) {
        let Some(mut key) = self.key_before(end - 1) else { return };
        if end <= self.keyed_to {
            return;
        }
        let before = key.start.checked_sub(1).map(|at| self.bytes[at]);
        let escaped_amp =
            key.start >= 6 && self.bytes[key.start - 6..key.start].eq_ignore_ascii_case(b"\\u0026");
        let in_query = key.quote.is_none()
            && (matches!(before, Some(b'?' | b'&'))
                || escaped_amp
                || self.bytes[..key.start].ends_with(b"&amp;"));
        let dashes =
            self.bytes[key.start..key.end].iter().take_while(|byte| **byte == b'-').count();
        key.start += dashes;
        let name = &self.bytes[key.start..key.end];
        let telling = keys::judge(name);
        if telling == Telling::No {
            return;
        }
        let rule = if in_query {
            R::UrlQuery
        } else if dashes > 0 {
            R::CommandFlag
        } else if name.len() > 2 && name[..2].eq_ignore_ascii_case(b"x-")
            || matches!(telling, Telling::Authorization)
        {
            R::HttpHeader
        } else {
            R::Keyed
        };
        if in_query {
            return self.query_value(rule, end);
        }
        let Some(at) = self.value_start(end, key.quote.is_some()) else { return };
        self.from = key.outer();
        match telling {
            Telling::Authorization => return self.authorization(key, at),
            Telling::Cookie => return self.cookies(key, at),
            _ => {}
        }
        let Some(found) = self.value(key, at, end) else { return };
        self.keyed_to = self.keyed_to.max(found.end);
        self.take(rule, telling, key, found, end);
    }

    /// Claims a value, unless it is a placeholder or a remark.
    fn take(&mut self, rule: R, telling: Telling, key: Key, found: Value, end: usize) {
        let name = &self.bytes[key.start..key.end];
        let text = &self.bytes[found.start..found.end];
        if placeholder(text) {
            return;
        }
        let number = !text.is_empty()
            && text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        if found.quote.is_none() {
            if number && (keys::plural(name) || telling == Telling::Weak) {
                return;
            }
            let spoken = key.quote.is_none()
                && self.bytes[end - 1] == b':'
                && self.bytes.get(end) == Some(&b' ');
            let word = text.split(|byte| *byte == b' ').next().unwrap_or(text);
            let word = std::str::from_utf8(word)
                .unwrap_or("")
                .trim_end_matches([',', '.', ';', ')'])
                .to_ascii_lowercase();
            if spoken && REMARKS.contains(&word.as_str()) {
                return;
            }
        }
        if telling == Telling::Weak && !odd(text) {
            return;
        }
        self.claim_value(
            rule,
            found,
            Learn::Yes,
            number && key.quote.is_some_and(|(quote, _)| quote == b'"'),
            key,
        );
    }

    /// Claims a value with its escapes undone; a list of Fly.io tokens is left to their own rule.
    pub(super) fn claim_value(
        &mut self,
        rule: R,
        found: Value,
        learn: Learn,
        number: bool,
        key: Key,
    ) {
        let text = &self.bytes[found.start..found.end];
        let levels = found.quote.map_or(0, |(_, slashes)| (slashes + 1).ilog2() as usize + 1);
        let plain = if levels > 0 { value::unescape(text, levels) } else { text.to_vec() };
        if super::prefixed::is_fly_list(&plain) && super::prefixed::is_fly_list(text) {
            return;
        }
        let before = self.spans.len();
        self.claim_as(rule, crate::kind::Kind::Secret, found.start, found.end, Some(plain), learn);
        if number
            && found.quote.is_none()
            && self.spans.len() > before
            && let Some(span) = self.spans.last_mut()
        {
            span.shape = Shape::Quoted(key.quote.map_or(0, |(_, slashes)| slashes));
        }
    }
}

/// What stands where a secret would, and is none.
pub(super) fn placeholder(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let lower = text.to_ascii_lowercase();
    let lower = lower.trim_matches(['[', ']', '<', '>', '(', ')', '{', '}', '"', '\'']);
    text.is_empty()
        || matches!(
            lower,
            "" | "true"
                | "false"
                | "null"
                | "none"
                | "nil"
                | "undefined"
                | "yes"
                | "no"
                | "on"
                | "off"
                | "redacted"
                | "filtered"
                | "set"
                | "unset"
                | "sensitive"
                | "sensitive value"
                | "hidden"
                | "masked"
                | "secret"
                | "not set"
                | "empty"
                | "omitted"
                | "..."
        )
        || text.bytes().all(|byte| matches!(byte, b'*' | b'.' | b'-' | b'_' | b'x' | b'X'))
        || reference(text)
}

/// `$NAME`, `${NAME}`, `{{ name }}`, `%NAME%`: where the secret comes from.
fn reference(text: &str) -> bool {
    let name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    text.strip_prefix('$').is_some_and(name)
        || text
            .strip_prefix("${")
            // The bracket may have been taken for the end of something around the word.
            .map(|text| text.strip_suffix('}').unwrap_or(text))
            .is_some_and(|text| name(text) || text.ends_with(":+[SET]"))
        || (text.starts_with("{{")
            && text.ends_with("}}")
            && text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'{' | b'}' | b' ' | b'.' | b'_')
            }))
}

/// Whether a text looks like a value rather than like a word: long, or letters and digits mixed.
fn odd(text: &[u8]) -> bool {
    let digits = text.iter().any(u8::is_ascii_digit);
    let letters = text.iter().any(u8::is_ascii_alphabetic);
    (text.len() >= 6 && digits && letters && !text.contains(&b' '))
        || (text.len() >= 20 && !text.contains(&b' '))
}
