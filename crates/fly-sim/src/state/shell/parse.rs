//! How a command line falls apart: lists, pipelines, redirections, words. Knows quotes and parentheses, and no more of the language.

/// Where output goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Redirections {
    /// Whether it is appended, and the file.
    pub(super) out: Option<(bool, String)>,
    pub(super) err: Option<String>,
}

/// Cuts redirections off. What is read from a file is not modelled: such programs here get no input.
pub(super) fn redirections(text: &str) -> (String, Redirections) {
    let parts = split(text, &["2>&1", "2>", "<>", "<", ">>", ">"]);
    let command = parts.first().map_or("", |part| part.1).to_owned();
    let mut found = Redirections::default();
    for (sign, rest) in parts.iter().skip(1) {
        let Some(path) = words(rest).into_iter().next() else { continue };
        match *sign {
            "2>" => found.err = Some(path),
            ">" | ">>" => found.out = Some((*sign == ">>", path)),
            _ => {}
        }
    }
    (command, found)
}

/// The command before a final `&`.
pub(super) fn in_background(text: &str) -> Option<&str> {
    text.trim_end().strip_suffix('&').filter(|text| !text.ends_with('&'))
}

/// (Whether the part before must have succeeded, pipeline).
pub(super) fn split_list(text: &str) -> Vec<(bool, &str)> {
    let parts = split(text, &["&&", ";", "\n"]);
    parts.into_iter().map(|(sign, part)| (sign == "&&", part)).collect()
}

pub(super) fn split_pipeline(text: &str) -> Vec<&str> {
    split(text, &["|"]).into_iter().map(|(_, part)| part).collect()
}

/// Parts between separators outside quotes and parentheses, each with the separator before it.
fn split<'t>(text: &'t str, separators: &[&'static str]) -> Vec<(&'static str, &'t str)> {
    let mut parts = Vec::new();
    let (mut quote, mut depth, mut start, mut before, mut at) = (None, 0, 0, "", 0);
    while let Some(c) = text[at..].chars().next() {
        let outside = quote.is_none() && depth == 0;
        let found = separators.iter().find(|s| outside && text[at..].starts_with(**s));
        if let Some(separator) = found.filter(|_| !text[..at].ends_with('\\')) {
            parts.push((before, text[start..at].trim()));
            before = separator;
            at += separator.len();
            start = at;
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '(' => depth += 1,
            None if c == ')' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
    }
    parts.push((before, text[start..].trim()));
    parts
}

/// One line that `words` takes apart into the same words.
pub(crate) fn quoted(words: &[&str]) -> String {
    let quote = |word: &&str| match (word.contains('\''), word.contains('"')) {
        _ if !word.contains(|c: char| c.is_whitespace() || "|;&><'\"()".contains(c))
            && !word.is_empty() =>
        {
            (*word).to_owned()
        }
        (true, _) => format!("\"{word}\""),
        _ => format!("'{word}'"),
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Words with quotes removed.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut any) = (String::new(), None, false);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.push(c),
            None if c == '\'' || c == '"' => (quote, any) = (Some(c), true),
            None if c.is_whitespace() => {
                if any {
                    words.push(std::mem::take(&mut word));
                    any = false;
                }
            }
            None if c == '\\' => {}
            None => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}
