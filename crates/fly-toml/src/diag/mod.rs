//! Diagnostics as a good compiler gives them: a code, a label on the exact place, why it matters, and an edit that helps.
//!
//! Must not know: any particular rule, terminals, file names.

mod code;
mod finding;
mod nearest;
mod registry;

pub use code::{Code, Flyctl, Grade};
pub use finding::to_finding;
pub use findings::Severity;
pub(crate) use nearest::nearest;
pub use registry::{all, by_id, index_page};

use serde::Serialize;

use crate::span::Span;

/// One thing to say about a file.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// What kind of thing; the registry has its documentation.
    pub code: &'static Code,
    /// How bad it is here.
    pub severity: Severity,
    /// One line that names the key and the value.
    pub message: String,
    /// Places, the most telling one first. Empty only when the whole file is meant.
    pub labels: Vec<Label>,
    /// What follows from it, in a sentence or two.
    pub why: String,
    /// An edit that resolves it, when there is one.
    pub fix: Option<Fix>,
}

/// A place and what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words; may be empty on the first label.
    pub text: String,
}

/// How far an edit can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Applicability {
    /// Keeps or restores the evident meaning: `--fix` applies it.
    MachineApplicable,
    /// Probably right, but a person has to look.
    MaybeIncorrect,
    /// Holds a blank that a person has to fill in.
    HasPlaceholders,
}

/// A replacement of one range; an empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// Edits that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// The edits; they do not overlap.
    pub edits: Vec<Edit>,
    /// How far it can be trusted.
    pub applicability: Applicability,
}

impl Diagnostic {
    /// A diagnostic with its code's severity and explanation, and no place yet.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity,
            message: message.into(),
            labels: Vec::new(),
            why: code.why.to_owned(),
            fix: None,
        }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says why it matters here, in place of the code's general words.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Another severity than the code's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// An edit that resolves it.
    #[must_use]
    pub fn fix(
        mut self,
        title: impl Into<String>,
        edits: Vec<Edit>,
        applicability: Applicability,
    ) -> Self {
        self.fix = Some(Fix { title: title.into(), edits, applicability });
        self
    }

    /// The place that it is about.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

impl Edit {
    /// Replaces a range.
    pub fn replace(span: Span, replacement: impl Into<String>) -> Self {
        Self { span, replacement: replacement.into() }
    }

    /// Inserts at a byte.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { span: Span::at(at), replacement: text.into() }
    }

    /// Removes a range.
    pub fn remove(span: Span) -> Self {
        Self { span, replacement: String::new() }
    }
}

/// Applies edits to the text that they were made for. Of two that overlap the first in the text wins; edits outside the
/// text are left out.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let (Some(before), true) = (text.get(at..edit.span.start), edit.span.end <= text.len())
        else {
            continue;
        };
        out.push_str(before);
        out.push_str(&edit.replacement);
        at = edit.span.end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_in_the_order_of_the_text_and_never_overlap() {
        let edits = [
            Edit::replace(Span::new(4, 5), "2"),
            Edit::insert(0, "# "),
            Edit::replace(Span::new(4, 5), "3"),
            Edit::remove(Span::new(90, 91)),
        ];
        assert_eq!(apply("a = 1\n", &edits), "# a = 2\n");
    }
}
