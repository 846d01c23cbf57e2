//! One layout for all files, the one that `fly launch` writes: two spaces a level, one space around `=`, one blank line
//! before a section.
//!
//! Only white space changes. Comments, quotes, the order of keys and everything between brackets over several lines stay.
//! The result is compared with the input; a file whose meaning would change is left as it is. Must not know: keys.

use toml_parser::parser::{Event, EventKind};

use crate::document::Document;
use crate::edit::EditError;
use crate::syntax::{self, meaning};

/// The text in the common layout. Formatting twice changes nothing more.
pub fn format(document: &Document) -> Result<String, EditError> {
    if let Some(mistake) = document.mistakes().first() {
        return Err(EditError::NotToml { line: document.position(mistake.span.start).line });
    }
    let text = document.text();
    let mut printer = Printer {
        text,
        out: String::with_capacity(text.len()),
        depth: 0,
        blank: false,
        joined: false,
    };
    let events = syntax::events(text);
    let statements = statements(&events);
    let above = above_headers(&statements);
    for (statement, above) in statements.into_iter().zip(above) {
        printer.statement(statement, above);
    }
    let out = printer.out;
    let (root, mistakes) = syntax::parse(&out);
    let same = mistakes.is_empty() && meaning(&root) == meaning(document.root());
    Ok(if same { out } else { text.to_owned() })
}

/// Splits events at line breaks outside of brackets.
fn statements(events: &[Event]) -> Vec<&[Event]> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0_u32);
    for (at, event) in events.iter().enumerate() {
        match event.kind() {
            EventKind::ArrayOpen | EventKind::InlineTableOpen => depth += 1,
            EventKind::ArrayClose | EventKind::InlineTableClose => depth = depth.saturating_sub(1),
            EventKind::Newline if depth == 0 => {
                found.push(&events[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&events[start..]);
    found
}

/// What a line begins with; none when it is blank.
fn first_kind(statement: &[Event]) -> Option<EventKind> {
    statement.iter().map(Event::kind).find(|kind| *kind != EventKind::Whitespace)
}

fn is_header(kind: Option<EventKind>) -> bool {
    matches!(kind, Some(EventKind::StdTableOpen | EventKind::ArrayTableOpen))
}

/// For each line: the levels of the header below, where the line is a comment of the block above it.
///
/// A block belongs to the header when nothing stands between them and a blank line, or the start of the file, above the block. A comment
/// right below a setting belongs to that: it often is one that was commented out.
fn above_headers(statements: &[&[Event]]) -> Vec<Option<usize>> {
    let mut found = vec![None; statements.len()];
    let mut block = None;
    for (at, statement) in statements.iter().enumerate() {
        let kind = first_kind(statement);
        match kind {
            Some(EventKind::Comment) => {
                let free = at == 0 || first_kind(statements[at - 1]).is_none();
                block = block.or(free.then_some(at));
            }
            _ => {
                if let Some(start) = block.take()
                    && is_header(kind)
                {
                    found[start..at].fill(Some(levels(statement)));
                }
            }
        }
    }
    found
}

/// Levels of a header: the parts of its name.
fn levels(statement: &[Event]) -> usize {
    statement.iter().filter(|event| event.kind() == EventKind::SimpleKey).count()
}

struct Printer<'a> {
    text: &'a str,
    out: String,
    /// Levels of the section that is open.
    depth: usize,
    /// A blank line was seen and not yet printed.
    blank: bool,
    /// The line before is a comment of the header that follows.
    joined: bool,
}

impl Printer<'_> {
    fn source(&self, event: &Event) -> &str {
        self.text.get(event.span().start()..event.span().end()).unwrap_or("")
    }

    fn statement(&mut self, events: &[Event], above: Option<usize>) {
        let Some(kind) = first_kind(events) else {
            self.blank = !self.out.is_empty();
            return;
        };
        match kind {
            EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                self.depth = levels(events);
                if !self.joined && !self.out.is_empty() {
                    self.blank = true;
                }
                self.line(self.depth.saturating_sub(1), &self.header(events));
            }
            EventKind::Comment => {
                let comment = events.iter().find(|event| event.kind() == EventKind::Comment);
                let comment = comment.map_or("", |event| self.source(event)).trim_end().to_owned();
                let depth = above.map_or(self.depth, |levels| levels.saturating_sub(1));
                self.line(depth, &comment);
            }
            _ => {
                let line = self.assignment(events);
                self.line(self.depth, &line);
            }
        }
        self.joined = above.is_some();
    }

    fn line(&mut self, depth: usize, content: &str) {
        if std::mem::take(&mut self.blank) {
            self.out.push('\n');
        }
        for _ in 0..depth {
            self.out.push_str("  ");
        }
        self.out.push_str(content);
        self.out.push('\n');
    }

    fn header(&self, events: &[Event]) -> String {
        let mut line = String::new();
        for event in events {
            match event.kind() {
                EventKind::Whitespace => {}
                EventKind::Comment => {
                    line.push(' ');
                    line.push_str(self.source(event).trim_end());
                }
                _ => line.push_str(self.source(event)),
            }
        }
        line
    }

    fn assignment(&self, events: &[Event]) -> String {
        let mut line = String::new();
        let several_lines = events.iter().any(|event| event.kind() == EventKind::Newline);
        let mut value = false;
        for (at, event) in events.iter().enumerate() {
            let source = self.source(event);
            match event.kind() {
                EventKind::KeyValSep if !value => {
                    line.push_str(" = ");
                    value = true;
                }
                EventKind::Comment if !several_lines || at + 1 == events.len() => {
                    line.push(' ');
                    line.push_str(source.trim_end());
                }
                // Inside brackets over several lines only white space at the ends of lines goes.
                EventKind::Whitespace if several_lines && value => {
                    let last = events
                        .get(at + 1)
                        .is_none_or(|next| matches!(next.kind(), EventKind::Newline));
                    let first = line.ends_with(" = ");
                    let before_comment =
                        at + 2 == events.len() && events[at + 1].kind() == EventKind::Comment;
                    if !last && !first && !before_comment {
                        line.push_str(source);
                    }
                }
                EventKind::Whitespace => {}
                EventKind::Newline => line.push('\n'),
                EventKind::Comment => line.push_str(source.trim_end()),
                _ if several_lines => line.push_str(source),
                EventKind::KeyValSep => line.push_str(" = "),
                EventKind::ValueSep => line.push_str(", "),
                EventKind::InlineTableOpen => line.push_str("{ "),
                EventKind::InlineTableClose if line.ends_with("{ ") => {
                    line.pop();
                    line.push('}');
                }
                EventKind::InlineTableClose => {
                    trim(&mut line);
                    line.push_str(" }");
                }
                EventKind::ArrayClose => {
                    trim(&mut line);
                    line.push(']');
                }
                _ => line.push_str(source),
            }
        }
        line
    }
}

/// Removes the space after a comma that closes a list.
fn trim(line: &mut String) {
    if line.ends_with(", ") {
        line.pop();
    }
}
