//! L2: private key blocks, over lines or escaped in one. Public certificates are evidence and stay.

use super::value::{self, End};
use super::{Learn, Scan, Until};
use crate::kind::Kind;
use crate::rules::R;

impl Scan<'_> {
    /// `-----BEGIN` ends at `end`.
    pub(super) fn pem(&mut self, end: usize) {
        let start = end - b"-----BEGIN".len();
        let label = &self.bytes[end..self.bytes.len().min(end + 64)];
        let Some(length) = memchr::memmem::find(label, b"-----") else {
            if label.len() < 64 && !label.contains(&b'\n') {
                self.open(start, Until::PemEnd);
            }
            return;
        };
        if memchr::memmem::find(&label[..length], b"PRIVATE KEY").is_none() {
            return;
        }
        let body = end + length + 5;
        // Inside a string the string's end is the latest end of the block; only blocks over real lines may run to the end of all.
        let real = matches!(self.bytes.get(body), Some(b'\n' | b'\r'));
        let limit = if real {
            self.bytes.len()
        } else {
            match value::quoted_end(self.bytes, body, b'"', 0, false) {
                End::At(stop, _) => stop,
                End::Open => self.bytes.len(),
            }
        };
        let (stop, closed) =
            match memchr::memmem::find(&self.bytes[body.min(limit)..limit], b"-----END") {
                Some(length) => {
                    let mark = body + length + b"-----END".len();
                    match memchr::memmem::find(
                        &self.bytes[mark..self.bytes.len().min(mark + 64).max(mark)],
                        b"-----",
                    ) {
                        Some(length) => ((mark + length + 5).min(limit.max(mark)), true),
                        None => (limit, mark + 64 <= self.bytes.len()),
                    }
                }
                None => (limit, limit < self.bytes.len()),
            };
        if !closed && !self.last {
            return self.open(start, Until::PemEnd);
        }
        // The marks alone, as in a program's text, are no key; nor is what an earlier pass left.
        let body = body.min(stop);
        let count = self.bytes[body..stop]
            .iter()
            .enumerate()
            .filter(|(at, byte)| byte.is_ascii_alphanumeric() && !self.is_protected(body + at))
            .count();
        if count >= 16 {
            self.claim_as(R::PrivateKey, Kind::PrivateKey, start, stop, None, Learn::No);
        }
    }
}
