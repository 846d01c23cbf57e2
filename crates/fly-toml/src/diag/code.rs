//! What a diagnostic code is, and its documentation page.

use std::fmt::Write as _;

use findings::Severity;

/// At which point a mistake is noticed, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// Not TOML.
    Syntax,
    /// TOML, but flyctl cannot read it into its types; the whole file is dropped.
    Shape,
    /// Loads, then validation refuses it or warns.
    Semantic,
    /// An old spelling that still works.
    Legacy,
    /// A lint: correctness that nobody checks before the deploy.
    Correctness,
    /// A lint: how the app behaves when things go wrong.
    Readiness,
    /// A lint: what others can see or reach.
    Security,
    /// A lint: money.
    Cost,
}

impl Grade {
    /// The word for tags and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Shape => "shape",
            Self::Semantic => "semantic",
            Self::Legacy => "legacy",
            Self::Correctness => "correctness",
            Self::Readiness => "readiness",
            Self::Security => "security",
            Self::Cost => "cost",
        }
    }
}

/// What flyctl does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flyctl {
    /// `fly config validate` and `fly deploy` refuse the file.
    Refuses,
    /// It prints a warning and goes on.
    Warns,
    /// It says nothing.
    Silent,
}

/// A kind of diagnostic and everything that its page says.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable id, e.g. `duplicate-key`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// Severity unless the case at hand is better or worse.
    pub severity: Severity,
    /// When it is noticed.
    pub grade: Grade,
    /// What flyctl does.
    pub flyctl: Flyctl,
    /// What follows from it, in a sentence or two; the `why` of a diagnostic that has nothing better.
    pub why: &'static str,
    /// The longer story for the page. May be empty.
    pub details: &'static str,
    /// A file that has it.
    pub bad: &'static str,
    /// The same file without it.
    pub good: &'static str,
    /// Where the facts come from.
    pub source: &'static str,
}

impl Code {
    /// The page of the code, in Markdown. `fly-toml explain` prints it and the documentation holds it.
    pub fn page(&self) -> String {
        let flyctl = match self.flyctl {
            Flyctl::Refuses => "refuses the file",
            Flyctl::Warns => "warns and goes on",
            Flyctl::Silent => "says nothing",
        };
        let severity = match self.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        };
        let mut page = format!(
            "# {}\n\n{}\n\n*{severity} · {} · flyctl {flyctl}*\n\n{}\n",
            self.id,
            self.title,
            self.grade.name(),
            self.why
        );
        if !self.details.is_empty() {
            let _ = write!(page, "\n{}\n", self.details);
        }
        let language = if self.bad.starts_with("FROM ") { "dockerfile" } else { "toml" };
        let _ = write!(page, "\n## Example\n\n```{language}\n{}\n```\n", self.bad.trim_end());
        if !self.good.is_empty() {
            let good = self.good.trim_end();
            let _ = write!(page, "\nBetter:\n\n```{language}\n{good}\n```\n");
        }
        let _ = write!(page, "\n## Source\n\n{}\n", self.source);
        page
    }
}
