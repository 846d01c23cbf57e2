//! The result of judging: findings, what was accepted beforehand, what could not be judged.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::ignore::Ignores;
use crate::model::{Finding, NotJudged, Severity, rank};

/// Who judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Why a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Suppression {
    /// It was there when the baseline was written.
    Baseline,
    /// Somebody decided to live with it.
    Ignore {
        /// Their reason.
        reason: String,
    },
}

/// A finding that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// Why it does not count.
    pub why: Suppression,
}

/// Everything that one run has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Who judged.
    pub tool: Tool,
    /// What was judged, e.g. `app web`.
    pub about: String,
    /// Ids of the rules that were judged, found or not.
    pub judged: Vec<String>,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
    /// What was found and does not count.
    pub suppressed: Vec<Suppressed>,
    /// What could not be judged.
    pub not_judged: Vec<NotJudged>,
}

/// Why a stored report cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Not JSON, or not a report.
    #[error("not a findings report")]
    Shape(#[from] serde_json::Error),
    /// Written by something newer.
    #[error(
        "a findings report of version {found}; this program reads up to {newest}: use a newer one"
    )]
    Newer {
        /// Version in the document.
        found: u64,
        /// Newest version that is understood.
        newest: u64,
    },
}

impl Report {
    /// A report of these findings, ranked. A rule that was found or could not be judged counts accordingly even if
    /// `judged` says otherwise.
    pub fn new(
        tool: Tool,
        about: impl Into<String>,
        judged: impl IntoIterator<Item = String>,
        mut findings: Vec<Finding>,
        mut not_judged: Vec<NotJudged>,
    ) -> Self {
        rank(&mut findings);
        not_judged.sort();
        not_judged.dedup();
        let mut rules: BTreeSet<String> = judged.into_iter().collect();
        for missing in &not_judged {
            rules.remove(&missing.rule);
        }
        rules.extend(findings.iter().map(|finding| finding.rule.clone()));
        Self {
            tool,
            about: about.into(),
            judged: rules.into_iter().collect(),
            findings,
            suppressed: Vec::new(),
            not_judged,
        }
    }

    /// Whether something at least this bad was found; decides between exit codes 0 and 1.
    pub fn reaches(&self, threshold: Severity) -> bool {
        self.findings.iter().any(|finding| finding.severity >= threshold)
    }

    /// The worst severity that was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Every finding, counted or not.
    pub fn all(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.suppressed.iter().map(|it| &it.finding))
    }

    /// Moves what the baseline accepts out of the way.
    pub fn accept(&mut self, baseline: &Baseline) {
        let mut room = baseline.room();
        self.suppress(|finding| room.take(finding).then_some(Suppression::Baseline));
    }

    /// Moves what somebody decided to live with out of the way, as far as the decision still holds `today`.
    pub fn ignore(&mut self, ignores: &Ignores, today: Date) {
        self.suppress(|finding| {
            let reason = ignores.reason(finding, today)?.to_owned();
            Some(Suppression::Ignore { reason })
        });
    }

    fn suppress(&mut self, mut why: impl FnMut(&Finding) -> Option<Suppression>) {
        for finding in std::mem::take(&mut self.findings) {
            match why(&finding) {
                Some(why) => self.suppressed.push(Suppressed { finding, why }),
                None => self.findings.push(finding),
            }
        }
    }
}
