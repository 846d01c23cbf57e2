//! Points in time and durations as world files write them: `-5m` (before the simulation starts), `+1h`, or RFC 3339.
//!
//! Must not know: the clock. A moment is resolved when a simulation starts.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, de};

/// A point in time, absolute or relative to the start of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Absolute(Timestamp),
    FromStart(SignedDuration),
}

impl Moment {
    pub(crate) fn at(self, start: Timestamp) -> Timestamp {
        match self {
            Self::Absolute(at) => at,
            Self::FromStart(by) => start.saturating_add(by).unwrap_or(start),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let relative = match text.as_bytes().first() {
            Some(b'-') => Some((true, &text[1..])),
            Some(b'+') => Some((false, &text[1..])),
            _ if text == "now" => return Ok(Self::FromStart(SignedDuration::ZERO)),
            _ => None,
        };
        if let Some((negative, rest)) = relative {
            let by = duration(rest)?;
            return Ok(Self::FromStart(if negative { -by } else { by }));
        }
        text.parse().map(Self::Absolute).map_err(|_| {
            format!("'{text}' is no point in time: write \"-5m\", \"+1h\", \"now\" or RFC 3339")
        })
    }
}

/// A Go-like duration: `90s`, `1h30m`, `250ms`, `3d`.
pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    let bad =
        || format!("'{text}' is no duration: write numbers with ms, s, m, h or d, like 1h30m");
    let mut total = SignedDuration::ZERO;
    let mut rest = text;
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: i64 = rest[..digits].parse().map_err(|_| bad())?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |length| digits + length);
        let millis = match &rest[digits..unit_end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(bad()),
        };
        total += SignedDuration::from_millis(number.checked_mul(millis).ok_or_else(bad)?);
        rest = &rest[unit_end..];
    }
    Ok(total)
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Moment;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a point in time such as \"-5m\" or \"2026-08-01T12:00:00Z\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// `#[serde(with)]` helper for durations in world files.
pub(crate) fn de_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    duration(&text).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let start: Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("-5m", "2026-09-01T11:55:00Z"),
            ("+1h30m", "2026-09-01T13:30:00Z"),
            ("now", "2026-09-01T12:00:00Z"),
            ("-250ms", "2026-09-01T11:59:59.75Z"),
            ("2026-08-01T00:00:00Z", "2026-08-01T00:00:00Z"),
        ] {
            let moment: Moment = text.parse().unwrap();
            assert_eq!(moment.at(start).to_string(), expected, "{text}");
        }
        for bad in ["", "5m", "-", "-5", "-5x", "yesterday", "-99999999999999999d"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }
}
