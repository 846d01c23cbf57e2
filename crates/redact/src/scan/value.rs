//! Where a value begins and ends: quotes at any depth of escaping, bare words, and what they read like once unescaped.

/// Where a value stands. The quotes are not part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Quote character and how many backslashes stand before it: 0 in a document, 1 in a string of one, 3 in a string of that.
    pub(super) quote: Option<(u8, usize)>,
    /// First byte behind the value and its closing quote.
    pub(super) after: usize,
}

/// How the search for an end came out.
pub(super) enum End {
    /// Here; the flag says whether the closing mark was there.
    At(usize, bool),
    /// The bytes ran out first.
    Open,
}

/// Backslashes that stand right before `at`.
pub(super) fn slashes_before(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count()
}

/// The closing quote for a value that began behind `slashes` backslashes and `quote`: index of its first backslash, or of the quote
/// itself. A line end or the end of an enclosing string ends it too.
pub(super) fn quoted_end(
    bytes: &[u8],
    start: usize,
    quote: u8,
    slashes: usize,
    lines: bool,
) -> End {
    let period = 2 * (slashes + 1);
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' => {
                let run = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
                match bytes.get(at + run) {
                    None => return End::Open,
                    Some(next) if *next == quote && run % period == slashes => {
                        return End::At(at + run - slashes, true);
                    }
                    // Fewer backslashes before a quote than our own has: an enclosing string ends here.
                    Some(b'"') if run % period < slashes => return End::At(at, false),
                    // The byte behind an escape belongs to it.
                    Some(b'\n') => at += run,
                    Some(_) => at += run + 1,
                }
            }
            byte if byte == quote && slashes == 0 => return End::At(at, true),
            b'"' if slashes > 0 => return End::At(at, false),
            b'\n' if !lines => {
                let end = if at > start && bytes[at - 1] == b'\r' { at - 1 } else { at };
                return End::At(end, false);
            }
            _ => at += 1,
        }
    }
    End::Open
}

/// Skips blanks, and line ends too when `lines`.
pub(super) fn skip_blanks(bytes: &[u8], mut at: usize, lines: bool) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' => at += 1,
            b'\r' | b'\n' if lines => at += 1,
            _ => break,
        }
    }
    at
}

/// An opening quote at `at`, with its backslashes: (quote, backslashes, first byte of the value).
pub(super) fn opening_quote(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let slashes = bytes[at..].iter().take(16).take_while(|byte| **byte == b'\\').count();
    match bytes.get(at + slashes) {
        Some(quote @ (b'"' | b'\'' | b'`')) => Some((*quote, slashes, at + slashes + 1)),
        _ => None,
    }
}

/// End of a word without quotes: at a blank, a quote, or a separator that another pair follows; closing brackets and
/// punctuation at its end are not part of it.
pub(super) fn bare_end(bytes: &[u8], start: usize) -> End {
    let mut at = start;
    loop {
        match bytes.get(at) {
            None => return End::Open,
            Some(
                b' '
                | b'\t'
                | b'\r'
                | b'\n'
                | b'"'
                | b'\''
                | b'`'
                | b'<'
                | b'>'
                | b'|'
                | 0..=8
                | 0x0b
                | 0x0c
                | 0x0e..=0x1f
                | 0x7f,
            ) => break,
            Some(b'\\') => match bytes.get(at + 1) {
                None => return End::Open,
                // An escape of the enclosing string, or a backslash of the value's own.
                Some(
                    b'n' | b'r' | b't' | b'"' | b'\'' | b'\\' | b'u' | b'/' | b'b' | b'f' | b'0',
                ) => break,
                Some(_) => at += 1,
            },
            Some(b',' | b';' | b'&') if pair_follows(bytes, at + 1) => break,
            Some(_) => at += 1,
        }
    }
    let trimmed = bytes[start..at]
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b',' | b';' | b')' | b']' | b'}' | b'&'))
        .count();
    // A word of nothing but punctuation stays whole: it may be the password.
    End::At(if trimmed == at - start { at } else { at - trimmed }, false)
}

/// Whether `name=` or `name:` stands at `at`, quoted or not.
fn pair_follows(bytes: &[u8], at: usize) -> bool {
    let at = skip_blanks(bytes, at, false);
    let at = opening_quote(bytes, at).map_or(at, |(_, _, inside)| inside);
    let name = bytes[at..]
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    let rest = &bytes[at + name..];
    name > 0
        && bytes[at].is_ascii_alphabetic()
        && rest
            .iter()
            .find(|byte| !matches!(byte, b'"' | b'\'' | b'\\'))
            .is_some_and(|byte| matches!(byte, b'=' | b':'))
}

/// What a quoted value reads like: its escapes undone once per level.
pub(super) fn unescape(bytes: &[u8], levels: usize) -> Vec<u8> {
    let mut text = bytes.to_vec();
    for _ in 0..levels {
        if !text.contains(&b'\\') {
            break;
        }
        text = unescape_once(&text);
    }
    text
}

fn unescape_once(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (decoded, used) = escape(&bytes[at..]);
        match decoded {
            Some(decoded) => {
                let mut buffer = [0; 4];
                out.extend_from_slice(decoded.encode_utf8(&mut buffer).as_bytes());
            }
            None => out.extend_from_slice(&bytes[at..at + used]),
        }
        at += used;
    }
    out
}

/// One escape at the start of `bytes`: what it stands for and how long it is. `None` when the byte stands for itself.
pub(super) fn escape(bytes: &[u8]) -> (Option<char>, usize) {
    if bytes.first() != Some(&b'\\') {
        return (None, 1);
    }
    let simple = |c: char| (Some(c), 2);
    match bytes.get(1) {
        Some(b'n') => simple('\n'),
        Some(b'r') => simple('\r'),
        Some(b't') => simple('\t'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'"') => simple('"'),
        Some(b'\'') => simple('\''),
        Some(b'\\') => simple('\\'),
        Some(b'/') => simple('/'),
        Some(b'x') => match number(bytes, 2, 2) {
            Some(code) if code < 128 => (char::from_u32(code), 4),
            _ => (None, 1),
        },
        Some(b'u') => match number(bytes, 2, 4) {
            Some(high @ 0xd800..=0xdbff) => match (bytes.get(6..8), number(bytes, 8, 4)) {
                (Some(b"\\u"), Some(low @ 0xdc00..=0xdfff)) => {
                    (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12)
                }
                _ => (None, 1),
            },
            Some(code) => char::from_u32(code).map_or((None, 1), |c| (Some(c), 6)),
            None => (None, 1),
        },
        _ => (None, 1),
    }
}

fn number(bytes: &[u8], from: usize, digits: usize) -> Option<u32> {
    let text = bytes.get(from..from + digits)?;
    text.iter().try_fold(0_u32, |sum, byte| Some(sum * 16 + char::from(*byte).to_digit(16)?))
}

/// Undoes percent-encoding; bytes that are no part of one stay.
pub(super) fn unpercent(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%'
            && let Some(code) = number(bytes, at + 1, 2).and_then(|code| u8::try_from(code).ok())
        {
            out.push(code);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}
