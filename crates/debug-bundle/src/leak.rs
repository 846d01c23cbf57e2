//! The second scanner: looks for secrets in finished archives with other means than `redact`.
//!
//! It shares no code, table or crate with the redactor, on purpose: a defect there must not be a defect here. It is simple
//! and strict rather than complete: fixed beginnings of tokens, passwords in addresses, private keys, and our own secrets as
//! they are, in base64, in hex and percent-escaped.

use secrecy::{ExposeSecret, SecretString};

/// A hit: what, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// What it looks like.
    pub kind: &'static str,
    /// Offset in the bytes that were given.
    pub at: usize,
}

/// What follows a fixed beginning.
struct Anchor {
    kind: &'static str,
    start: &'static [u8],
    /// Least number of token characters that must follow.
    least: usize,
}

/// Beginnings that mean a secret when enough token characters follow. A pseudonym has a colon there and is left alone.
const ANCHORS: [Anchor; 15] = [
    Anchor { kind: "Fly.io token", start: b"fm2_", least: 16 },
    Anchor { kind: "Fly.io token", start: b"fm1r_", least: 16 },
    Anchor { kind: "Fly.io token", start: b"fm1a_", least: 16 },
    Anchor { kind: "Fly.io token", start: b"fo1_", least: 20 },
    Anchor { kind: "GitHub token", start: b"ghp_", least: 30 },
    Anchor { kind: "GitHub token", start: b"gho_", least: 30 },
    Anchor { kind: "GitHub token", start: b"ghs_", least: 30 },
    Anchor { kind: "GitHub token", start: b"github_pat_", least: 30 },
    Anchor { kind: "GitLab token", start: b"glpat-", least: 18 },
    Anchor { kind: "Slack token", start: b"xoxb-", least: 20 },
    Anchor { kind: "Slack token", start: b"xoxp-", least: 20 },
    Anchor { kind: "Stripe key", start: b"sk_live_", least: 16 },
    Anchor { kind: "Stripe key", start: b"rk_live_", least: 16 },
    Anchor { kind: "Amazon key id", start: b"AKIA", least: 16 },
    Anchor { kind: "Amazon key id", start: b"ASIA", least: 16 },
];

/// Looks for secrets.
pub struct Scanner {
    known: Vec<Vec<u8>>,
    /// Which bytes begin an anchor, a known value or one of the longer forms.
    first: [bool; 256],
}

impl Scanner {
    /// A scanner that also knows these values, in several forms. Values of fewer than six bytes are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut known = Vec::new();
        for secret in secrets {
            let value = secret.expose_secret().as_bytes();
            if value.len() >= 6 {
                known.extend(forms(value));
            }
        }
        known.sort();
        known.dedup();
        let mut first = [false; 256];
        for start in ANCHORS.iter().map(|anchor| anchor.start[0]).chain(*b":-") {
            first[usize::from(start)] = true;
        }
        for value in &known {
            first[usize::from(value[0])] = true;
        }
        Self { known, first }
    }

    /// The first secret in `text`.
    pub fn find(&self, text: &[u8]) -> Option<Hit> {
        let candidates =
            text.iter().enumerate().filter(|(_, byte)| self.first[usize::from(**byte)]);
        for (at, _) in candidates {
            let rest = &text[at..];
            if self.known.iter().any(|value| rest.starts_with(value)) {
                return Some(Hit { kind: "one of this tool's own secrets", at });
            }
            let anchor = ANCHORS.iter().find(|anchor| rest.starts_with(anchor.start));
            if let Some(anchor) = anchor
                && !at.checked_sub(1).is_some_and(|before| is_word(text[before]))
                && run(&rest[anchor.start.len()..]) >= anchor.least
            {
                return Some(Hit { kind: anchor.kind, at });
            }
            if rest.starts_with(b"://") && has_password(&rest[3..]) {
                return Some(Hit { kind: "a password in an address", at });
            }
            if rest.starts_with(b"-----BEGIN ") && is_private_key(rest) {
                return Some(Hit { kind: "a private key", at });
            }
        }
        None
    }
}

/// The value itself and what it looks like in base64, hex and percent escapes.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_vec(), crate::staging::hex(value).into_bytes()];
    // Of base64, the part that does not depend on what stands before and after: three ways to be aligned.
    for skip in 0..3 {
        let whole = (value.len().saturating_sub(skip)) / 3 * 3;
        let piece = &value[skip.min(value.len())..][..whole];
        let encoded = base64(piece);
        if encoded.len() >= 8 {
            forms.push(encoded);
        }
    }
    let escaped: String = value
        .iter()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    forms.push(escaped.into_bytes());
    forms
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| LETTERS[(bits & 63) as usize];
    let groups = bytes.chunks_exact(3);
    groups
        .flat_map(|group| {
            let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
            [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)]
        })
        .collect()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=' | b'.')
        })
        .count()
}

/// `user:password@host` after `://`, unless the password is a pseudonym or obviously none.
fn has_password(rest: &[u8]) -> bool {
    let end = rest
        .iter()
        .take(4096)
        .position(|byte| {
            matches!(
                byte,
                b'/' | b'?'
                    | b'#'
                    | b' '
                    | b'\t'
                    | b'\n'
                    | b'\r'
                    | b'"'
                    | b'\''
                    | b'\\'
                    | b'<'
                    | b'>'
                    | b'`'
                    | b'|'
            )
        })
        .unwrap_or(rest.len().min(4096));
    let authority = &rest[..end];
    let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else { return false };
    let user = without_pseudonyms(&authority[..at]);
    let Some(colon) = user.iter().position(|byte| *byte == b':') else { return false };
    let password = &user[colon + 1..];
    let placeholder = password.is_empty()
        || password.starts_with(b"$")
        || password.starts_with(b"{")
        || password.starts_with(b"%")
        || password.starts_with(b"[")
        || password.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X'));
    !placeholder
}

/// What is left when pseudonyms are taken out: they hold colons themselves.
fn without_pseudonyms(text: &[u8]) -> Vec<u8> {
    let mut rest = text;
    let mut left = Vec::new();
    let find = |text: &[u8], mark: &str| {
        text.windows(mark.len()).position(|window| window == mark.as_bytes())
    };
    while let Some(open) = find(rest, "‹") {
        let Some(length) = find(&rest[open..], "›") else { break };
        left.extend_from_slice(&rest[..open]);
        rest = &rest[open + length + "›".len()..];
    }
    left.extend_from_slice(rest);
    left
}

/// A private key block with something in it.
fn is_private_key(rest: &[u8]) -> bool {
    let head = &rest[..rest.len().min(80)];
    let marker = b"PRIVATE KEY-----";
    let Some(at) = head.windows(marker.len()).position(|window| window == marker) else {
        return false;
    };
    let body = &rest[at + marker.len()..];
    let body = body
        .strip_prefix(b"\\n")
        .or_else(|| body.strip_prefix(b"\r\n"))
        .or_else(|| body.strip_prefix(b"\n"))
        .unwrap_or(body);
    run(body) >= 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_secret_and_what_is_not() {
        let own = SecretString::from("correct-horse-battery");
        let scanner = Scanner::new([&own]);
        let key = format!("-----BEGIN EC PRIVATE KEY-----\n{}\n", "MHcCAQEEIBYr".repeat(4));
        for secret in [
            "Authorization: FlyV1 fm2_lJPECAAAAAAAABCDEFGH,fm2_x",
            "fo1_abcdefghijklmnopqrstuvwxyz0123456789abcdefg",
            "DATABASE_URL=postgres://app:hunter2@db.internal:5432/x",
            "postgres://‹secret:-:abcdefghij›:hunter2@db.internal/x",
            "postgres://app:‹secret:-:abcdefghij›hunter2@db.internal/x",
            "x correct-horse-battery y",
            "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
            "636f72726563742d686f7273652d62617474657279",
            "AKIAIOSFODNN7EXAMPLE",
            key.as_str(),
        ] {
            assert!(scanner.find(secret.as_bytes()).is_some(), "{secret}");
        }
        for fine in [
            "‹fly-token:fm2_:abcdefghij›",
            "postgres://app:‹secret:-:abcdefghij›@db.internal:5432/x",
            "https://‹secret:-:abcdefghij›@o4479.ingest.sentry.io/54",
            "postgres://app:${PASSWORD}@db",
            "https://cdn.example.com/xfm2_abcdefghijklmnopqrstuvwxyz",
            "see http://host/a:b@c",
            "the prefix fm2_ is public",
            "-----BEGIN CERTIFICATE-----\nMIIB",
        ] {
            assert_eq!(scanner.find(fine.as_bytes()), None, "{fine}");
        }
    }
}
