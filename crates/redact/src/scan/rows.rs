//! Rows of the files in which programs keep passwords: `.pgpass` and `.netrc`, as lines, or as strings of other documents.

use super::value::{self, End};
use super::{Learn, Scan, Until};
use crate::kind::Kind;
use crate::rules::R;

/// What a row begins with, and so what ends it.
enum Edge {
    /// A line: the password goes to its end.
    Line,
    /// A string, or a line of one; its quote and the backslashes before it.
    String(u8, usize),
    /// Text: a blank or a quote ends the password.
    Text,
}

impl Scan<'_> {
    /// `port:d` ends at `end`: a row of `.pgpass` if `host:` stands before it and `atabase:user:password` follows.
    pub(super) fn pgpass(&mut self, end: usize) {
        let named =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'*');
        let digit = |byte: u8| byte.is_ascii_digit() || byte == b'*';
        let colon = end - 1;
        let port_at = self.run_start(colon, 8, digit);
        let Some(host_end) = port_at.checked_sub(1).filter(|at| self.bytes[*at] == b':') else {
            return;
        };
        let host_at = self.run_start(host_end, 254, named);
        let port = &self.bytes[port_at..colon];
        let host = &self.bytes[host_at..host_end];
        let port = port == b"*" || (2..=5).contains(&port.len()) && !port.contains(&b'*');
        let word = |field: &[u8]| field == b"*" || field.iter().any(u8::is_ascii_alphabetic);
        if !port || host.is_empty() || !word(host) && !host.contains(&b'.') {
            return;
        }
        let field = |from: usize| {
            let length =
                self.bytes[from..].iter().take(128).take_while(|byte| named(**byte)).count();
            (from + length, self.bytes.get(from + length).copied())
        };
        let (database_end, next) = field(end);
        if next.is_some_and(|byte| byte != b':') {
            return;
        }
        let user_at = database_end + 1;
        let (user_end, next) = if next.is_some() { field(user_at) } else { (database_end, None) };
        match next {
            None => return self.open(host_at, Until::Line),
            Some(b':') => {}
            Some(_) => return,
        }
        let (database, user) = (&self.bytes[end..database_end], &self.bytes[user_at..user_end]);
        if database.is_empty() || user.is_empty() || !(word(database) || word(user)) {
            return;
        }
        let at = user_end + 1;
        let Some(stop) = self.row_end(host_at, at) else { return };
        if stop < at + 3 || self.bytes[at..stop].contains(&b' ') || self.is_ipv6(host_at, at) {
            return;
        }
        self.from = host_at;
        let value = value::unescape(&self.bytes[at..stop], 1);
        self.claim_as(R::CredentialFile, Kind::Secret, at, stop, Some(value), Learn::Yes);
    }

    /// Whether what stands from `from` beyond `to` is part of an IPv6 address: in one with a group of digits only, the groups around it look
    /// like a row, and neither an address nor its pseudonym is a password.
    fn is_ipv6(&self, from: usize, to: usize) -> bool {
        let group = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
        let start = self.run_start(from, 40, group);
        let length = self.bytes[start..].iter().take(40).take_while(|byte| group(**byte)).count();
        let text = std::str::from_utf8(&self.bytes[start..start + length]).unwrap_or_default();
        start + length > to && text.trim_end_matches(':').parse::<std::net::Ipv6Addr>().is_ok()
    }

    /// `login ` ends at `end`: a row of `.netrc` if `NAME password p` follows, in one line or several.
    pub(super) fn netrc(&mut self, end: usize) {
        let row = end - b"login ".len();
        let mut at = end;
        for word in [None, Some(&b"password"[..])] {
            let from = self.skip_row_blanks(at);
            let End::At(stop, _) = value::bare_end(self.bytes, from) else {
                return self.open(row, Until::Line);
            };
            if stop == from || word.is_some_and(|word| &self.bytes[from..stop] != word) {
                return;
            }
            at = stop;
        }
        let at = self.skip_row_blanks(at);
        if at == self.bytes.len() {
            return self.open(row, Until::Line);
        }
        // What `machine` stands behind tells how the row is written. Without it, it may be a sentence.
        let floor = row.saturating_sub(320);
        let [machine, default] = [&b"machine "[..], b"default "]
            .map(|word| memchr::memmem::rfind(&self.bytes[floor..row], word));
        let named = machine.max(default);
        let machine = named.map_or(row, |found| floor + found);
        let Some(stop) = self.row_end(machine, at) else { return };
        let stop = self.bytes[at..stop]
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\t'))
            .map_or(stop, |length| at + length);
        if named.is_none() && !self.bytes[at..stop].iter().any(u8::is_ascii_digit) {
            return;
        }
        self.from = row;
        let value = value::unescape(&self.bytes[at..stop], 1);
        self.claim_as(R::CredentialFile, Kind::Secret, at, stop, Some(value), Learn::Yes);
    }

    /// Skips blanks and line ends, escaped ones too.
    fn skip_row_blanks(&self, mut at: usize) -> usize {
        loop {
            at = value::skip_blanks(self.bytes, at, true);
            let slashes =
                self.bytes[at..].iter().take(8).take_while(|byte| **byte == b'\\').count();
            match self.bytes.get(at + slashes) {
                Some(b'n' | b'r' | b't') if slashes > 0 => at += slashes + 1,
                _ => return at,
            }
        }
    }

    /// Where the password at `at` ends, in a row that begins at `row`. `None` when that is behind the window.
    fn row_end(&mut self, row: usize, at: usize) -> Option<usize> {
        let edge = self.row_edge(row);
        let end = match edge {
            Edge::Line => match self.line_end(at) {
                Some(end) => return Some(end),
                None => End::Open,
            },
            Edge::String(quote, slashes) => {
                value::quoted_end(self.bytes, at, quote, slashes, false)
            }
            Edge::Text => value::bare_end(self.bytes, at),
        };
        let stop = match end {
            End::At(stop, _) => stop,
            End::Open if self.last => self.bytes.len(),
            End::Open => {
                self.open(row, Until::Line);
                return None;
            }
        };
        let Edge::String(_, slashes) = edge else { return Some(stop) };
        // An escaped line end ends the row, a blank the password: a sentence follows.
        let mut end = at;
        while end < stop {
            match self.bytes[end] {
                b'\\' => {
                    let run =
                        self.bytes[end..stop].iter().take_while(|byte| **byte == b'\\').count();
                    if run == slashes + 1 && matches!(self.bytes.get(end + run), Some(b'n' | b'r'))
                    {
                        break;
                    }
                    end += run + 1;
                }
                b' ' => break,
                _ => end += 1,
            }
        }
        Some(end.min(stop))
    }

    fn row_edge(&self, row: usize) -> Edge {
        let Some(before) = row.checked_sub(1).map(|at| self.bytes[at]) else { return Edge::Line };
        match before {
            b'\n' => Edge::Line,
            quote @ (b'"' | b'\'' | b'`') => {
                Edge::String(quote, value::slashes_before(self.bytes, row - 1))
            }
            b'n' | b'r' => match value::slashes_before(self.bytes, row - 1) {
                0 => Edge::Text,
                slashes => Edge::String(b'"', slashes - 1),
            },
            _ => Edge::Text,
        }
    }
}
