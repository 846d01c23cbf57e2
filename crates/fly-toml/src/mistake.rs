//! From departures from TOML to diagnostics: one per line, with the edit that real files needed.
//!
//! Must not know: sections.

use crate::diag::{Applicability, Diagnostic, Edit};
use crate::document::{Document, comment_start};
use crate::schema::codes;
use crate::span::Span;
use crate::syntax::{Mistake, MistakeKind};

/// Diagnostics for everything in the document that is not TOML.
pub(crate) fn diagnostics(document: &Document) -> Vec<Diagnostic> {
    let markers = merge_markers(document);
    let mut out: Vec<Diagnostic> = markers.iter().map(conflict).collect();
    let mut last_syntax_line = None;
    for mistake in document.mistakes() {
        let line = document.position(mistake.span.start).line;
        if markers.iter().any(|marker| marker.holds(mistake.span)) {
            continue;
        }
        if mistake.kind == MistakeKind::Syntax {
            // What follows on the line is mostly a consequence of the first mistake, and a list that is not closed one of
            // a text that is not.
            let unclosed = mistake.message.starts_with("unclosed");
            let text_on_line = |other: &Mistake| {
                other.message.contains("string") && document.position(other.span.start).line == line
            };
            if last_syntax_line == Some(line)
                || (unclosed && document.mistakes().iter().any(text_on_line))
            {
                continue;
            }
            last_syntax_line = Some(line);
        }
        out.push(diagnostic(mistake, document));
    }
    out
}

/// More merge conflicts than this are not told apart.
const MAX_CONFLICTS: usize = 50;

/// The lines that a merge left behind.
struct Markers {
    ours: Span,
    middle: Option<Span>,
    theirs: Option<Span>,
}

impl Markers {
    fn holds(&self, span: Span) -> bool {
        let end = self.theirs.or(self.middle).unwrap_or(self.ours).end;
        self.ours.start <= span.start && span.start <= end
    }
}

fn merge_markers(document: &Document) -> Vec<Markers> {
    let mut found: Vec<Markers> = Vec::new();
    if document.mistakes().is_empty() {
        return found;
    }
    let mut at = 0;
    for line in document.text().split_inclusive('\n') {
        let span = Span::new(at, at + line.trim_end().len());
        at += line.len();
        let room = found.len() < MAX_CONFLICTS;
        let open = found.last_mut().filter(|markers| markers.theirs.is_none());
        if line.starts_with("<<<<<<<") && room {
            found.push(Markers { ours: span, middle: None, theirs: None });
        } else if let Some(markers) = open {
            if line.starts_with("=======") {
                markers.middle = Some(span);
            } else if line.starts_with(">>>>>>>") {
                markers.theirs = Some(span);
            }
        }
    }
    found
}

fn conflict(markers: &Markers) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::new(&codes::TOML_SYNTAX, "a merge conflict was committed unresolved")
            .at(markers.ours, "this side …");
    if let Some(middle) = markers.middle {
        diagnostic = diagnostic.at(middle, "… or that side");
    }
    if let Some(theirs) = markers.theirs {
        diagnostic = diagnostic.at(theirs, "up to here");
    }
    diagnostic.because("flyctl stops here. Keep one of the two sides and delete the marker lines.")
}

fn diagnostic(mistake: &Mistake, document: &Document) -> Diagnostic {
    let code = match mistake.kind {
        MistakeKind::Syntax => &codes::TOML_SYNTAX,
        MistakeKind::Duplicate => &codes::DUPLICATE_KEY,
        MistakeKind::TableConflict => &codes::TABLE_CONFLICT,
        MistakeKind::Depth => &codes::TOO_DEEP,
    };
    let diagnostic = Diagnostic::new(code, mistake.message.clone());
    match (mistake.kind, mistake.context) {
        (MistakeKind::Duplicate | MistakeKind::TableConflict, Some(first)) => {
            let diagnostic =
                diagnostic.at(mistake.span, "defined again here").at(first, "first defined here");
            redefinition_fix(diagnostic, mistake.span, first, document)
        }
        _ => syntax(diagnostic, mistake, document),
    }
}

/// A grammar mistake: where it begins, and the edit for the frequent ones.
fn syntax(diagnostic: Diagnostic, mistake: &Mistake, document: &Document) -> Diagnostic {
    let text = document.text();
    let line = document.whole_lines(mistake.span);
    let rest = Span::new(mistake.span.start, line.end).of(text).trim_end().len();
    let to_line_end = Span::new(mistake.span.start, mistake.span.start + rest);
    let message = mistake.message.as_str();
    if text.starts_with('\u{feff}') && mistake.span.start <= 3 {
        return diagnostic
            .at(Span::new(0, 3), "an invisible byte order mark")
            .because("flyctl's parser does not accept the mark that some editors put before the first line.")
            .fix("remove it", vec![Edit::remove(Span::new(0, 3))], Applicability::MachineApplicable);
    }
    if message.starts_with("string values must be quoted") && !to_line_end.of(text).contains('"') {
        let bare = to_line_end.of(text).split('#').next().unwrap_or("").trim_end();
        let span = Span::new(mistake.span.start, mistake.span.start + bare.len());
        let mut message = diagnostic;
        "a text needs quotes".clone_into(&mut message.message);
        let fixable =
            !bare.contains('\\') && !bare.is_empty() && !bare.starts_with(['=', '[', '{']);
        let quoted = format!("\"{bare}\"");
        let labelled =
            message.at(if span.start < span.end { span } else { mistake.span }, "not quoted");
        return if fixable {
            labelled.fix(
                "quote it",
                vec![Edit::replace(span, quoted)],
                Applicability::MaybeIncorrect,
            )
        } else {
            labelled
        };
    }
    if message.contains("string") && mistake.context.is_some_and(|context| line.contains(context)) {
        // The string that is never closed: from its quote to the end of the line.
        let start = mistake.context.map_or(mistake.span.start, |context| context.start);
        let end = mistake.span.end.max(start);
        return diagnostic.at(Span::new(start, end), "a string begins here");
    }
    if mistake.span.start == mistake.span.end && rest > 0 {
        let first = to_line_end.of(text).chars().next().map_or(0, char::len_utf8);
        return diagnostic.at(Span::new(mistake.span.start, mistake.span.start + first), "");
    }
    diagnostic.at(mistake.span, "")
}

/// A line without its indentation, its comment and what is blank before that.
fn statement(line: Span, text: &str) -> Span {
    let whole = line.of(text);
    let end = comment_start(whole).unwrap_or(whole.len());
    let start = whole.len() - whole.trim_start().len();
    Span::new(
        line.start + start.min(end),
        line.start + whole[..end].trim_end().len().max(start.min(end)),
    )
}

/// Removes a first definition that is an empty list, or a second one that says the same.
fn redefinition_fix(
    diagnostic: Diagnostic,
    again: Span,
    first: Span,
    document: &Document,
) -> Diagnostic {
    let text = document.text();
    let line = |span: Span| document.whole_lines(span);
    let (first_line, again_line) = (line(first), line(again));
    let value = |line: Span| {
        let (key, value) = statement(line, text).of(text).split_once('=')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    // The whole line, unless a comment stands behind the definition.
    let removal = |line: Span| {
        let own = statement(line, text);
        let rest = Span::new(own.end, line.end).of(text);
        Edit::remove(if rest.trim().is_empty() { line } else { own })
    };
    let (Some(old), new) = (value(first_line), value(again_line)) else { return diagnostic };
    if old.1 == "[]" && again_line.of(text).trim_start().starts_with('[') {
        return diagnostic.fix(
            "delete the empty list",
            vec![removal(first_line)],
            Applicability::MachineApplicable,
        );
    }
    if new.as_ref() == Some(&old) {
        return diagnostic.fix(
            "delete the repetition",
            vec![removal(again_line)],
            Applicability::MachineApplicable,
        );
    }
    diagnostic
}
