//! Reports as text: for people, for scripts, for CI systems.
//!
//! What is in a finding may come from a log line or a file that somebody hostile wrote; every format that a person looks
//! at takes out control characters and escapes what the format would act on.

mod clean;
mod github;
mod json;
mod junit;
mod markdown;
mod sarif;
mod table;

use std::str::FromStr;

use crate::catalogue::Catalogue;
use crate::model::{Severity, UnknownWord};
use crate::report::Report;

pub use github::github;
pub(crate) use json::pretty;
pub use json::{SCHEMA_VERSION, json, json_schema};
pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;
pub use table::{Paint, table};

/// A form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table for people.
    Table,
    /// The whole report in the published schema.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for CI systems that show test results.
    Junit,
    /// Markdown, for tickets and pull requests.
    Markdown,
    /// Workflow commands of GitHub Actions, which annotate the lines of a pull request.
    Github,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Table, Self::Json, Self::Sarif, Self::Junit, Self::Markdown, Self::Github];

    /// The word for flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Github => "github",
        }
    }

    /// The report in this form, ending with a line feed. `threshold` is the severity at which JUnit calls a finding a failure;
    /// `width` that of the table, in columns.
    pub fn render(
        self,
        report: &Report,
        catalogue: &Catalogue,
        threshold: Severity,
        width: Option<u16>,
    ) -> String {
        match self {
            Self::Table => table(report, width, None),
            Self::Json => json(report),
            Self::Sarif => sarif(report, catalogue),
            Self::Junit => junit(report, threshold),
            Self::Markdown => markdown(report),
            Self::Github => github(report),
        }
    }
}

impl FromStr for Format {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|format| format.name() == word);
        known.ok_or_else(|| UnknownWord::new("format", word, Self::ALL.map(Self::name)))
    }
}
