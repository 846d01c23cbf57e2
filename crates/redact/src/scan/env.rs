//! L1 where everything counts: environment maps in JSON, TOML, YAML, Go, Ruby and Python notation, lines of a dotenv file, name/value
//! pairs, and containers behind telling keys. A name that is not on the short list is masked.

use super::keyed::Key;
use super::keys::{self, Telling};
use super::value::{self, End, Value};
use super::{Learn, Scan, Until};
use crate::rules::R;

/// What a walk through a container does with its leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// Environment: masked unless the name is on the list.
    Env,
    /// Container behind a telling key: masked unless the member is only about the secret.
    Secret,
}

/// Most levels a walk goes down.
const LEVELS: usize = 32;
/// How far from a name its value may stand.
const PAIR_REACH: usize = 4096;

impl Scan<'_> {
    /// `env` ends at `end`: a key, a table's name, or part of another word.
    pub(super) fn env(&mut self, end: usize) {
        let start = end - 3;
        if end <= self.walked {
            return;
        }
        let tail = self.bytes[end..]
            .iter()
            .take(24)
            .take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_')
            .count();
        let word = end + tail;
        let quote = value::opening_quote(self.bytes, word).map_or(word, |(_, _, behind)| behind);
        let next = value::skip_blanks(self.bytes, quote, false);
        match self.bytes.get(next) {
            Some(b':' | b'=') => self.env_key(next + 1),
            Some(b']') => self.env_table(next + 1),
            None => {
                self.open(
                    self.run_start(start, 64, |byte| !byte.is_ascii_whitespace()),
                    Until::Run,
                );
            }
            Some(_) => {}
        }
    }

    /// `env` as a key, its delimiter ends at `end`.
    fn env_key(&mut self, end: usize) {
        if end <= self.walked {
            return;
        }
        let Some(key) = self.key_before(end - 1) else { return };
        let name = self.bytes[key.start..key.end].to_ascii_lowercase();
        let name = name.rsplit(|byte| *byte == b'.').next().unwrap_or(&[]);
        if !matches!(
            name,
            b"env" | b"envs" | b"environment" | b"env_vars" | b"envvars" | b"environment_variables"
        ) {
            return;
        }
        let Some(at) = self.value_start(end, true) else { return };
        let outer = key.outer();
        match self.bytes.get(at) {
            None => self.open(outer, Until::Line),
            Some(b'{' | b'[') => self.walk(outer, at, Leaves::Env),
            Some(b'm') if self.bytes[at..].starts_with(b"map[") => self.go_map(outer, at + 4),
            Some(_) if key.quote.is_none() && self.bytes[end..at].contains(&b'\n') => {
                self.yaml_block(outer, at);
            }
            Some(_) => {}
        }
    }

    /// `[env]`: lines up to the next table.
    fn env_table(&mut self, end: usize) {
        let start = self.line_start(end.saturating_sub(1));
        let Some(line) = self.line_end(end) else { return self.open(start, Until::Line) };
        if self.bytes[start..end].trim_ascii_start().first() != Some(&b'[')
            || !matches!(self.bytes[end..line].trim_ascii().first(), None | Some(b'#'))
        {
            return;
        }
        self.from = start;
        let mut at = line;
        loop {
            at += self.bytes[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if at >= self.bytes.len() {
                return self.open(start, Until::Line);
            }
            let first = value::skip_blanks(self.bytes, at, false);
            if self.bytes.get(first) == Some(&b'[') {
                return;
            }
            let Some(next) = self.env_line(start, at) else { return };
            at = next;
        }
    }

    /// Lines of a dotenv file from `at` on.
    pub(super) fn env_lines(&mut self, at: usize) {
        let mut at = at;
        while at < self.bytes.len() {
            match self.env_line(at, at) {
                Some(next) => {
                    at = next
                        + self.bytes[next..]
                            .iter()
                            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                            .count();
                }
                None => return,
            }
        }
    }

    /// One `NAME=value` line at `at`: where the line, or its quoted value, ends. `None` when the window ends first.
    fn env_line(&mut self, outer: usize, at: usize) -> Option<usize> {
        let Some(line) = self.line_end(at) else {
            self.open(outer, Until::Line);
            return None;
        };
        let mut start = value::skip_blanks(self.bytes, at, false);
        for word in [&b"export "[..], b"set "] {
            if self.bytes[start..line].starts_with(word) {
                start = value::skip_blanks(self.bytes, start + word.len(), false);
            }
        }
        if matches!(self.bytes.get(start), Some(b'#' | b';')) {
            return Some(line);
        }
        let Some(delimiter) =
            memchr::memchr2(b'=', b':', &self.bytes[start..line]).map(|length| start + length)
        else {
            return Some(line);
        };
        let Some(key) = self.key_before(delimiter).filter(|key| key.start >= start) else {
            return Some(line);
        };
        let value_at = value::skip_blanks(self.bytes, delimiter + 1, false);
        let found = match value::opening_quote(self.bytes, value_at) {
            Some((quote, slashes, inside)) => {
                let triple = self.bytes[value_at..].starts_with(b"\"\"\"")
                    || self.bytes[value_at..].starts_with(b"'''");
                if triple {
                    self.value(key, value_at, delimiter + 1)?
                } else {
                    match value::quoted_end(self.bytes, inside, quote, slashes, quote != b'`') {
                        End::At(stop, closed) => {
                            let after = if closed { stop + slashes + 1 } else { stop };
                            Value { start: inside, end: stop, quote: Some((quote, slashes)), after }
                        }
                        // A quote that nothing closes is an ordinary character.
                        End::Open if self.last => self.rest_of_line(outer, value_at)?,
                        End::Open => {
                            self.open_at(outer, inside, Until::Quote(quote, slashes));
                            return None;
                        }
                    }
                }
            }
            None if matches!(self.bytes.get(value_at), Some(b'{' | b'['))
                && self.format != crate::format::Format::Env =>
            {
                return Some(self.skip_container(value_at).map_or(line, |after| after.max(line)));
            }
            None => match self.rest_of_line(outer, value_at) {
                Some(found) => found,
                None => return Some(line),
            },
        };
        self.env_value(key, found);
        Some(self.line_end(found.after).unwrap_or(self.bytes.len()))
    }

    /// Claims the value of one variable.
    fn env_value(&mut self, key: Key, found: Value) {
        let name = &self.bytes[key.start..key.end];
        if keys::harmless_env(name)
            || super::keyed::placeholder(&self.bytes[found.start..found.end])
        {
            return;
        }
        let learn = if keys::judge(name) == Telling::No { Learn::IfOdd } else { Learn::Yes };
        let number = found.quote.is_none()
            && key.quote.is_some_and(|(quote, _)| quote == b'"')
            && self.bytes[found.start..found.end]
                .iter()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        self.claim_value(R::EnvMap, found, learn, number, key);
    }

    /// A container behind a telling key.
    pub(super) fn walk_secret(&mut self, outer: usize, at: usize) {
        if at > self.walked {
            self.walk(outer, at, Leaves::Secret);
        }
    }

    /// Walks the container that opens at `at`.
    fn walk(&mut self, outer: usize, at: usize, leaves: Leaves) {
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
    fn skip_container(&self, at: usize) -> Option<usize> {
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
    fn go_map(&mut self, outer: usize, at: usize) {
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
    fn yaml_block(&mut self, outer: usize, at: usize) {
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
