//! Long runs of token characters: keys known by their shape alone, secrets inside base64, and candidates for the entropy rule.

use super::{Learn, Scan, Until};
use crate::kind::Kind;
use crate::rules::R;

/// Shortest run that is looked at.
const SHORTEST: usize = 20;

const fn in_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
}

/// [`in_run`] as a table.
static IN_RUN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let value = in_run(byte as u8);
        table[byte] = value;
        byte += 1;
    }
    table
};

impl Scan<'_> {
    /// Looks at every run of at least [`SHORTEST`] bytes. A run cannot hide between two bytes that are that far apart and in no run.
    pub(super) fn runs(&mut self) {
        let bytes = self.bytes;
        let mut at = SHORTEST - 1;
        while at < bytes.len() {
            if !IN_RUN[usize::from(bytes[at])] {
                at += SHORTEST;
                continue;
            }
            let floor = at + 1 - SHORTEST;
            let mut start = at;
            while start > floor && IN_RUN[usize::from(bytes[start - 1])] {
                start -= 1;
            }
            if start > floor {
                // It begins too late to be long enough here.
                let end = at
                    + bytes[at..]
                        .iter()
                        .take(SHORTEST)
                        .take_while(|byte| IN_RUN[usize::from(**byte)])
                        .count();
                if end - start < SHORTEST {
                    at = end + SHORTEST;
                    continue;
                }
            } else {
                while start > 0 && IN_RUN[usize::from(bytes[start - 1])] {
                    start -= 1;
                }
            }
            let end =
                at + bytes[at..].iter().take_while(|byte| IN_RUN[usize::from(**byte)]).count();
            let start = self.past_escape(start, end);
            if self.open.is_some_and(|open| end > open.at) {
                return;
            }
            if end == bytes.len() && !self.last {
                return self.open(start, Until::Run);
            }
            if end - start >= SHORTEST {
                self.run_of(start, end);
            }
            at = end + SHORTEST;
        }
    }

    fn run_of(&mut self, start: usize, end: usize) {
        let bytes = self.bytes;
        // `key=value` is one run to us: what stands behind the sign counts.
        let start = match memchr::memchr(b'=', &bytes[start..end]) {
            Some(equals) if start + equals + 1 < end && bytes[start + equals + 1] != b'=' => {
                start + equals + 1
            }
            _ => start,
        };
        let run = &bytes[start..end];
        if run.len() < SHORTEST || self.is_protected(start) {
            return;
        }
        if matches!(run.len(), 43 | 44) && is_digest_of(&bytes[..start]) {
            return;
        }
        if run.len() >= 44 {
            self.wireguard(start, end);
        }
        self.aws_secret(start, end);
        if run.len() >= 24 && self.inside_base64(start, end) {
            return;
        }
        self.entropy(start, end);
    }

    /// A 32-byte key in base64, whatever it is called. Digests for browsers (`sha256-…`) are no keys.
    fn wireguard(&mut self, start: usize, end: usize) {
        let run = &self.bytes[start..end];
        let shifted = run.len() - 44;
        let found = if super::prefixed::is_wireguard(&run[shifted..])
            && (shifted == 0 || matches!(run[shifted - 1], b'='))
        {
            Some(start + shifted)
        } else {
            None
        };
        if let Some(from) = found
            && !is_digest_of(&self.bytes[..from])
        {
            self.claim_as(R::Wireguard, Kind::WireguardKey, from, from + 44, None, Learn::Yes);
        }
    }

    /// Forty characters of base64 near an access key id of Amazon's form, or of Tigris'.
    fn aws_secret(&mut self, start: usize, end: usize) {
        let run = &self.bytes[start..end];
        if run.len() != 40
            || run.iter().any(|byte| matches!(byte, b'_' | b'-' | b'='))
            || run.iter().all(u8::is_ascii_hexdigit)
        {
            return;
        }
        let classes = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
        if !classes.iter().all(|class| run.iter().any(class)) {
            return;
        }
        let before = &self.bytes[start.saturating_sub(200)..start];
        let after = &self.bytes[end..self.bytes.len().min(end + 200)];
        let near = |text: &[u8]| {
            [&b"AKIA"[..], b"ASIA", b"tid_"]
                .iter()
                .any(|prefix| memchr::memmem::find(text, prefix).is_some())
        };
        if near(before) || near(after) {
            self.claim(R::AwsSecret, start, end, Learn::Yes);
        }
    }
}

/// Whether what stands before a run says that it is a digest: fingerprints of SSH, integrity of scripts, pinned keys.
fn is_digest_of(before: &[u8]) -> bool {
    [&b"sha256-"[..], b"SHA256:", b"sha256/"].iter().any(|mark| before.ends_with(mark))
}
