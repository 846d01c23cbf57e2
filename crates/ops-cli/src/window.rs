//! Time windows as people type them: ages, dates and times.
//!
//! It must not know: the clock (the caller says what now is), what is read in the window.

use jiff::{SignedDuration, Timestamp};

use crate::args::WindowArgs;
use crate::diag::Explain;
use crate::exit::Exit;

/// From when to when. Both ends are optional: without a start the reader's own default holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// Oldest instant wanted.
    pub since: Option<Timestamp>,
    /// Newest instant wanted.
    pub until: Option<Timestamp>,
}

/// A time or window that cannot be used; names the value and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {flag} '{value}': {rule}")]
pub struct WindowError {
    /// The option.
    pub flag: &'static str,
    /// What was typed.
    pub value: String,
    /// The rule that it breaks.
    pub rule: String,
}

impl Explain for WindowError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

const FORMS: &str = "it must be an age like 30m, 2h or 1d12h (units s, m, h, d, w), a date like 2026-11-25 (midnight UTC), \
                     or a time with its zone like 2026-11-25T08:00:00Z";

/// The longest age accepted: ten years.
const LONGEST_SECONDS: i64 = 3660 * 24 * 60 * 60;

impl Window {
    /// Reads both options; `now` is what ages count from.
    pub fn parse(args: &WindowArgs, now: Timestamp) -> Result<Self, WindowError> {
        let read = |flag, text: &Option<String>| {
            text.as_deref().map(|text| instant(flag, text, now)).transpose()
        };
        let window =
            Self { since: read("--since", &args.since)?, until: read("--until", &args.until)? };
        let fail = |flag, value: &Option<String>, rule: &str| WindowError {
            flag,
            value: value.clone().unwrap_or_default(),
            rule: rule.to_owned(),
        };
        if window.since.is_some_and(|since| since > now) {
            return Err(fail("--since", &args.since, "it lies in the future"));
        }
        if let (Some(since), Some(until)) = (window.since, window.until)
            && since >= until
        {
            let rule = format!("it must lie after --since, which is {since}");
            return Err(fail("--until", &args.until, &rule));
        }
        Ok(window)
    }

    /// Whether an instant lies inside; the ends count.
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= instant)
            && self.until.is_none_or(|until| instant <= until)
    }
}

fn instant(flag: &'static str, text: &str, now: Timestamp) -> Result<Timestamp, WindowError> {
    let fail = |rule: &str| WindowError { flag, value: text.to_owned(), rule: rule.to_owned() };
    let trimmed = text.trim();
    if trimmed == "now" {
        return Ok(now);
    }
    if let Some(age) = age(trimmed) {
        if age == 0 || age > LONGEST_SECONDS {
            return Err(fail("an age must be longer than nothing and at most ten years"));
        }
        return now.checked_sub(SignedDuration::from_secs(age)).map_err(|_| fail(FORMS));
    }
    if let Ok(time) = trimmed.parse::<Timestamp>() {
        return Ok(time);
    }
    if trimmed.len() == 10
        && let Ok(midnight) = format!("{trimmed}T00:00:00Z").parse::<Timestamp>()
    {
        return Ok(midnight);
    }
    if trimmed.parse::<jiff::civil::DateTime>().is_ok() {
        return Err(fail("a time needs its zone: add Z for UTC, or an offset like +02:00"));
    }
    Err(fail(FORMS))
}

/// Seconds of an age; `None` when the text does not look like one. What is too long to count is as long as possible.
fn age(text: &str) -> Option<i64> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(end);
        if number.is_empty() {
            return None;
        }
        let mut letters = after.chars();
        let scale = match letters.next()? {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            'w' => 7 * 24 * 60 * 60,
            _ => return None,
        };
        let number = number.parse::<i64>().unwrap_or(i64::MAX);
        total = total.saturating_add(number.saturating_mul(scale));
        rest = letters.as_str();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-25T12:00:00Z";

    fn parse(since: Option<&str>, until: Option<&str>) -> Result<Window, WindowError> {
        let args = WindowArgs { since: since.map(str::to_owned), until: until.map(str::to_owned) };
        Window::parse(&args, NOW.parse().unwrap())
    }

    #[test]
    fn accepted_forms() {
        for (text, expected) in [
            ("30m", "2026-11-25T11:30:00Z"),
            ("2h", "2026-11-25T10:00:00Z"),
            ("1d12h", "2026-11-24T00:00:00Z"),
            ("1w", "2026-11-18T12:00:00Z"),
            ("90s", "2026-11-25T11:58:30Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-25T10:00:00+02:00", "2026-11-25T08:00:00Z"),
            ("2026-11-25 08:00:00Z", "2026-11-25T08:00:00Z"),
            (" now ", NOW),
        ] {
            let window = parse(Some(text), None).unwrap();
            assert_eq!(window.since.unwrap(), expected.parse().unwrap(), "{text}");
        }
        assert_eq!(parse(None, None).unwrap(), Window::default());
    }

    #[test]
    fn refused_with_value_and_rule() {
        for (since, until, part) in [
            ("2x", None, "it must be an age like 30m"),
            ("", None, "it must be an age"),
            ("h", None, "it must be an age"),
            ("-2h", None, "it must be an age"),
            ("5", None, "it must be an age"),
            ("2 h", None, "it must be an age"),
            ("yesterday", None, "it must be an age"),
            ("2026-02-30", None, "it must be an age"),
            ("2026-13-01T00:00:00Z", None, "it must be an age"),
            ("2026-11-25T08:00:00", None, "a time needs its zone"),
            ("0s", None, "longer than nothing"),
            ("99999999999999999999d", None, "at most ten years"),
            ("9223372036854775807w", None, "at most ten years"),
            ("2026-11-26", None, "it lies in the future"),
            ("1h", Some("2h"), "it must lie after --since"),
            ("1h", Some("1h"), "it must lie after --since"),
        ] {
            let error = parse(Some(since), until).unwrap_err();
            assert!(error.to_string().contains(part), "{since}: {error}");
            assert_eq!(error.value, until.unwrap_or(since));
        }
    }

    #[test]
    fn ends_count() {
        let window = parse(Some("2h"), Some("1h")).unwrap();
        assert!(window.contains(window.since.unwrap()) && window.contains(window.until.unwrap()));
        assert!(!window.contains(NOW.parse().unwrap()));
    }
}
