//! L3: secrets on command lines and rows of password files.

use super::value::{self, End, Value};
use super::{Learn, Scan, Until};
use crate::kind::Kind;
use crate::rules::R;

impl Scan<'_> {
    /// The word at `at`, quoted or not, behind a flag: blanks, or the quotes and comma between two strings of an array, come first.
    fn argument(&mut self, outer: usize, at: usize) -> Option<Value> {
        let mut at = at;
        // `"--password", "x"`: closing quote of the flag, comma, opening quote of the value.
        loop {
            match self.bytes.get(at) {
                Some(b' ' | b'\t' | b',') => at += 1,
                Some(b'\\') if matches!(self.bytes.get(at + 1), Some(b'"' | b'\'' | b'\\')) => {
                    break;
                }
                None => {
                    self.open(outer, Until::Line);
                    return None;
                }
                Some(_) => break,
            }
        }
        if let Some((quote, slashes, start)) = value::opening_quote(self.bytes, at) {
            return match value::quoted_end(self.bytes, start, quote, slashes, false) {
                End::At(end, _) => {
                    Some(Value { start, end, quote: Some((quote, slashes)), after: end })
                }
                End::Open if self.last => Some(Value {
                    start,
                    end: self.bytes.len(),
                    quote: None,
                    after: self.bytes.len(),
                }),
                End::Open => {
                    self.open_at(outer, start, Until::Quote(quote, slashes));
                    None
                }
            };
        }
        match value::bare_end(self.bytes, at) {
            End::At(end, _) => {
                (end > at).then_some(Value { start: at, end, quote: None, after: end })
            }
            End::Open if self.last => Some(Value {
                start: at,
                end: self.bytes.len(),
                quote: None,
                after: self.bytes.len(),
            }),
            End::Open => {
                self.open(outer, Until::Run);
                None
            }
        }
    }

    /// A flag whose next word is its value; `end` is behind the blank or the quote that closes the flag.
    pub(super) fn flag(&mut self, end: usize) {
        let mut stop = end - 1;
        while stop > 0
            && matches!(self.bytes[stop], b'"' | b'\'' | b'\\' | b' ' | b'\t')
            && matches!(self.bytes[stop - 1], b'\\')
        {
            stop -= 1;
        }
        let start = self.run_start(stop, 64, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
        });
        let name = &self.bytes[start..stop];
        let dashes = name.iter().take_while(|byte| **byte == b'-').count();
        if dashes == 0
            || dashes > 2
            || start > 0
                && !matches!(
                    self.bytes[start - 1],
                    b' ' | b'\t' | b'"' | b'\'' | b',' | b'[' | b'(' | b'n' | b'\n' | b'=' | b'`'
                )
        {
            return;
        }
        let name = &name[dashes..];
        let user = matches!(name, b"u" | b"user");
        if !user
            && super::keys::judge(name) == super::keys::Telling::No
            && !matches!(name, b"key" | b"api-key")
        {
            return;
        }
        let Some(found) = self.argument(start, end) else { return };
        let text = &self.bytes[found.start..found.end];
        if user {
            // `curl -u name:password`; a lone name is no secret, `-u 1000:1000` is a user and a group.
            let Some(colon) = memchr::memchr(b':', text) else { return };
            let numbers = text.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
            if !numbers && colon + 1 < text.len() && !text[colon..].starts_with(b"://") {
                self.claim_word(found.start + colon + 1, found.end);
            }
        } else if text.first() != Some(&b'-') && !super::keyed::placeholder(text) {
            self.claim_word(found.start, found.end);
        }
    }

    /// A program that takes its password by a one-letter flag; `end` is behind its name.
    pub(super) fn program(&mut self, end: usize) {
        let limit = self.bytes.len().min(end + 512);
        let line = self.bytes[end..limit]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(limit, |length| end + length);
        let start =
            self.run_start(end - 1, 16, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let name = self.bytes[start..end - 1].to_vec();
        let flag: &[u8] = match name.as_slice() {
            b"redis-cli" => b"-a",
            b"curl" | b"wget" => b"-u",
            _ => b"-p",
        };
        let mut at = end;
        while let Some(found) = memchr::memmem::find(&self.bytes[at..line], flag) {
            let from = at + found;
            at = from + 2;
            if !matches!(self.bytes[from - 1], b' ' | b'\t' | b'"' | b'\'' | b',') {
                continue;
            }
            let attached =
                !matches!(self.bytes.get(at), Some(b' ' | b'\t' | b'"' | b'\\' | b',') | None);
            if flag == b"-u" {
                // `-uname:password`; the form with a blank is a flag like any other.
                if attached {
                    let Some(found) = self.argument(start, at) else { return };
                    if let Some(colon) = memchr::memchr(b':', &self.bytes[found.start..found.end]) {
                        self.claim_word(found.start + colon + 1, found.end);
                    }
                }
                continue;
            }
            let spaced = matches!(
                name.as_slice(),
                b"redis-cli" | b"sshpass" | b"mongo" | b"mongosh" | b"mongodump"
            );
            if attached || spaced {
                let at = if attached {
                    at
                } else {
                    at + usize::from(matches!(self.bytes.get(at), Some(b'"')))
                };
                let Some(found) = self.argument(start, at) else { return };
                self.claim_word(found.start, found.end);
            }
        }
    }

    fn claim_word(&mut self, start: usize, end: usize) {
        let value = value::unescape(&self.bytes[start..end], 1);
        self.claim_as(R::CommandFlag, Kind::Secret, start, end, Some(value), Learn::Yes);
    }
}
