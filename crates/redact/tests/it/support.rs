//! One redactor for all tests, and short ways to ask it.

use redact::{Format, Identities, Options, PseudonymKey, Redactor};

/// A redactor with a fixed key.
pub(crate) fn redactor() -> Redactor {
    Redactor::new(options()).unwrap()
}

/// Default options with a fixed key.
pub(crate) fn options() -> Options {
    Options::new(PseudonymKey::from_bytes(&[9; 32])).identities(Identities::default())
}

/// Redacts text of any format.
pub(crate) fn text(input: &str) -> String {
    named("", input)
}

/// Redacts a file with a name.
pub(crate) fn named(name: &str, input: &str) -> String {
    let (out, _) = redactor().redact(name, Format::Auto, input.as_bytes()).unwrap();
    String::from_utf8(out).unwrap()
}

/// Letters and digits that no rule knows, from a seed.
pub(crate) fn noise(seed: u64, length: usize, alphabet: &[u8]) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(alphabet[(state >> 33) as usize % alphabet.len()])
        })
        .collect()
}

/// Letters of both cases and digits.
pub(crate) const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Standard base64.
pub(crate) const BASE64: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
