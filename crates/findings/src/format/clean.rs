//! Text from outside, made harmless for terminals and viewers.

/// One line without control characters, terminal sequences and characters that reorder text. White space of any kind
/// becomes a space.
pub(super) fn line(text: &str) -> String {
    let text = without_sequences(text);
    let kept = text.chars().filter_map(|c| match c {
        c if c.is_whitespace() => Some(' '),
        c if acts(c) => None,
        c => Some(c),
    });
    kept.collect::<String>().trim().to_owned()
}

/// Lines, each cleaned, without trailing empty ones.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = without_sequences(text).lines().map(line).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Characters that act on what is around them: controls, directional marks, embeddings and isolates, invisible ones.
pub(super) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{fffe}' | '\u{ffff}')
}

/// Drops whole terminal sequences (ECMA-48: CSI, and the strings OSC, DCS, SOS, PM, APC), so that their parameters do
/// not stay behind as text.
fn without_sequences(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let introducer = match c {
            '\u{1b}' => match chars.next() {
                Some(second) => second,
                None => break,
            },
            '\u{9b}' => '[',
            '\u{9d}' => ']',
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => 'P',
            c => {
                kept.push(c);
                continue;
            }
        };
        match introducer {
            '[' => while chars.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {},
            ']' | 'P' | 'X' | '^' | '_' => {
                // An unterminated string must not swallow the rest of the text, only its line.
                while chars
                    .next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\u{9c}' | '\n'))
                    .is_some()
                {}
                if chars.next_if_eq(&'\u{1b}').is_some() {
                    chars.next_if_eq(&'\\');
                }
                continue;
            }
            // A line feed after a lone escape still ends a line.
            '\n' => {
                kept.push('\n');
                continue;
            }
            _ => continue,
        }
        // The final byte of a control sequence.
        chars.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        for (text, wanted) in [
            ("plain", "plain"),
            ("\u{1b}[31;1mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jgone", "gone"),
            ("a\u{8}\u{8}b\u{7f}c\0", "abc"),
            ("a\r\nb\tc", "a  b c"),
            ("user\u{202e}gpj.exe", "usergpj.exe"),
            ("end\u{1b}", "end"),
            ("\u{1b}creset", "reset"),
            ("\u{1b}]never ended", ""),
            ("größe 東京 🎈", "größe 東京 🎈"),
        ] {
            assert_eq!(line(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn an_open_sequence_ends_with_its_line() {
        assert_eq!(lines("\u{1b}]open\nsecond\n\n"), ["", "second"]);
        assert_eq!(lines("one\u{1b}\ntwo"), ["one", "two"]);
    }
}
