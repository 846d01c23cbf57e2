//! L1: environment by name, in JSON, TOML, YAML and Go notation, and lines of a dotenv file. A name that is not on the short list is masked.

use super::keyed::Key;
use super::keys::{self, Telling};
use super::value::{self, End, Value};
use super::walk::Leaves;
use super::{Learn, Scan, Until};
use crate::rules::R;

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
    pub(super) fn env_value(&mut self, key: Key, found: Value) {
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
}
