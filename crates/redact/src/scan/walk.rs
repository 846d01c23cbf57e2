//! Walks through containers in which every leaf counts: environment maps in JSON, Go, Ruby, Python and YAML notation, and whatever lies
//! behind a telling key.

use super::keyed::Key;
use super::keys;
use super::value::{self, End, Value};
use super::{Learn, Scan, Until};
use crate::rules::R;

/// What a walk through a container does with its leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    /// Environment: masked unless the name is on the list.
    Env,
    /// Container behind a telling key: masked unless the member is only about the secret.
    Secret,
}

/// Most levels a walk goes down.
const LEVELS: usize = 32;
impl Scan<'_> {
    /// A container behind a telling key.
    pub(super) fn walk_secret(&mut self, outer: usize, at: usize) {
        if at > self.walked {
            self.walk(outer, at, Leaves::Secret);
        }
    }

    /// Walks the container that opens at `at`.
    pub(super) fn walk(&mut self, outer: usize, at: usize, leaves: Leaves) {
        self.from = outer;
        let before = self.spans.len();
        match self.walk_container(at, leaves, 0) {
            Some(end) => self.walked = self.walked.max(end),
            None if self.last => self.walked = self.bytes.len(),
            None => {
                self.spans.truncate(before);
                let slashes = self.bytes[at + 1..]
                    .iter()
                    .take(64)
                    .position(|byte| *byte == b'"')
                    .map_or(0, |quote| value::slashes_before(self.bytes, at + 1 + quote));
                self.open_at(outer, at, Until::Bracket(slashes));
            }
        }
    }

    /// Walks one container; the byte behind its closing bracket, or where it stopped making sense. `None` when the window ends first.
    fn walk_container(&mut self, at: usize, leaves: Leaves, level: usize) -> Option<usize> {
        let object = self.bytes[at] == b'{';
        let close = if object { b'}' } else { b']' };
        let mut at = at + 1;
        loop {
            // Line ends may be escaped in a string that holds a document.
            while matches!(self.bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n' | b','))
                || self.bytes.get(at) == Some(&b'\\')
                    && matches!(self.bytes.get(at + 1), Some(b'n' | b'r' | b't'))
            {
                at += if self.bytes[at] == b'\\' { 2 } else { 1 };
            }
            let byte = *self.bytes.get(at)?;
            if byte == close {
                return Some(at + 1);
            }
            if object {
                let key =
                    if let Some((quote, slashes, inside)) = value::opening_quote(self.bytes, at) {
                        match value::quoted_end(self.bytes, inside, quote, slashes, false) {
                            End::At(stop, true) => {
                                at = stop + slashes + 1;
                                Key { start: inside, end: stop, quote: Some((quote, slashes)) }
                            }
                            End::At(stop, false) => return Some(stop),
                            End::Open => return None,
                        }
                    } else {
                        let length = self.bytes[at..]
                            .iter()
                            .take_while(|byte| {
                                byte.is_ascii_alphanumeric()
                                    || matches!(byte, b'_' | b'-' | b'.' | b':')
                            })
                            .count();
                        let length = if self.bytes[at..at + length].ends_with(b":") {
                            length - 1
                        } else {
                            length
                        };
                        if length == 0 {
                            return Some(at);
                        }
                        let key = Key { start: at, end: at + length, quote: None };
                        at += length;
                        key
                    };
                at = value::skip_blanks(self.bytes, at, true);
                match self.bytes.get(at)? {
                    b':' | b'=' => at += 1,
                    _ => return Some(at),
                }
                if self.bytes.get(at)? == &b'>' {
                    at += 1;
                }
                at = value::skip_blanks(self.bytes, at, true);
                at = self.walk_member(Some(key), at, leaves, level)?;
            } else {
                at = self.walk_member(None, at, leaves, level)?;
            }
        }
    }

    /// One value of a container.
    fn walk_member(
        &mut self,
        key: Option<Key>,
        at: usize,
        leaves: Leaves,
        level: usize,
    ) -> Option<usize> {
        if matches!(self.bytes.get(at)?, b'{' | b'[') {
            return if level < LEVELS {
                self.walk_container(at, leaves, level + 1)
            } else {
                self.skip_container(at)
            };
        }
        if let Some((quote, slashes, inside)) = value::opening_quote(self.bytes, at) {
            return match value::quoted_end(self.bytes, inside, quote, slashes, false) {
                End::Open => None,
                End::At(stop, closed) => {
                    let after = if closed { stop + slashes + 1 } else { stop };
                    self.leaf(
                        key,
                        Value { start: inside, end: stop, quote: Some((quote, slashes)), after },
                        leaves,
                    );
                    // Never stands still, whatever the bytes are.
                    Some(after.max(at + 1))
                }
            };
        }
        let length = self.bytes[at..]
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b'\n' | b'\r' | b'"'))?;
        let text = self.bytes[at..at + length].trim_ascii_end();
        if !matches!(text, b"true" | b"false" | b"null") {
            self.leaf(
                key,
                Value { start: at, end: at + text.len(), quote: None, after: at + length },
                leaves,
            );
        }
        Some(at + length.max(1))
    }

    fn leaf(&mut self, key: Option<Key>, found: Value, leaves: Leaves) {
        let text = &self.bytes[found.start..found.end];
        match (leaves, key) {
            (Leaves::Env, Some(key)) => {
                // `{"name": …, "value": …}` in an environment list is a pair.
                if matches!(
                    &self.bytes[key.start..key.end],
                    b"name" | b"value" | b"key" | b"Name" | b"Value"
                ) {
                    return;
                }
                self.env_value(key, found);
            }
            (Leaves::Env, None) => {
                let Some(equals) = memchr::memchr(b'=', text) else { return };
                let key = Key { start: found.start, end: found.start + equals, quote: None };
                self.env_value(key, Value { start: found.start + equals + 1, ..found });
            }
            (Leaves::Secret, key) => {
                let about = key.is_some_and(|key| keys::about(&self.bytes[key.start..key.end]));
                let number = found.quote.is_none();
                if !about && !number && !super::keyed::placeholder(text) {
                    let key =
                        key.unwrap_or(Key { start: found.start, end: found.start, quote: None });
                    self.claim_value(R::Keyed, found, Learn::Yes, false, key);
                }
            }
        }
    }

    /// The byte behind the bracket that closes the container at `at`.
    pub(super) fn skip_container(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        let mut at = at;
        loop {
            match self.bytes.get(at)? {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {
                    if let Some((quote, slashes, inside)) = value::opening_quote(self.bytes, at) {
                        match value::quoted_end(self.bytes, inside, quote, slashes, true) {
                            End::At(stop, closed) => {
                                at = if closed { stop + slashes } else { stop.max(at) }
                            }
                            End::Open => return None,
                        }
                    }
                }
            }
            at += 1;
        }
    }

    /// `map[A:b C:d]`.
    pub(super) fn go_map(&mut self, outer: usize, at: usize) {
        let Some(line) = self.line_end(at) else { return self.open(outer, Until::Line) };
        self.from = outer;
        let stop = memchr::memchr(b']', &self.bytes[at..line]).map_or(line, |length| at + length);
        self.walked = stop;
        let mut at = at;
        while at < stop {
            let end =
                memchr::memchr(b' ', &self.bytes[at..stop]).map_or(stop, |length| at + length);
            if let Some(colon) = memchr::memchr(b':', &self.bytes[at..end]) {
                let key = Key { start: at, end: at + colon, quote: None };
                self.env_value(key, Value { start: at + colon + 1, end, quote: None, after: end });
            }
            at = end + 1;
        }
    }

    /// The lines behind `env:` that are indented deeper, or are list items.
    pub(super) fn yaml_block(&mut self, outer: usize, at: usize) {
        let key_line = self.line_start(outer);
        let indent =
            |line: &[u8]| line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let base = indent(&self.bytes[key_line..outer]);
        if !matches!(self.bytes[key_line..outer].trim_ascii(), b"" | b"-") {
            return;
        }
        self.from = outer;
        let mut at = self.line_start(at);
        loop {
            if at >= self.bytes.len() {
                return self.open(outer, Until::Line);
            }
            let Some(line) = self.line_end(at) else { return self.open(outer, Until::Line) };
            let text = &self.bytes[at..line];
            let deep = indent(text);
            let item = text[deep..].starts_with(b"- ");
            let blank = deep == text.len();
            if !blank && (deep < base || deep == base && !item) {
                return;
            }
            let mut next = line;
            if !blank && text[deep] != b'#' {
                let start = at + deep + if item { 2 } else { 0 };
                let start = match value::opening_quote(self.bytes, start) {
                    // `- "A=b"`: the quotes go round both.
                    Some((_, 0, inside)) if item => inside,
                    _ => start,
                };
                let delimiter = self.bytes[start..line]
                    .iter()
                    .position(|byte| matches!(byte, b'=' | b':'))
                    .map(|length| start + length);
                if let Some(delimiter) = delimiter
                    && let Some(key) = self.key_before(delimiter).filter(|key| key.start >= start)
                    && !(matches!(
                        &self.bytes[key.start..key.end],
                        b"name" | b"value" | b"key" | b"valueFrom"
                    ))
                {
                    let value_at = value::skip_blanks(self.bytes, delimiter + 1, false);
                    if value_at < line {
                        let quoted = value::opening_quote(self.bytes, value_at).is_some();
                        let block = matches!(self.bytes[value_at], b'|' | b'>');
                        let found = if quoted || block {
                            self.value(key, value_at, delimiter + 1)
                        } else {
                            self.rest_of_line(outer, value_at)
                        };
                        let Some(mut found) = found else { return };
                        if start > at + deep + 2
                            && found.quote.is_none()
                            && matches!(self.bytes[found.end - 1], b'"' | b'\'')
                            && found.end - 1 > found.start
                        {
                            found.end -= 1;
                        }
                        self.env_value(key, found);
                        next = self
                            .line_end(found.after.max(line.min(found.after)))
                            .unwrap_or(self.bytes.len())
                            .max(line);
                    }
                }
            }
            self.walked = self.walked.max(next);
            at = next
                + self.bytes[next..]
                    .iter()
                    .take(2)
                    .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                    .count()
                    .min(if self.bytes[next..].starts_with(b"\r\n") { 2 } else { 1 });
            if at == next && at < self.bytes.len() {
                return;
            }
        }
    }
}
