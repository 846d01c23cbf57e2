//! L5: random-looking runs, but only with context, and never an identifier of the platform.

use super::{Learn, Scan};
use crate::kind::{self, Kind};
use crate::rules::R;

/// Words that make a random-looking run suspicious when they stand shortly before it on the same line.
const WORDS: &[&str] = &[
    "key", "secret", "token", "pass", "pwd", "auth", "cred", "sign", "priv", "seed", "salt",
    "hmac", "cookie", "session", "bearer",
];
/// How far before the run they count.
const REACH: usize = 48;

impl Scan<'_> {
    /// Takes `start..end` if it looks random and something near it says that it may be a secret.
    pub(super) fn entropy(&mut self, start: usize, end: usize) {
        let run = &self.bytes[start..end];
        let trimmed = run.len() - run.iter().rev().take_while(|byte| **byte == b'=').count();
        let body = &run[..trimmed];
        if body.len() < 20 || body.len() > 4096 || identifier(body) || !random(body) {
            return;
        }
        let from = self.line_start(start).max(start.saturating_sub(REACH));
        let before = &self.bytes[from..start];
        let close = before.trim_ascii_end();
        let close = close.strip_suffix(b"\"").or_else(|| close.strip_suffix(b"'")).unwrap_or(close);
        let close = close.strip_suffix(b"\\").unwrap_or(close).trim_ascii_end();
        let assigned = matches!(close.last(), Some(b'=' | b':'));
        let lower = before.to_ascii_lowercase();
        let told = WORDS.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some());
        let hex = body.iter().all(u8::is_ascii_hexdigit);
        // Hex alone is a digest, a trace or a commit far more often than a secret; letters of one case are names and identifiers.
        let varied = body.iter().any(u8::is_ascii_uppercase)
            && body.iter().any(u8::is_ascii_lowercase)
            && body.iter().any(u8::is_ascii_digit);
        let quiet = [
            "digest",
            "sha",
            "etag",
            "trace",
            "span",
            "request",
            "commit",
            "serial",
            "fingerprint",
            "image",
            "machine",
            "instance",
            "version",
            "hash",
            "checksum",
            "integrity",
            "nonce",
            "cursor",
            "id",
        ]
        .iter()
        .any(|word| nearest_key(&lower).is_some_and(|key| key.ends_with(word.as_bytes())));
        if quiet || !(told && (varied || hex && body.len() >= 32) || assigned && varied && !hex) {
            return;
        }
        let before = self.spans.len();
        self.claim_as(R::Entropy, Kind::Secret, start, end, None, Learn::Yes);
        if self.spans.len() > before
            && let Some(span) = self.spans.pop()
        {
            self.weak.push(span);
        }
    }
}

/// The last word before the run.
fn nearest_key(before: &[u8]) -> Option<&[u8]> {
    let end = before.iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    let start = before[..end]
        .iter()
        .rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte != b'-')
        .map_or(0, |at| at + 1);
    Some(&before[start..end])
}

/// Identifiers that must survive: Machine, instance, volume and snapshot ids, ULIDs, UUIDs, digests, request and trace ids.
pub(super) fn identifier(run: &[u8]) -> bool {
    kind::is_identifier(run)
}

/// Whether the characters change class often enough and are spread widely enough for chance to have put them there.
fn random(run: &[u8]) -> bool {
    let class = |byte: &u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let changes = run.windows(2).filter(|pair| class(&pair[0]) != class(&pair[1])).count();
    let mut counts = [0_u32; 256];
    for byte in run {
        counts[usize::from(*byte)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "runs are at most 4096 bytes")]
    let length = run.len() as f64;
    let entropy: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum();
    digits >= 2 && changes * 10 >= run.len() * 3 && entropy >= 3.2
}
