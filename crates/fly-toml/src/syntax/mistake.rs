//! Departures from TOML, of the grammar and of the rules about names.

use toml_parser::{ErrorSink, ParseError};

use crate::span::Span;

/// More mistakes than this are not kept: what is no TOML at all gets one for each of its bytes.
pub(super) const MAX_MISTAKES: usize = 500;

/// Grammar errors; beyond a limit they are only counted.
#[derive(Default)]
pub(super) struct Errors {
    /// The first of them.
    pub(super) kept: Vec<ParseError>,
    /// How many there were.
    pub(super) seen: usize,
}

impl ErrorSink for Errors {
    fn report_error(&mut self, error: ParseError) {
        self.seen += 1;
        if self.kept.len() < 2 * MAX_MISTAKES {
            self.kept.push(error);
        }
    }
}

/// What is wrong with the TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MistakeKind {
    /// The text does not follow the grammar.
    Syntax,
    /// A name is defined twice in one table.
    Duplicate,
    /// A name is used as a table and as a value.
    TableConflict,
    /// Nested too deeply.
    Depth,
}

/// One departure from TOML.
#[derive(Debug, Clone)]
pub struct Mistake {
    /// Its kind.
    pub kind: MistakeKind,
    /// What is wrong, in a few words.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Where the other definition is, or the construct that it happened in.
    pub context: Option<Span>,
}

/// A grammar error in our words.
pub(super) fn syntax_mistake(error: &ParseError, length: usize) -> Mistake {
    let range =
        |place: toml_parser::Span| Span::new(place.start().min(length), place.end().min(length));
    let context = error.context().map(range);
    let place = error.unexpected().map(range).or(context).unwrap_or(Span::at(length));
    let depth = error.description().contains("recur");
    let mut message = error.description().to_owned();
    if let Some(expected) = error.expected().filter(|expected| !expected.is_empty()) {
        let words: Vec<String> = expected
            .iter()
            .map(|one| match one {
                toml_parser::Expected::Literal("\n") => "a line break".to_owned(),
                toml_parser::Expected::Literal(text) => format!("`{text}`"),
                toml_parser::Expected::Description(text) => (*text).to_owned(),
                _ => String::new(),
            })
            .filter(|word| !word.is_empty())
            .collect();
        if !words.is_empty() {
            message = format!("{message}, expected {}", words.join(", "));
        }
    }
    let kind = if depth { MistakeKind::Depth } else { MistakeKind::Syntax };
    Mistake { kind, message, span: place, context: context.filter(|other| *other != place) }
}
