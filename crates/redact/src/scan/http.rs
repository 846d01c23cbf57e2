//! L3: authentication headers and cookies, on the wire, in logs, on command lines.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::keyed::Key;
use super::prefixed::{Charset, is_fly_list, run_end};
use super::value::{self, End};
use super::{Learn, Scan, Until};
use crate::format::Format;
use crate::kind::Kind;
use crate::rules::R;

/// Schemes that may stand before a credential.
const SCHEMES: &[&[u8]] = &[
    b"bearer",
    b"basic",
    b"flyv1",
    b"digest",
    b"token",
    b"negotiate",
    b"apikey",
    b"dpop",
    b"hmac",
    b"aws4-hmac-sha256",
    b"key",
    b"ntlm",
];

/// Whether this is one of them.
pub(super) fn is_scheme(word: &[u8]) -> bool {
    SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Attributes of `Set-Cookie`, which are no secrets.
const ATTRIBUTES: &[&[u8]] = &[
    b"path",
    b"domain",
    b"expires",
    b"max-age",
    b"samesite",
    b"priority",
    b"version",
    b"secure",
    b"httponly",
    b"partitioned",
];

impl Scan<'_> {
    /// Where a header's value ends: its quote, the quote around the whole header, or the line's end with its folded lines.
    fn header_end(&mut self, key: Key, at: usize) -> Option<(usize, usize)> {
        let outer = key.outer();
        if let Some((quote, slashes, start)) = value::opening_quote(self.bytes, at) {
            return match value::quoted_end(self.bytes, start, quote, slashes, false) {
                End::At(stop, _) => Some((start, stop)),
                End::Open if self.last => Some((start, self.bytes.len())),
                End::Open => {
                    self.open_at(outer, start, Until::Quote(quote, slashes));
                    None
                }
            };
        }
        // `-H 'Authorization: …'`, `"Cookie: …"` in an array.
        if key.start > 0 && matches!(self.bytes[key.start - 1], b'"' | b'\'') && key.quote.is_none()
        {
            let quote = self.bytes[key.start - 1];
            let slashes = value::slashes_before(self.bytes, key.start - 1);
            return match value::quoted_end(self.bytes, at, quote, slashes, false) {
                End::At(stop, _) => Some((at, stop)),
                End::Open if self.last => Some((at, self.bytes.len())),
                End::Open => {
                    self.open_at(outer, at, Until::Quote(quote, slashes));
                    None
                }
            };
        }
        let Some(mut end) = self.line_end(at) else {
            self.open(outer, Until::Line);
            return None;
        };
        let lead = self.bytes[self.line_start(key.start)..key.start].trim_ascii();
        let own_line = matches!(lead, b"" | b"-" | b">" | b"<" | b"*");
        if own_line {
            // Folded: the next line begins with a blank.
            loop {
                let next = end
                    + self.bytes[end..]
                        .iter()
                        .take(2)
                        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                        .count();
                if next >= self.bytes.len() && !self.last {
                    self.open(outer, Until::Line);
                    return None;
                }
                let folds = matches!(self.bytes.get(next), Some(b' ' | b'\t'))
                    && matches!(self.format, Format::Headers | Format::Text | Format::Auto)
                    && self.bytes[at..end].iter().all(|byte| *byte != b'{');
                let Some(more) = folds.then(|| self.line_end(next)).flatten() else { break };
                // A folded line holds no key of its own.
                if next == end || memchr::memmem::find(&self.bytes[next..more], b": ").is_some() {
                    break;
                }
                end = more;
            }
        }
        // Inside a string of a document the string's end is the header's.
        if let End::At(stop, _) = value::quoted_end(&self.bytes[..end], at, b'"', 0, true) {
            end = end.min(stop);
        }
        // An escaped line end ends it too.
        if let Some(escape) = memchr::memmem::find(&self.bytes[at..end], b"\\n")
            .or_else(|| memchr::memmem::find(&self.bytes[at..end], b"\\r"))
        {
            end = at + escape;
        }
        Some((at, at + self.bytes[at..end].trim_ascii_end().len()))
    }

    /// `Authorization:` and its kin; the value begins at `at`.
    pub(super) fn authorization(&mut self, key: Key, at: usize) {
        if at >= self.bytes.len() {
            return self.open(key.outer(), Until::Line);
        }
        let Some((start, mut end)) = self.header_end(key, at) else { return };
        let quoted = value::opening_quote(self.bytes, at).is_some();
        let text = &self.bytes[start..end];
        let word =
            text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        let known = is_scheme(&text[..word]);
        let gap =
            text[word..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'+')).count();
        let secret = if known && gap > 0 { start + word + gap } else { start };
        let digest = text[..word].eq_ignore_ascii_case(b"digest")
            || text[..word].eq_ignore_ascii_case(b"aws4-hmac-sha256");
        let own_line = matches!(
            self.bytes[self.line_start(key.start)..key.start].trim_ascii(),
            b"" | b">" | b"<" | b"*" | b"-"
        );
        let in_quotes = key.start > 0 && matches!(self.bytes[key.start - 1], b'"' | b'\'');
        let whole = quoted || digest || own_line || in_quotes;
        if !whole {
            // In the middle of a line: one word.
            end = secret
                + self.bytes[secret..end]
                    .iter()
                    .position(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b']' | b'}'))
                    .unwrap_or(end - secret);
        }
        let text = &self.bytes[secret..end];
        if super::keyed::placeholder(text) || is_fly_list(text) || remark(text) {
            return;
        }
        let value = basic(text);
        self.claim_as(R::HttpHeader, Kind::Secret, secret, end, None, Learn::Yes);
        self.learn_basic(value, secret, end);
        self.keyed_to = self.keyed_to.max(end);
    }

    /// `Cookie:` and `Set-Cookie:`: the values, not the names.
    pub(super) fn cookies(&mut self, key: Key, at: usize) {
        if at >= self.bytes.len() {
            return self.open(key.outer(), Until::Line);
        }
        let Some((start, end)) = self.header_end(key, at) else { return };
        if !self.bytes[start..end].contains(&b'=') {
            let bare = self.bytes[start..end]
                .iter()
                .position(|byte| *byte == b' ')
                .map_or(end, |length| start + length);
            if bare - start >= 8 {
                self.claim_as(R::Cookie, Kind::Cookie, start, bare, None, Learn::Yes);
            }
            return;
        }
        let mut at = start;
        while at < end {
            let stop = memchr::memchr(b';', &self.bytes[at..end]).map_or(end, |length| at + length);
            if let Some(equals) = memchr::memchr(b'=', &self.bytes[at..stop]) {
                let name = self.bytes[at..at + equals].trim_ascii().to_ascii_lowercase();
                let from = at + equals + 1;
                let text = self.bytes[from..stop].trim_ascii();
                let from = from
                    + (self.bytes[from..stop].len()
                        - self.bytes[from..stop].trim_ascii_start().len());
                let to = from + text.len();
                if !ATTRIBUTES.contains(&name.as_slice()) && !super::keyed::placeholder(text) {
                    self.claim_as(R::Cookie, Kind::Cookie, from, to, None, Learn::Yes);
                }
            }
            at = stop + 1;
        }
        self.keyed_to = self.keyed_to.max(end);
    }

    /// `Bearer ` ends at `end`. The scheme alone is enough, wherever it stands.
    pub(super) fn scheme(&mut self, end: usize) {
        let start = value::skip_blanks(self.bytes, end, false);
        let mut back = end;
        while back > 0 && matches!(self.bytes[back - 1], b' ' | b'\t' | b'+') {
            back -= 1;
        }
        if self.bytes[..back].ends_with(b"%20") {
            back -= 3;
        }
        let word = self.run_start(back, 16, |byte| byte.is_ascii_alphanumeric());
        let scheme = self.bytes[word..back].to_ascii_lowercase();
        let mut stop = run_end(self.bytes, start, Charset::Base64);
        while matches!(self.bytes.get(stop), Some(b'.' | b'~' | b':'))
            && self.bytes.get(stop + 1).is_some_and(u8::is_ascii_alphanumeric)
        {
            stop = run_end(self.bytes, stop + 1, Charset::Base64);
        }
        if stop + 8 > self.bytes.len() {
            self.open(word, Until::Run);
        }
        let text = &self.bytes[start..stop];
        let mixed = text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic);
        let value = basic(&[&scheme[..], b" ", text].concat());
        let secret = match scheme.as_slice() {
            b"bearer" | b"flyv1" => {
                (text.len() >= 8 && mixed || text.len() >= 20) && !is_fly_list(text)
            }
            b"basic" => value.is_some(),
            _ => false,
        };
        if secret {
            self.claim_as(R::HttpHeader, Kind::Secret, start, stop, None, Learn::Yes);
            self.learn_basic(value, start, stop);
        }
    }

    /// What a Basic credential holds is looked for in clear too: the password is a value of its own.
    fn learn_basic(&mut self, value: Option<Vec<u8>>, start: usize, end: usize) {
        let Some(value) = value else { return };
        if let Some(colon) = memchr::memchr(b':', &value) {
            // Lies inside the span of the whole credential, so it changes nothing here but what is learned.
            self.claim_as(
                R::HttpHeader,
                Kind::Secret,
                start,
                end,
                Some(value[colon + 1..].to_vec()),
                Learn::Yes,
            );
        }
    }
}

/// `user:password` out of a Basic credential, with or without the scheme.
fn basic(text: &[u8]) -> Option<Vec<u8>> {
    let encoded = if text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic ")) {
        &text[6..]
    } else {
        text
    };
    let trimmed = encoded.trim_ascii();
    let kept = trimmed.len() - trimmed.iter().rev().take_while(|byte| **byte == b'=').count();
    let decoded = STANDARD_NO_PAD.decode(&trimmed[..kept]).ok()?;
    let printable = decoded.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte >= 0x80);
    (printable && decoded.contains(&b':') && decoded.len() >= 3).then_some(decoded)
}

/// Prose behind `authorization:`.
fn remark(text: &[u8]) -> bool {
    text.len() < 20
        && text.iter().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b' ' | b'.' | b','))
}
