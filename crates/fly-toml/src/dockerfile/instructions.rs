//! A Dockerfile as a list of instructions with places: continuation lines, comments, here-documents, stages.
//!
//! Source of the format: Docker's Dockerfile reference. Must not know: what is wrong with an instruction.

use std::ops::RangeInclusive;

use crate::span::Span;

/// A Dockerfile, read as far as the lints need.
#[derive(Debug)]
pub struct Dockerfile<'a> {
    text: &'a str,
    instructions: Vec<Instruction>,
}

/// One instruction with its continuation lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Its name in capitals, e.g. `RUN`.
    pub name: String,
    /// What follows the name, continuation lines joined by blanks, without comments and here-documents.
    pub arguments: String,
    /// The first line without its line break.
    pub span: Span,
    /// Which stage it belongs to, counted from 0; `None` before the first `FROM`.
    pub stage: Option<usize>,
}

impl<'a> Dockerfile<'a> {
    /// Reads a text; whatever is no instruction is skipped.
    pub fn parse(text: &'a str) -> Self {
        let escape = escape(text);
        let mut instructions: Vec<Instruction> = Vec::new();
        let mut stage = None;
        // Words that end the here-documents that are open.
        let mut open: Vec<String> = Vec::new();
        let mut unfinished = false;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let bare = line.trim_end();
            if let Some(word) = open.first() {
                if bare.trim_start_matches('\t') == word {
                    open.remove(0);
                }
                continue;
            }
            let content = bare.trim_start();
            if content.starts_with('#') || (content.is_empty() && !unfinished) {
                continue;
            }
            let goes_on = content.ends_with(escape);
            let part = content.trim_end_matches(escape).trim();
            if unfinished {
                if let Some(last) = instructions.last_mut().filter(|_| !part.is_empty()) {
                    last.arguments.push(' ');
                    last.arguments.push_str(part);
                }
            } else {
                let (name, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
                let name = name.to_ascii_uppercase();
                if name == "FROM" {
                    stage = Some(stage.map_or(0, |stage| stage + 1));
                }
                let begin = start + (bare.len() - content.len());
                instructions.push(Instruction {
                    name,
                    arguments: rest.trim().to_owned(),
                    span: Span::new(begin, start + bare.len()),
                    stage,
                });
            }
            unfinished = goes_on || (unfinished && content.is_empty());
            if !unfinished
                && let Some(last) = instructions.last()
                && matches!(last.name.as_str(), "RUN" | "COPY" | "ADD")
            {
                open = here_documents(&last.arguments);
            }
        }
        Self { text, instructions }
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// All instructions, in order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The `FROM` of each stage.
    pub fn stages(&self) -> impl Iterator<Item = &Instruction> {
        self.named("FROM")
    }

    /// Instructions of a name, in all stages.
    pub fn named<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Instruction> {
        self.instructions.iter().filter(move |instruction| instruction.name == name)
    }

    /// Instructions of a name that are in force in the final image: those of the last stage and of the stages it is
    /// built on.
    pub fn in_final<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Instruction> {
        let line = self.lineage();
        self.named(name).filter(move |it| it.stage.is_some_and(|stage| line.contains(&stage)))
    }

    /// The last stage, the one it starts from, and so on.
    fn lineage(&self) -> Vec<usize> {
        let stages: Vec<&Instruction> = self.stages().collect();
        let mut line = Vec::new();
        let mut next = stages.len().checked_sub(1);
        while let Some(stage) = next {
            line.push(stage);
            let base = stages.get(stage).and_then(|from| from.image());
            next = base.and_then(|base| {
                stages[..stage].iter().position(|from| {
                    from.alias().is_some_and(|alias| alias.eq_ignore_ascii_case(base))
                })
            });
        }
        line
    }

    /// Ports that the final image exposes over TCP. Variables and ranges are resolved where they are plain.
    pub fn exposed(&self) -> Vec<RangeInclusive<u16>> {
        let words = self.in_final("EXPOSE").flat_map(|it| it.arguments.split_whitespace());
        let mut ports = Vec::new();
        for word in words {
            let (ports_part, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
            if !protocol.eq_ignore_ascii_case("tcp") {
                continue;
            }
            let resolved = self.resolve(ports_part);
            match resolved.split_once('-') {
                Some((first, last)) => {
                    if let (Ok(first), Ok(last)) = (first.parse(), last.parse()) {
                        ports.push(first..=last);
                    }
                }
                None => ports.extend(resolved.parse().map(|port| port..=port)),
            }
        }
        ports
    }

    /// The value that `ENV` or `ARG` gives a name in the final image.
    pub fn variable(&self, name: &str) -> Option<String> {
        let of = |kind| {
            let pairs = self.in_final(kind).flat_map(Instruction::pairs);
            pairs.filter(|(key, _)| key == name).last().map(|(_, value)| value)
        };
        of("ENV").or_else(|| of("ARG")).filter(|value| !value.is_empty())
    }

    fn resolve(&self, word: &str) -> String {
        let Some(name) = word.strip_prefix('$') else { return word.to_owned() };
        let name = name.trim_start_matches('{').trim_end_matches('}');
        let (name, default) = name.split_once(":-").unwrap_or((name, ""));
        self.variable(name).unwrap_or_else(|| default.to_owned())
    }
}

impl Instruction {
    /// The image of a `FROM`.
    pub fn image(&self) -> Option<&str> {
        self.arguments.split_whitespace().find(|word| !word.starts_with("--"))
    }

    /// The name that a `FROM` gives its stage.
    pub fn alias(&self) -> Option<&str> {
        let mut words = self.arguments.split_whitespace();
        words.by_ref().find(|word| word.eq_ignore_ascii_case("as"))?;
        words.next()
    }

    /// Names and values of an `ENV` or `ARG`; an `ARG` without a value has an empty one.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let words = words(&self.arguments);
        let is_old = self.name == "ENV" && words.first().is_some_and(|first| !first.contains('='));
        if is_old {
            let value = words.get(1..).unwrap_or_default().join(" ");
            return words.first().map(|name| (name.clone(), value)).into_iter().collect();
        }
        let pair = |word: String| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (word, String::new()),
        };
        words.into_iter().map(pair).collect()
    }

    /// Whether the arguments are a JSON list: run without a shell.
    pub fn is_exec(&self) -> bool {
        self.arguments.starts_with('[') && self.arguments.ends_with(']')
    }
}

/// Words at blanks, quotes removed.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut is_open = false;
    for c in text.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '"' || c == '\'' => (quote, is_open) = (Some(c), true),
            None if c.is_whitespace() => {
                if is_open {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            _ => {
                word.push(c);
                is_open = true;
            }
        }
    }
    if is_open {
        words.push(word);
    }
    words
}

/// The character that joins lines: a backslash unless the first lines say otherwise.
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#'));
    for directive in directives {
        if let Some((name, value)) = directive.split_once('=')
            && name.trim().eq_ignore_ascii_case("escape")
        {
            return if value.trim() == "`" { '`' } else { '\\' };
        }
    }
    '\\'
}

/// The words that end the here-documents of an instruction.
fn here_documents(arguments: &str) -> Vec<String> {
    let mut ends = Vec::new();
    for word in arguments.split_whitespace() {
        let Some(rest) = word.strip_prefix("<<") else { continue };
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let end = rest.trim_matches(['"', '\'']);
        let is_word = end.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_word && !end.is_empty() {
            ends.push(end.to_owned());
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "ARG V=22\nFROM node:$V AS base\nENV PORT=8080 \\\n  # a comment\n  MODE=\"a b\"\n\nFROM base AS build\nRUN <<EOF\nUSER nobody\nEOF\nEXPOSE 9999\nFROM base\nexpose ${PORT} 70-71/tcp 53/udp\nCMD [\"node\"]\n";

    #[test]
    fn instructions_stages_and_variables() {
        let file = Dockerfile::parse(TEXT);
        let names: Vec<&str> = file.instructions().iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["ARG", "FROM", "ENV", "FROM", "RUN", "EXPOSE", "FROM", "EXPOSE", "CMD"]);
        assert_eq!(file.exposed(), [8080..=8080, 70..=71]);
        assert_eq!(file.variable("MODE").as_deref(), Some("a b"));
        assert_eq!(file.instructions()[7].span.of(TEXT), "expose ${PORT} 70-71/tcp 53/udp");
        assert!(file.instructions()[8].is_exec());
    }

    #[test]
    fn old_forms() {
        let file = Dockerfile::parse("# escape=`\nFROM a `\n AS b\nENV GREETING hello world\n");
        assert_eq!(file.stages().next().unwrap().alias(), Some("b"));
        assert_eq!(file.variable("GREETING").as_deref(), Some("hello world"));
    }
}
