//! Spellings that flyctl inherits from Go and its libraries: durations, human sizes, shell words, `%v`.
//!
//! Behaviour observed on flyctl's own configuration code; see the reference of the format, sections 2 and 5.

use fly_types::duration::GoDuration;

use crate::syntax::{Kind, Value};

/// Nanoseconds of a text such as `1m30s`.
pub fn parse_duration(text: &str) -> Option<i64> {
    text.parse::<GoDuration>().ok().map(|duration| duration.nanos())
}

/// A duration as Go writes it.
pub fn duration(nanos: i64) -> String {
    GoDuration::from_nanos(nanos).to_string()
}

/// A size in units of `unit` bytes: an integer is taken as it is, anything else is a number with a suffix that counts by
/// `base`, rounded down. `None` when it is neither.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "sizes are rounded down, as flyctl does"
)]
pub fn size(text: &str, base: i64, unit: i64) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    let last = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')?;
    let (number, suffix) = (&text[..last], &text[last + 1..]);
    let number = if text.as_bytes()[last] == b' ' { number } else { &text[..=last] };
    let number: f64 = number.parse().ok()?;
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    let suffix = suffix.to_lowercase();
    let power = match suffix.as_str() {
        "" | "b" => 0,
        _ => {
            let mut letters = suffix.chars();
            let power = "kmgtp".find(letters.next()?)? as u32 + 1;
            if !matches!(letters.as_str(), "" | "b" | "ib") {
                return None;
            }
            power
        }
    };
    let bytes = number * base.pow(power) as f64;
    // Beyond 63 bits the conversion gives the smallest integer, which no limit accepts.
    let bytes = if bytes < 9.2e18 { bytes as i64 } else { i64::MIN };
    Some(bytes / unit)
}

/// Why a command cannot be split into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellError {
    /// A quote is opened and not closed.
    OpenQuote,
    /// The last character is a backslash.
    TrailingBackslash,
}

impl ShellError {
    /// What is wrong, in a few words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::OpenQuote => "a quote is opened and never closed",
            Self::TrailingBackslash => "it ends in a backslash that escapes nothing",
        }
    }
}

/// Splits a command into words: quotes and backslashes as in a POSIX shell, `#` at the start of a word begins a comment,
/// nothing is expanded.
pub fn shell_split(text: &str) -> Result<Vec<String>, ShellError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => {
                for comment in chars.by_ref() {
                    if comment == '\n' {
                        break;
                    }
                }
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(ShellError::OpenQuote)? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(ShellError::OpenQuote)? {
                        '"' => break,
                        '\\' => word.push(chars.next().ok_or(ShellError::TrailingBackslash)?),
                        other => word.push(other),
                    }
                }
            }
            '\\' => {
                let escaped = chars.next().ok_or(ShellError::TrailingBackslash)?;
                word.get_or_insert_default().push(escaped);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Words as one command that [`shell_split`] takes apart again.
pub fn shell_join(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let plain =
            !word.is_empty() && word.chars().all(|c| !c.is_whitespace() && !"'\"\\#".contains(c));
        if plain { word.clone() } else { format!("'{}'", word.replace('\'', "'\"'\"'")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// A value as Go prints it with `%v`, which is what `[env]` makes of anything that is no string.
pub fn display(value: &Value) -> String {
    match &value.kind {
        Kind::String(text) => text.clone(),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(number) => float(*number),
        Kind::Boolean(value) => value.to_string(),
        Kind::Datetime(text) => datetime(text),
        Kind::Array(items) => {
            let items: Vec<String> = items.iter().map(display).collect();
            format!("[{}]", items.join(" "))
        }
        Kind::Table(table) => {
            let mut entries: Vec<(&str, String)> = table
                .entries()
                .iter()
                .map(|entry| (entry.key.name.as_str(), display(&entry.value)))
                .collect();
            entries.sort();
            let entries: Vec<String> =
                entries.iter().map(|(name, value)| format!("{name}:{value}")).collect();
            format!("map[{}]", entries.join(" "))
        }
        Kind::Duration(nanos, _) => duration(*nanos),
        Kind::Null => "<nil>".to_owned(),
    }
}

/// The shortest form that reads back, with an exponent below 1e-4 and from 1e6 on.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// A date and time taken apart: the date, the time with its seconds, the offset.
fn parts(text: &str) -> (Option<&str>, Option<String>, Option<&str>) {
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (Some(&text[..at]), &text[at + 1..]),
        None if text.contains(':') => (None, text),
        None => return (Some(text), None, None),
    };
    let (time, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => (&rest[..at], Some(&rest[at..])),
        None => (rest, None),
    };
    let seconds = if time.matches(':').count() == 1 { ":00" } else { "" };
    (date, Some(format!("{time}{seconds}")), offset)
}

/// A time of an instant: zeros at the end of the fraction are not printed.
fn trimmed(time: &str) -> &str {
    if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time }
}

/// A date with a time and an offset prints with spaces and the zone; the other kinds as they are written.
fn datetime(text: &str) -> String {
    match parts(text) {
        (Some(date), Some(time), Some("Z" | "z")) => {
            format!("{date} {} +0000 UTC", trimmed(&time))
        }
        (Some(date), Some(time), Some(offset)) => {
            let offset = offset.replace(':', "");
            format!("{date} {} {offset} {offset}", trimmed(&time))
        }
        _ => datetime_text(text),
    }
}

/// A date-time as the text that it becomes where a text is wanted.
pub fn datetime_text(text: &str) -> String {
    match parts(text) {
        (Some(date), Some(time), Some("Z" | "z")) => format!("{date}T{}Z", trimmed(&time)),
        (Some(date), Some(time), Some(offset)) => format!("{date}T{}{offset}", trimmed(&time)),
        (Some(date), Some(time), None) => format!("{date}T{time}"),
        (None, Some(time), _) => time,
        (date, ..) => date.unwrap_or(text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_flyctl_reads_them() {
        let mb = |text| size(text, 1024, 1 << 20);
        for (text, value) in [
            ("512", Some(512)),
            ("1gb", Some(1024)),
            ("1GiB", Some(1024)),
            ("1.5gb", Some(1536)),
            ("1 gb", Some(1024)),
            ("1.5", Some(0)),
            ("256MB", Some(256)),
            ("gb", None),
            ("1 g b", None),
            ("1gbx", None),
            ("-1gb", None),
            ("1e30gb", Some(i64::MIN >> 20)),
        ] {
            assert_eq!(mb(text), value, "{text}");
        }
        let gb = |text| size(text, 1000, 1_000_000_000);
        assert_eq!(gb("1.9gb"), Some(1));
        assert_eq!(gb("900mb"), Some(0));
        assert_eq!(gb("1073741824"), Some(1_073_741_824));
    }

    #[test]
    fn commands_split_as_in_flyctl() {
        let words = |text: &str| shell_split(text).unwrap();
        assert_eq!(words("bin/server --x 'a b' c\\ d"), ["bin/server", "--x", "a b", "c d"]);
        assert_eq!(words("sh -c \"echo \\\"hi\\\"\""), ["sh", "-c", "echo \"hi\""]);
        assert_eq!(words("run # not this\nnor#that"), ["run", "nor#that"]);
        assert_eq!(words("''"), [""]);
        assert_eq!(words(" # all"), [""; 0]);
        assert_eq!(shell_split("echo 'x"), Err(ShellError::OpenQuote));
        assert_eq!(shell_split("echo \\"), Err(ShellError::TrailingBackslash));
    }

    #[test]
    fn joined_commands_split_into_the_same_words() {
        let words: Vec<String> =
            ["sh", "-c", "echo 'a' \"b\" \\", "", "#x", "a#b", "$HOME", "tab\there"]
                .map(str::to_owned)
                .into();
        assert_eq!(shell_split(&shell_join(&words)).unwrap(), words);
        assert_eq!(
            shell_join(&["bin/server".to_owned(), "--port=1".to_owned()]),
            "bin/server --port=1"
        );
    }

    #[test]
    fn dates_as_go_prints_and_sends_them() {
        for (written, printed, sent) in [
            ("1979-05-27 07:32:00Z", "1979-05-27 07:32:00 +0000 UTC", "1979-05-27T07:32:00Z"),
            (
                "1979-05-27t07:32:00.50-07:00",
                "1979-05-27 07:32:00.5 -0700 -0700",
                "1979-05-27T07:32:00.5-07:00",
            ),
            ("1979-05-27 07:32", "1979-05-27T07:32:00", "1979-05-27T07:32:00"),
            ("1979-05-27", "1979-05-27", "1979-05-27"),
            ("07:32:00.50", "07:32:00.50", "07:32:00.50"),
        ] {
            assert_eq!(datetime(written), printed);
            assert_eq!(datetime_text(written), sent);
        }
    }

    #[test]
    fn floats_as_go_prints_them() {
        for (number, text) in
            [(1_000_000.0, "1e+06"), (1.5, "1.5"), (0.00001, "1e-05"), (123_456.0, "123456")]
        {
            assert_eq!(float(number), text);
        }
    }
}
