//! The key of a bundle and the pseudonyms made with it: `‹kind:prefix:xxxxxxxxxx›`, 50 bits of HMAC-SHA256 in base32.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::error::RedactError;
use crate::kind::Kind;

/// RFC 4648 base32, lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Characters of a pseudonym's last part: 10 × 5 bits.
pub(crate) const TAG_LEN: usize = 10;

/// Key of the pseudonyms of one bundle: 32 bytes, random unless two bundles are to be compared. Reading it from a
/// file is the caller's business. It cannot be printed.
#[derive(Clone)]
pub struct PseudonymKey {
    mac: Hmac<Sha256>,
}

impl PseudonymKey {
    /// A fresh key from the system's randomness.
    pub fn random() -> Result<Self, RedactError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| RedactError::Random { what: error.to_string() })?;
        let key = Self::from_bytes(&bytes);
        bytes.zeroize();
        Ok(key)
    }

    /// The key of an earlier bundle. Any length is taken; fewer than 16 bytes is the caller's mistake to report.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        // HMAC keys longer than a block are hashed first, so no length is refused.
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mac = Hmac::<Sha256>::new_from_slice(bytes).expect("any length");
        Self { mac }
    }

    /// Eight bytes of the keyed hash of `parts`, each with its length so that no two lists of parts collide.
    pub(crate) fn hash(&self, label: &str, value: &[u8]) -> u64 {
        let mut mac = self.mac.clone();
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        let digest = mac.finalize().into_bytes();
        u64::from_be_bytes([
            digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
        ])
    }

    /// Names the key without revealing it, for manifests: two bundles with equal ids can be compared.
    pub fn id(&self) -> String {
        tag(self.hash("key-id", b""))
    }
}

/// The pseudonym of a value whose keyed hash is `hash`. `prefix` is the public prefix of the provider (`fm2_`), or empty.
pub(crate) fn render(kind: Kind, prefix: &str, hash: u64) -> String {
    let prefix = if prefix.is_empty() { "-" } else { prefix };
    format!("‹{}:{prefix}:{}›", kind.word(), tag(hash))
}

fn tag(hash: u64) -> String {
    (0..TAG_LEN)
        .map(|index| char::from(ALPHABET[((hash >> (59 - 5 * index)) & 31) as usize]))
        .collect()
}

/// Whether the text between `‹` and `›` is one of our pseudonyms, or what an identity is masked with.
pub(crate) fn is_pseudonym(text: &str, is_prefix: impl Fn(&str) -> bool) -> bool {
    let mut parts = text.split(':');
    let (Some(kind), prefix, tag) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let kind = Kind::ALL.iter().find(|known| known.word() == kind);
    match (kind, prefix, tag, parts.next()) {
        (Some(kind), None, None, None) => kind.is_identity(),
        (Some(_), Some(prefix), Some(tag), None) => {
            is_prefix(prefix)
                && tag.len() == TAG_LEN
                && tag.bytes().all(|byte| ALPHABET.contains(&byte))
        }
        _ => false,
    }
}
