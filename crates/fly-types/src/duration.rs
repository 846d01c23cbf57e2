//! Durations as the Machines API writes them: Go texts (`1m30s`) or integer nanoseconds.
//!
//! Must not know: clocks.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration that re-encodes in the form in which it was received. Made from a [`Duration`] it is written as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoDuration {
    nanos: i64,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Text(String),
    Nanos,
}

/// A text that is not a Go duration; names the text and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid duration '{value}': it must be numbers with units, like 15s or 1m30s (units ns, us, ms, s, m, h)"
)]
pub struct DurationError {
    /// The text as given.
    pub value: String,
}

impl GoDuration {
    /// The signed length in nanoseconds.
    pub fn nanos(&self) -> i64 {
        self.nanos
    }

    /// A length in nanoseconds, negative ones included, to be written as text.
    pub fn from_nanos(nanos: i64) -> Self {
        Self { nanos, form: Form::Text(go_text(nanos)) }
    }

    /// The length; `None` when it is negative.
    pub fn to_std(&self) -> Option<Duration> {
        u64::try_from(self.nanos).ok().map(Duration::from_nanos)
    }
}

impl From<Duration> for GoDuration {
    /// Durations beyond 292 years are cut to that.
    fn from(duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self { nanos, form: Form::Text(go_text(nanos)) }
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let nanos = parse(text).ok_or_else(|| DurationError { value: text.to_owned() })?;
        Ok(Self { nanos, form: Form::Text(text.to_owned()) })
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Text(text) => f.write_str(text),
            Form::Nanos => f.write_str(&go_text(self.nanos)),
        }
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.form {
            Form::Text(text) => serializer.serialize_str(text),
            Form::Nanos => serializer.serialize_i64(self.nanos),
        }
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = GoDuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Go duration text or integer nanoseconds")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<GoDuration, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, nanos: i64) -> Result<GoDuration, E> {
                Ok(GoDuration { nanos, form: Form::Nanos })
            }

            fn visit_u64<E: serde::de::Error>(self, nanos: u64) -> Result<GoDuration, E> {
                i64::try_from(nanos).map_err(E::custom).and_then(|nanos| self.visit_i64(nanos))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

const UNITS: &[(&str, i64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        total = total.checked_add(scaled(number, scale)?)?;
        rest = after;
    }
    Some(if negative { -total } else { total })
}

fn scaled(number: &str, scale: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanos = whole.checked_mul(scale)?;
    let mut unit = i128::from(scale) * 1_000_000_000;
    let mut part: i128 = 0;
    for digit in fraction.bytes().take(18) {
        unit /= 10;
        part += unit * i128::from(digit.checked_sub(b'0')?);
    }
    nanos = nanos.checked_add(i64::try_from(part / 1_000_000_000).ok()?)?;
    Some(nanos)
}

fn go_text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let decimal = |value: u64, per: u64| {
        let fraction = format!("{:0width$}", value % per, width = per.ilog10() as usize);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            format!("{}", value / per)
        } else {
            format!("{}.{fraction}", value / per)
        }
    };
    let text = match nanos {
        ..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 1_000_000)),
        _ => {
            let minutes = nanos / 60_000_000_000;
            let seconds = format!("{}s", decimal(nanos % 60_000_000_000, 1_000_000_000));
            match (minutes / 60, minutes % 60) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_decode_and_keep_their_form() {
        for (json, nanos) in [
            ("\"15s\"", 15_000_000_000),
            ("\"1m30s\"", 90_000_000_000),
            ("\"1.5h\"", 5_400_000_000_000),
            ("\"300ms\"", 300_000_000),
            ("\"-2us\"", -2_000),
            ("\"0\"", 0),
            ("30000000000", 30_000_000_000),
            ("0", 0),
        ] {
            let duration: GoDuration = serde_json::from_str(json).unwrap();
            assert_eq!(duration.nanos(), nanos, "{json}");
            assert_eq!(serde_json::to_string(&duration).unwrap(), json);
        }
    }

    #[test]
    fn texts_without_unit_and_garbage_are_refused() {
        for bad in ["", "30", "s", "1x", "1.2.3s", "-", "1s ", "99999999999h"] {
            let error = bad.parse::<GoDuration>().unwrap_err();
            assert_eq!(error.value, bad);
        }
    }

    #[test]
    fn written_as_go_writes_them() {
        for (millis, text) in
            [(0, "0s"), (1_500, "1.5s"), (90_000, "1m30s"), (3_600_000, "1h0m0s"), (250, "250ms")]
        {
            assert_eq!(GoDuration::from(Duration::from_millis(millis)).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in any::<u32>(), shift in 0u32..30) {
            let duration = Duration::from_nanos(u64::from(nanos) << shift);
            let written = GoDuration::from(duration);
            prop_assert_eq!(written.to_string().parse::<GoDuration>().unwrap().to_std(), Some(duration));
        }
    }
}
