//! Version numbers as programs print them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A version, compared by its three numbers. Serialised as text, `0.4.87`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number, 0 when absent.
    pub minor: u64,
    /// Third number, 0 when absent.
    pub patch: u64,
}

impl Version {
    /// A version from its numbers.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch }
    }

    /// Reads the first one to three numbers of a word: `v0.4.87`, `17.2`, `16beta1`, `2026.8.21-dev.1755781892`.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.strip_prefix('v').unwrap_or(word);
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let mut numbers = word[..end].split('.').map(|number| number.parse().ok());
        let major = numbers.next()??;
        let mut next = || numbers.next().map_or(Some(0), |number| number);
        Some(Self::new(major, next()?, next()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("'{text}' is not a version"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_programs_print() {
        for (word, wanted) in [
            ("v0.4.87", Some(Version::new(0, 4, 87))),
            ("0.3.227", Some(Version::new(0, 3, 227))),
            ("17.2", Some(Version::new(17, 2, 0))),
            ("16beta1", Some(Version::new(16, 0, 0))),
            ("2026.8.21-dev.1755781892", Some(Version::new(2026, 8, 21))),
            ("", None),
            ("v", None),
            ("version", None),
            ("1..2", None),
            ("99999999999999999999.1.1", None),
        ] {
            assert_eq!(Version::parse(word), wanted, "{word}");
        }
        assert!(Version::new(0, 4, 9) < Version::new(0, 4, 10));
    }
}
