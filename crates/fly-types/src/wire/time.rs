//! Points in time as bodies hold them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A point in time: RFC 3339 text, or a number in the oldest bodies. Re-encodes as received.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WireTime {
    /// RFC 3339 text, or a text that only looks like it: [`WireTime::at`] tells.
    Text(String),
    /// Milliseconds since 1970 (`exited_at` of 2022, `created_at` of app create).
    Millis(i64),
}

impl WireTime {
    /// The instant; `None` when the text is not RFC 3339 or the number is out of range. Go's zero time counts as
    /// "not set".
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Text(text) if text.starts_with("0001-01-01T") => None,
            Self::Text(text) => text.parse().ok(),
            Self::Millis(millis) => Timestamp::from_millisecond(*millis).ok(),
        }
    }
}

impl From<Timestamp> for WireTime {
    fn from(at: Timestamp) -> Self {
        Self::Text(at.to_string())
    }
}

impl fmt::Display for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Millis(millis) => write!(f, "{millis}"),
        }
    }
}

impl fmt::Debug for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl super::Field<WireTime> {
    /// The instant, when the field holds a readable one.
    pub fn at(&self) -> Option<Timestamp> {
        self.get().and_then(WireTime::at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_keep_their_form() {
        for (json, millis) in [
            ("\"2023-03-22T04:08:00.707Z\"", Some(1_679_458_080_707)),
            ("1653047897299", Some(1_653_047_897_299)),
            ("\"0001-01-01T00:00:00Z\"", None),
            ("\"soon\"", None),
        ] {
            let time: WireTime = serde_json::from_str(json).unwrap();
            assert_eq!(time.at().map(Timestamp::as_millisecond), millis, "{json}");
            assert_eq!(serde_json::to_string(&time).unwrap(), json);
        }
    }
}
