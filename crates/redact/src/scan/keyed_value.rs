//! The value behind a key, in whatever notation the key stands: quoted, bare, to the line's end, in triple quotes, as a block of lines.

use super::keyed::{Key, placeholder};
use super::value::{self, End, Value};
use super::{Scan, Until, keys};
use crate::format::Format;

impl Scan<'_> {
    /// The value that begins at `at`, behind `key` and the delimiter that ends at `end`. `None` when there is none, it is a container
    /// (walked here) or the window ends first.
    pub(super) fn value(&mut self, key: Key, at: usize, end: usize) -> Option<Value> {
        let mut at = at;
        let outer = key.outer();
        let name_end = key.end;
        if at >= self.bytes.len() {
            self.open(outer, Until::Line);
            return None;
        }
        // `b'…'` of Python, `Some("…")` of Rust.
        let letters =
            self.bytes[at..].iter().take(24).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let behind = at + letters;
        if letters > 0 && letters <= 2 && value::opening_quote(self.bytes, behind).is_some() {
            at = behind;
        } else if letters > 2
            && self.bytes.get(behind) == Some(&b'(')
            && value::opening_quote(self.bytes, behind + 1).is_some()
        {
            at = behind + 1;
        }
        if let Some((quote, slashes, start)) = value::opening_quote(self.bytes, at) {
            if key.quote.is_none() && quote == b'"' && self.string_ends(start) {
                return None;
            }
            let triple =
                self.bytes[at..].starts_with(b"\"\"\"") || self.bytes[at..].starts_with(b"'''");
            if triple && slashes == 0 {
                return self.triple(outer, at);
            }
            let lines = self.format == Format::Env && quote != b'`';
            return match value::quoted_end(self.bytes, start, quote, slashes, lines) {
                End::At(stop, closed) => {
                    let after = if closed { stop + slashes + 1 } else { stop };
                    Some(Value { start, end: stop, quote: Some((quote, slashes)), after })
                }
                End::Open if self.last => Some(Value {
                    start,
                    end: self.bytes.len(),
                    quote: Some((quote, slashes)),
                    after: self.bytes.len(),
                }),
                End::Open => {
                    self.open_at(outer, start, Until::Quote(quote, slashes));
                    None
                }
            };
        }
        match self.bytes[at] {
            b'{' | b'[' if key.quote.is_some() || self.container_follows(at) => {
                if keys::deep(&self.bytes[key.start..name_end])
                    && !placeholder(&self.bytes[at..self.bytes.len().min(at + 24)])
                {
                    self.walk_secret(outer, at);
                }
                return None;
            }
            b'|' | b'>' if self.bytes[at..].iter().take(4).any(|byte| *byte == b'\n') => {
                return self.block_scalar(outer, at);
            }
            b'\n' | b'\r' | b',' | b'}' | b']' | b')' => return None,
            _ => {}
        }
        if key.quote.is_none() && self.takes_line(outer, end) {
            return self.rest_of_line(outer, at);
        }
        match value::bare_end(self.bytes, at) {
            End::At(stop, _) => {
                let json = key.quote.is_some_and(|(quote, _)| quote == b'"');
                let scalar = self.bytes[at..stop]
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b']'))
                    .map_or(stop, |length| at + length);
                let number = json
                    && self.bytes[at..scalar].iter().all(|byte| {
                        byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')
                    });
                let literal =
                    json && matches!(&self.bytes[at..scalar], b"true" | b"false" | b"null");
                let stop = if number || literal { scalar } else { stop };
                (stop > at).then_some(Value { start: at, end: stop, quote: None, after: stop })
            }
            End::Open if self.last => {
                let stop = self.bytes.len();
                let trimmed = self.bytes[at..stop]
                    .iter()
                    .rev()
                    .take_while(|byte| matches!(byte, b',' | b';' | b')' | b']' | b'}'))
                    .count();
                let stop = if trimmed == stop - at { stop } else { stop - trimmed };
                Some(Value { start: at, end: stop, quote: None, after: stop })
            }
            End::Open => {
                self.open_at(outer, at, Until::Run);
                None
            }
        }
    }

    /// Whether a quote that ends before `at` is the end of a string around the key (`["password=","x"]`) and not the start of a value:
    /// what follows goes on like a document.
    fn string_ends(&self, at: usize) -> bool {
        let at = value::skip_blanks(self.bytes, at, false);
        let next = self.bytes.get(value::skip_blanks(self.bytes, at + 1, true));
        match self.bytes.get(at) {
            Some(b',') => matches!(next, Some(b'"' | b'\\' | b'{' | b'[')),
            Some(b'}' | b']') => {
                matches!(next, None | Some(b',' | b'}' | b']' | b'"' | b'\\' | b'{'))
            }
            _ => false,
        }
    }

    /// Whether a bracket opens a container and not a word: a quote, a blank or a key follows.
    fn container_follows(&self, at: usize) -> bool {
        match self.bytes.get(at + 1) {
            None | Some(b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'\'' | b'\\' | b'{' | b'[') => true,
            Some(_) => {
                let word = self.bytes[at + 1..]
                    .iter()
                    .take(64)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count();
                word > 0
                    && matches!(self.bytes.get(at + 1 + word), Some(b':' | b'='))
                    && self.bytes[at] == b'{'
            }
        }
    }

    /// Whether the value goes on to the line's end, blanks and all: the key begins the line, and the notation is one of lines.
    fn takes_line(&self, key: usize, end: usize) -> bool {
        let start = self.line_start(key);
        let lead = self.bytes[start..key].trim_ascii();
        if !matches!(
            lead,
            b"" | b"-" | b"export" | b"set" | b"ENV" | b"ARG" | b";" | b"#" | b">" | b"+"
        ) {
            return false;
        }
        let blank_behind = matches!(self.bytes.get(end), Some(b' ' | b'\t'));
        let blank_before = end >= 2 && matches!(self.bytes[end - 2], b' ' | b'\t');
        match self.format {
            Format::Env | Format::Ini | Format::Toml | Format::Yaml | Format::Headers => true,
            _ => blank_behind && (self.bytes[end - 1] == b':' || blank_before),
        }
    }

    /// From `at` to the line's end, without a comment and blanks at its end.
    pub(super) fn rest_of_line(&mut self, outer: usize, at: usize) -> Option<Value> {
        let Some(line) = self.line_end(at) else {
            self.open(outer, Until::Line);
            return None;
        };
        let text = &self.bytes[at..line];
        let comment = memchr::memmem::find(text, b" #")
            .or_else(|| memchr::memmem::find(text, b"\t#"))
            .filter(|comment| *comment > 0);
        let stop = at + text[..comment.unwrap_or(text.len())].trim_ascii_end().len();
        (stop > at).then_some(Value { start: at, end: stop, quote: None, after: line })
    }

    /// `"""…"""` and `'''…'''`.
    fn triple(&mut self, outer: usize, at: usize) -> Option<Value> {
        let mark = &self.bytes[at..at + 3];
        let start = at + 3;
        match memchr::memmem::find(&self.bytes[start..], mark) {
            Some(length) => Some(Value {
                start,
                end: start + length,
                quote: Some((mark[0], 0)),
                after: start + length + 3,
            }),
            None if self.last => Some(Value {
                start,
                end: self.bytes.len(),
                quote: Some((mark[0], 0)),
                after: self.bytes.len(),
            }),
            None => {
                self.open(outer, Until::Quote(mark[0], 0));
                None
            }
        }
    }

    /// The lines behind `key: |`, as far as they are indented deeper than the key's line.
    pub(super) fn block_scalar(&mut self, outer: usize, at: usize) -> Option<Value> {
        let line = self.line_start(outer);
        let base = self.bytes[line..outer]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'-'))
            .count();
        let first = self.bytes[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|length| at + length + 1)?;
        let mut next = first;
        let mut stop = first;
        loop {
            let Some(end) = self.line_end(next) else {
                self.open(outer, Until::Line);
                return None;
            };
            let text = &self.bytes[next..end];
            let indent = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if indent < text.len() {
                if indent <= base {
                    break;
                }
                stop = end;
            }
            match self.bytes[end..].iter().position(|byte| *byte == b'\n') {
                Some(length) => next = end + length + 1,
                None => break,
            }
            if next >= self.bytes.len() {
                if !self.last {
                    self.open(outer, Until::Line);
                    return None;
                }
                break;
            }
        }
        let start = first
            + self.bytes[first..stop]
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
        (stop > start).then_some(Value { start, end: stop, quote: None, after: stop })
    }
}
