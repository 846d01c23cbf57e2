//! Identifiers, parsed and validated once at the edge.
//!
//! What a person types is checked strictly, before any request is made. What the platform sends is not: a client that
//! refuses an answer because an id has 13 digits instead of 14 helps nobody, so decoding only demands non-empty text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A value that breaks the rule of its kind; the message names both.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind} '{value}': {rule}")]
pub struct IdError {
    /// What the value was meant to be, e.g. `app name`.
    pub kind: &'static str,
    /// The value as typed.
    pub value: String,
    /// The rule that it breaks, as a phrase.
    pub rule: &'static str,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Takes the platform's word for it: no rule is applied to what an answer contains.
            pub fn from_wire(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError { kind: $kind, value: text.to_owned(), rule: $rule })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

fn is_slug(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

id_type!(
    /// Name of an app, unique across all customers: `^[a-z0-9-]{1,63}$` (Machines API reference, apps).
    AppName,
    "app name",
    "it must have 1 to 63 characters, only lower-case letters, digits and dashes",
    |t| (1..=63).contains(&t.len()) && is_slug(t)
);

id_type!(
    /// Slug of an organization, e.g. `personal`.
    OrgSlug,
    "organization slug",
    "it must have 1 to 63 characters, only lower-case letters, digits and dashes",
    |t| (1..=63).contains(&t.len()) && is_slug(t)
);

id_type!(
    /// Id of a Machine: 14 lower-case hex digits today; 12 to 16 are accepted because older ids differ.
    MachineId,
    "Machine id",
    "it must have 12 to 16 lower-case hexadecimal digits, like 148e21ea7e4389",
    |t| (12..=16).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
);

id_type!(
    /// Id of a volume: `vol_` and lower-case letters or digits.
    VolumeId,
    "volume id",
    "it must start with 'vol_' followed by lower-case letters and digits",
    |t| t.strip_prefix("vol_").is_some_and(|rest| !rest.is_empty()
        && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
);

id_type!(
    /// Code of a region, e.g. `fra`: three lower-case letters. Whether the region exists is a question for
    /// data that ages (`region` module), not for the shape.
    RegionCode,
    "region",
    "it must have three lower-case letters, like fra",
    |t| t.len() == 3 && t.bytes().all(|b| b.is_ascii_lowercase())
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_names() {
        for good in ["a", "my-app-1", &"x".repeat(63)] {
            assert!(good.parse::<AppName>().is_ok(), "{good}");
        }
        for bad in ["", "My-App", "a_b", "a.b", "../etc", &"x".repeat(64), "é"] {
            let error = bad.parse::<AppName>().unwrap_err();
            assert_eq!(error.value, bad);
            assert!(error.to_string().contains("1 to 63"));
        }
    }

    #[test]
    fn other_ids() {
        assert!("148e21ea7e4389".parse::<MachineId>().is_ok());
        assert!("148E21EA7E4389".parse::<MachineId>().is_err());
        assert!("vol_9vle3lw21kmzn6d4".parse::<VolumeId>().is_ok());
        assert!("vol_".parse::<VolumeId>().is_err());
        assert!("fra".parse::<RegionCode>().is_ok());
        assert!("frankfurt".parse::<RegionCode>().is_err());
    }

    #[test]
    fn the_wire_is_trusted() {
        let id: MachineId = serde_json::from_str("\"ABC\"").unwrap();
        assert_eq!(id.as_str(), "ABC");
    }
}
