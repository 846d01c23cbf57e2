//! L3: passwords and parameters in URLs.

use super::value::unpercent;
use super::{Learn, Scan, Until};
use crate::kind::Kind;
use crate::rules::R;

/// Longest URL that is looked at as one. Bounds the work on hostile input.
const REACH: usize = 8192;

impl Scan<'_> {
    /// `://` ends at `end`. The password may hold `:`, `/`, `@` and `%`, so the last `@` that can belong to the authority counts.
    pub(super) fn url(&mut self, end: usize) {
        let stop_byte = |byte: &u8| {
            matches!(
                byte,
                b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'<' | b'>' | b'`' | 0..=0x1f
            )
        };
        let reach = self.bytes.len().min(end + REACH);
        let mut stop =
            self.bytes[end..reach].iter().position(stop_byte).map_or(reach, |length| end + length);
        if stop == self.bytes.len() {
            self.open(
                self.run_start(end, 64, |byte| {
                    byte.is_ascii_alphanumeric() || byte == b':' || byte == b'/'
                }),
                Until::Run,
            );
        }
        // An escape of the enclosing string ends it (`\"`, `\n`), an escaped slash does not.
        let mut at = end;
        while let Some(slash) = memchr::memchr(b'\\', &self.bytes[at..stop]) {
            match self.bytes.get(at + slash + 1) {
                Some(b'/' | b'u') => at += slash + 2,
                _ => stop = at + slash,
            }
        }
        // Another URL behind this one is looked at by itself.
        if let Some(next) = memchr::memmem::find(&self.bytes[end..stop], b"://") {
            let scheme = self.run_start(end + next, 32, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')
            });
            let inner = self.bytes[end..end + next].contains(&b'@')
                || !self.bytes[end + next + 3..stop].contains(&b'@');
            if scheme > end && (inner || !self.bytes[end..scheme].contains(&b':')) {
                stop = scheme;
            }
        }
        let text = &self.bytes[end..stop];
        let colons = self.bytes[..end]
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b'/' | b'\\' | b':'))
            .count();
        let scheme_start = self.run_start(end - colons, 32, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')
        });
        let scheme = self.bytes[scheme_start..end - colons].to_ascii_lowercase();
        let web = matches!(scheme.as_slice(), b"http" | b"https" | b"ws" | b"wss" | b"git+https");
        let Some(at_sign) = userinfo_end(text, web) else { return };
        let info = &text[..at_sign];
        match memchr::memchr(b':', info) {
            Some(colon) if colon + 1 < at_sign => {
                self.claim_as(
                    R::UrlUserinfo,
                    Kind::Secret,
                    end + colon + 1,
                    end + at_sign,
                    Some(decoded(&info[colon + 1..])),
                    Learn::Yes,
                );
            }
            Some(colon) if colon >= 8 => {
                self.claim_as(R::UrlUserinfo, Kind::Secret, end, end + colon, None, Learn::Yes);
            }
            Some(_) => {}
            None => {
                let host = &text[at_sign + 1..];
                let sentry = memchr::memmem::find(&host[..host.len().min(80)], b"sentry").is_some();
                let token = info.len() >= 16
                    && info.iter().any(u8::is_ascii_digit)
                    && !info.contains(&b'/');
                if web && token {
                    let rule = if sentry { R::Sentry } else { R::UrlUserinfo };
                    self.claim_as(rule, Kind::Secret, end, end + at_sign, None, Learn::Yes);
                }
            }
        }
    }

    /// `?key=` ends at `end`: names that are telling in a query only.
    pub(super) fn query(&mut self, end: usize) {
        let name = self.run_start(end - 1, 64, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let word = self.bytes[name..end - 1].to_ascii_lowercase();
        let sure = matches!(word.as_slice(), b"sig" | b"signature" | b"hmac" | b"awsaccesskeyid")
            || word.starts_with(b"x-amz-s")
            || word.starts_with(b"x-amz-c")
            || word.starts_with(b"x-goog-s");
        let stop = self.query_end(end);
        let text = &self.bytes[end..stop];
        let long = text.len() >= 12
            && text.iter().any(u8::is_ascii_digit)
            && text.iter().any(u8::is_ascii_alphabetic);
        if sure || long {
            self.query_value(R::UrlQuery, end);
        }
    }

    /// Claims a query parameter's value that begins at `at`.
    pub(super) fn query_value(&mut self, rule: R, at: usize) {
        let stop = self.query_end(at);
        if stop == self.bytes.len() && !self.last {
            return self.open(at.saturating_sub(64).max(self.line_start(at)), Until::Run);
        }
        if !super::keyed::placeholder(&self.bytes[at..stop]) {
            let value = unpercent(&self.bytes[at..stop]);
            self.claim_as(rule, Kind::Secret, at, stop, Some(value), Learn::Yes);
        }
    }

    fn query_end(&self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        let stop = rest
            .iter()
            .position(|byte| {
                matches!(
                    byte,
                    b'&' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b')' | b']' | b'}' | 0
                        ..=0x20
                )
            })
            .unwrap_or(rest.len());
        at + stop
            - rest[..stop]
                .iter()
                .rev()
                .take_while(|byte| matches!(byte, b',' | b';' | b'.'))
                .count()
    }
}

/// Index of the `@` that ends user and password in what follows `://`.
fn userinfo_end(text: &[u8], web: bool) -> Option<usize> {
    let authority =
        text.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(text.len());
    if web {
        if let Some(at) = memchr::memrchr(b'@', &text[..authority]) {
            return Some(at);
        }
        // `http://user:pa/ss@host`: what stands behind the colon is no port.
        let colon = memchr::memchr(b':', &text[..authority])?;
        let port = &text[colon + 1..authority];
        let port = !port.is_empty() && port.iter().all(u8::is_ascii_digit)
            || text[..colon].starts_with(b"[");
        return if port { None } else { memchr::memrchr(b'@', text) };
    }
    // Database and mail URLs have no `@` in their path, so the last one ends the password, be there slashes in it or not.
    let at = memchr::memrchr(b'@', text)?;
    memchr::memchr(b':', &text[..at])
        .map(|_| at)
        .or_else(|| memchr::memrchr(b'@', &text[..authority]))
}

/// The password as its owner knows it.
fn decoded(password: &[u8]) -> Vec<u8> {
    let plain = super::value::unescape(password, 1);
    unpercent(&plain)
}
