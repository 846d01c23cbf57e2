//! The findings of yesterday, accepted, so that only new ones count.
//!
//! A finding is recognised by its rule, its subjects and the source of its first evidence – not by line numbers, times or
//! wording, which change while the condition stays. The same key may be accepted several times: five unknown keys in a file
//! stay five, a sixth counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Finding;
use crate::report::Report;

/// Version of the file format.
const VERSION: u64 = 1;

/// One accepted condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Accepted {
    /// Id of the rule.
    pub rule: String,
    /// Machines, files … concerned, sorted.
    pub subjects: Vec<String>,
    /// Source of the first evidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
}

impl Accepted {
    /// What a finding is recognised by.
    pub fn of(finding: &Finding) -> Self {
        let mut subjects = finding.subjects.clone();
        subjects.sort();
        subjects.dedup();
        let source = finding.evidence.first().map(|evidence| evidence.source.clone());
        Self { rule: finding.rule.clone(), subjects, source }
    }

    /// As one line, for formats that want a fingerprint.
    pub(crate) fn line(&self) -> String {
        let source = self.source.as_deref().unwrap_or_default();
        [
            &[self.rule.as_str()][..],
            &[source],
            &self.subjects.iter().map(String::as_str).collect::<Vec<_>>(),
        ]
        .concat()
        .join("|")
    }
}

/// Accepted conditions and how often each may occur.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    accepted: BTreeMap<Accepted, usize>,
}

/// Why a baseline cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// Not JSON, or not a baseline.
    #[error("not a baseline file")]
    Shape(#[from] serde_json::Error),
    /// Written by something newer.
    #[error(
        "a baseline of version {0}; this program reads version 1: use a newer one, or write the baseline anew"
    )]
    Newer(u64),
}

#[derive(Serialize, Deserialize)]
struct File {
    baseline: u64,
    accepted: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    rule: String,
    subjects: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    source: Option<String>,
    count: usize,
}

impl Baseline {
    /// Accepts all of these.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut accepted = BTreeMap::new();
        for finding in findings {
            *accepted.entry(Accepted::of(finding)).or_insert(0) += 1;
        }
        Self { accepted }
    }

    /// Reads a baseline file.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Version {
            baseline: u64,
        }
        let version: Version = serde_json::from_str(text)?;
        if version.baseline > VERSION {
            return Err(BaselineError::Newer(version.baseline));
        }
        let file: File = serde_json::from_str(text)?;
        let mut accepted = BTreeMap::new();
        for Row { rule, mut subjects, source, count } in file.accepted {
            subjects.sort();
            *accepted.entry(Accepted { rule, subjects, source }).or_insert(0) += count;
        }
        Ok(Self { accepted })
    }

    /// The baseline file: JSON, sorted, one condition after the other, so that it reviews well.
    pub fn print(&self) -> String {
        let rows = self.accepted.iter().map(|(key, count)| Row {
            rule: key.rule.clone(),
            subjects: key.subjects.clone(),
            source: key.source.clone(),
            count: *count,
        });
        crate::format::pretty(&File { baseline: VERSION, accepted: rows.collect() })
    }

    /// Conditions that the report no longer has: the baseline can shrink.
    pub fn unused(&self, report: &Report) -> Vec<&Accepted> {
        let seen = Self::of(report.all());
        self.accepted.keys().filter(|key| !seen.accepted.contains_key(*key)).collect()
    }

    pub(crate) fn room(&self) -> Room {
        Room { left: self.accepted.clone() }
    }
}

/// How much of a baseline is not used up.
pub(crate) struct Room {
    left: BTreeMap<Accepted, usize>,
}

impl Room {
    /// Whether the finding is accepted; uses up one acceptance.
    pub(crate) fn take(&mut self, finding: &Finding) -> bool {
        match self.left.get_mut(&Accepted::of(finding)) {
            Some(left @ 1..) => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}
