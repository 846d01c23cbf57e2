//! The model: rules say what can be wrong, findings say what is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is, in ascending order. Exit code 1 is decided by a threshold on this.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Info,
    /// Will hurt under conditions that are likely.
    Warning,
    /// Something does not work.
    Error,
    /// Users are affected now, or data is at risk.
    Critical,
}

impl Severity {
    /// All of them, mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word for tables and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl std::str::FromStr for Severity {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|severity| severity.name() == word);
        known.ok_or_else(|| UnknownWord::new("severity", word, Self::ALL.map(Self::name)))
    }
}

/// A word that is none of those that are allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is no {what}; use one of: {allowed}")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
    allowed: String,
}

impl UnknownWord {
    pub(crate) fn new<const N: usize>(
        what: &'static str,
        word: &str,
        allowed: [&'static str; N],
    ) -> Self {
        Self { what, word: word.to_owned(), allowed: allowed.join(", ") }
    }
}

/// How well the evidence supports the finding.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The symptom fits, other causes fit as well.
    Low,
    /// One direct sign.
    Medium,
    /// The platform itself says so, or several independent signs agree.
    High,
}

impl Confidence {
    /// The word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Where in its source a piece of evidence stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Location {
    /// The whole source.
    Whole,
    /// A line of a text, counted from 1.
    Line {
        /// Line number.
        line: u64,
    },
    /// A value in a JSON document, by RFC 6901 pointer.
    Json {
        /// The pointer, e.g. `/3/events/0`.
        pointer: String,
    },
    /// A stretch of a text; lines and columns count from 1, the end is exclusive.
    Span {
        /// First line.
        line: u64,
        /// First column, in characters.
        column: u64,
        /// Last line.
        end_line: u64,
        /// Column after the last character.
        end_column: u64,
    },
}

/// A pointer to the fact that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The file (a path within the bundle, or the file that was checked).
    pub source: String,
    /// Where in the file.
    pub location: Location,
    /// The decisive words or value, already redacted.
    pub excerpt: Option<String>,
    /// When the fact was true, as far as the source says.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// The advice in a sentence or two.
    pub text: String,
    /// Commands that carry it out, ready to paste.
    pub commands: Vec<String>,
    /// Where to read more.
    pub url: Option<String>,
}

/// What can be wrong. One condition is one rule, however many catalogues name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable id, e.g. `machine.oom`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// Severity unless the finding knows better.
    pub severity: Severity,
    /// Topics, for selection.
    pub tags: &'static [&'static str],
    /// Ids under which other catalogues list the same condition.
    pub aliases: &'static [&'static str],
    /// Why it matters.
    pub explanation: &'static str,
    /// Where the rule's facts come from.
    pub basis: &'static str,
}

impl Rule {
    /// A finding of this rule with the rule's severity, explanation and tags. Evidence, remedy and subjects are for the
    /// caller to add: a finding without evidence convinces nobody.
    pub fn finding(&self, confidence: Confidence, title: impl Into<String>) -> Finding {
        Finding {
            rule: self.id.to_owned(),
            severity: self.severity,
            confidence,
            title: title.into(),
            explanation: self.explanation.to_owned(),
            evidence: Vec::new(),
            remedy: Remedy::default(),
            subjects: Vec::new(),
            first_seen: None,
            last_seen: None,
            tags: self.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    /// The rule's id and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.id].into_iter().chain(self.aliases.iter().copied())
    }

    /// That the rule was not judged, because `input` could not be read.
    pub fn not_judged(&self, input: impl Into<String>, why: impl Into<String>) -> NotJudged {
        NotJudged { rule: self.id.to_owned(), input: input.into(), why: why.into() }
    }
}

/// A rule about which nothing can be said. It is neither fine nor broken, and reports say so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct NotJudged {
    /// Id of the rule.
    pub rule: String,
    /// What was missing, e.g. `machines`.
    pub input: String,
    /// Why it was missing, e.g. `403: the token may not list machines`.
    pub why: String,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One line with the particulars: which app, Machine, file.
    pub title: String,
    /// What happened and why it matters, in plain words.
    pub explanation: String,
    /// Facts it rests on, most telling first.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub remedy: Remedy,
    /// Machines, volumes, files … concerned.
    pub subjects: Vec<String>,
    /// First time the condition was seen.
    #[schemars(with = "Option<String>")]
    pub first_seen: Option<Timestamp>,
    /// Last time the condition was seen.
    #[schemars(with = "Option<String>")]
    pub last_seen: Option<Timestamp>,
    /// Topics.
    pub tags: Vec<String>,
}

/// Sorts findings for people: worst first, then surest, then by rule and subject, so that equal inputs print equally.
pub fn rank(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        (b.severity, b.confidence)
            .cmp(&(a.severity, a.confidence))
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| a.subjects.cmp(&b.subjects))
    });
}
