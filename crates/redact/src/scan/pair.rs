//! L1: name/value pairs, in either order, in JSON and YAML.

use super::keyed::Key;
use super::keys::{self, Telling};
use super::value::{self, End, Value};
use super::{Learn, Scan, Until};
use crate::rules::R;

/// How far from a name its value may stand.
const PAIR_REACH: usize = 4096;

impl Scan<'_> {
    /// `name`, `key` or `value` ends before `end`: if it is a key, takes the value that belongs to a telling name in the same object, in
    /// either order.
    pub(super) fn pair(&mut self, end: usize) {
        let word = end - 1;
        let quote = value::opening_quote(self.bytes, word).map_or(word, |(_, _, behind)| behind);
        let delimiter = value::skip_blanks(self.bytes, quote, false);
        match self.bytes.get(delimiter) {
            Some(b':') => {}
            None => return self.open(self.run_start(word, 64, |byte| byte > b' '), Until::Run),
            Some(_) => return,
        }
        let end = delimiter + 1;
        let Some(key) = self.key_before(end - 1) else { return };
        let word = self.bytes[key.start..key.end].to_ascii_lowercase();
        let is_value = word == b"value";
        if !is_value && word != b"name" && word != b"key" {
            return;
        }
        let outer = key.outer();
        self.from = outer;
        let Some(at) = self.value_start(end, key.quote.is_some()) else { return };
        let Some(own) = self.pair_value(outer, at, key.quote.is_some()) else { return };
        if !is_value && !telling_name(&self.bytes[own.start..own.end]) {
            return;
        }
        // The partner: next member but a few, or the next line in YAML.
        let mut at = own.after;
        for _ in 0..4 {
            if at > own.after + PAIR_REACH {
                return;
            }
            while self
                .bytes
                .get(at)
                .is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','))
                || self.bytes.get(at) == Some(&b'\\')
                    && matches!(self.bytes.get(at + 1), Some(b'n' | b'r' | b't'))
            {
                at += if self.bytes[at] == b'\\' { 2 } else { 1 };
            }
            if at + 8 > self.bytes.len() {
                return self.open(outer, Until::Line);
            }
            let (start, stop, after) =
                if let Some((quote, slashes, inside)) = value::opening_quote(self.bytes, at) {
                    match value::quoted_end(self.bytes, inside, quote, slashes, false) {
                        End::At(stop, true) => (inside, stop, stop + slashes + 1),
                        End::At(..) => return,
                        End::Open => return self.open(outer, Until::Line),
                    }
                } else {
                    let length = self.bytes[at..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                        .count();
                    (at, at + length, at + length)
                };
            let colon = value::skip_blanks(self.bytes, after, false);
            if start == stop || self.bytes.get(colon) != Some(&b':') {
                return;
            }
            let partner = self.bytes[start..stop].to_ascii_lowercase();
            let value_at = value::skip_blanks(self.bytes, colon + 1, key.quote.is_some());
            let Some(found) = self.pair_value(outer, value_at, key.quote.is_some()) else { return };
            if is_value && (partner == b"name" || partner == b"key") {
                if telling_name(&self.bytes[found.start..found.end]) {
                    self.claim_pair(key, own);
                }
                return;
            }
            if !is_value && partner == b"value" {
                return self.claim_pair(key, found);
            }
            at = found.after;
        }
    }

    fn claim_pair(&mut self, key: Key, found: Value) {
        let text = &self.bytes[found.start..found.end];
        if super::keyed::placeholder(text) {
            return;
        }
        let number = found.quote.is_none() && key.quote.is_some_and(|(quote, _)| quote == b'"');
        self.claim_value(R::NameValue, found, Learn::Yes, number, key);
    }

    /// A quoted or bare scalar of a pair.
    fn pair_value(&mut self, outer: usize, at: usize, json: bool) -> Option<Value> {
        match value::opening_quote(self.bytes, at) {
            Some((quote, slashes, start)) => {
                match value::quoted_end(self.bytes, start, quote, slashes, false) {
                    End::At(end, true) => Some(Value {
                        start,
                        end,
                        quote: Some((quote, slashes)),
                        after: end + slashes + 1,
                    }),
                    End::At(..) => None,
                    End::Open => {
                        self.open_at(outer, start, Until::Quote(quote, slashes));
                        None
                    }
                }
            }
            None if json => {
                let length = self.bytes[at.min(self.bytes.len())..].iter().position(|byte| {
                    matches!(byte, b',' | b'}' | b']' | b'\n' | b'\r' | b'{' | b'[')
                })?;
                let text = self.bytes[at..at + length].trim_ascii_end();
                (!text.is_empty()).then_some(Value {
                    start: at,
                    end: at + text.len(),
                    quote: None,
                    after: at + length,
                })
            }
            None => self.rest_of_line(outer, at.min(self.bytes.len())),
        }
    }
}

/// Whether a name in a name/value pair says that the value is secret: telling, or of the environment and not on the list.
fn telling_name(name: &[u8]) -> bool {
    match keys::judge(name) {
        Telling::Strong | Telling::Authorization | Telling::Cookie | Telling::Weak => {
            !keys::harmless_env(name)
        }
        Telling::No => {
            name.contains(&b'_')
                && keys::env_like(name)
                && !keys::harmless_env(name)
                && !keys::about(name)
        }
    }
}
