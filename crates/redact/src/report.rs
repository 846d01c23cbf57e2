//! What was done, in a form that may be published: counts, rule ids, pseudonyms. Never a secret, an exact length, an unkeyed
//! hash or surrounding text.

use std::collections::BTreeMap;

use crate::format::Format;
use crate::options::Identities;
use crate::rules::{Layer, RULES, RuleId};

/// How a file came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Scanned to the end.
    Redacted,
    /// Replaced by a stub.
    RedactionFailed,
}

/// Report on one file.
#[derive(Clone, Debug, serde::Serialize)]
pub struct FileReport {
    /// Redacted name.
    pub name: String,
    /// How it came out.
    pub status: Status,
    /// Why it is a stub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Format it was read as.
    pub format: Format,
    /// Replacements per rule.
    pub rules: BTreeMap<RuleId, u64>,
    /// Lines with a replacement, from 1, the first hundred.
    pub lines: Vec<u64>,
    /// Bytes removed, rounded up to a power of two.
    pub bytes_removed: u64,
    /// Replacements of the second sweep.
    pub swept: u64,
}

impl FileReport {
    pub(crate) fn new(name: String, format: Format) -> Self {
        Self {
            name,
            status: Status::Redacted,
            reason: None,
            format,
            rules: BTreeMap::new(),
            lines: Vec::new(),
            bytes_removed: 0,
            swept: 0,
        }
    }

    /// Adds what the second sweep replaced.
    pub(crate) fn add_sweep(&mut self, sweep: &Self) {
        for (rule, count) in &sweep.rules {
            *self.rules.entry(rule).or_default() += count;
        }
        self.swept += sweep.swept;
        self.bytes_removed = self.bytes_removed.max(sweep.bytes_removed);
    }

    /// Replacements in this file.
    pub fn total(&self) -> u64 {
        self.rules.values().sum()
    }
}

/// Replacements of one rule over all files.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RuleCount {
    /// Rule.
    pub id: RuleId,
    /// What it finds.
    pub kind: &'static str,
    /// Layer.
    pub layer: Layer,
    /// Replacements.
    pub count: u64,
    /// Files with at least one.
    pub files: u64,
}

/// Occurrences of one pseudonym.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PseudonymCount {
    /// As it stands in the files.
    pub pseudonym: String,
    /// Kind of the value.
    pub kind: &'static str,
    /// Occurrences.
    pub count: u64,
}

/// A file that was replaced by a stub.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Dropped {
    /// Redacted name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// `redaction.json`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// `fly-redaction/1`.
    pub schema: &'static str,
    /// Version of the rule set.
    pub rules_version: &'static str,
    /// Names the key without revealing it.
    pub key_id: String,
    /// Modes.
    pub identities: Identities,
    /// Rules that were switched off (tests only).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules_off: Vec<RuleId>,
    /// One entry per rule, zero counts too.
    pub rules: Vec<RuleCount>,
    /// One entry per file, by name.
    pub files: Vec<FileReport>,
    /// Pseudonyms by count; at most ten thousand, the rest is in `pseudonyms_left_out`.
    pub pseudonyms: Vec<PseudonymCount>,
    /// Distinct pseudonyms not listed.
    pub pseudonyms_left_out: u64,
    /// Values that the second sweep did not look for, because memory is bounded.
    pub values_left_out: u64,
    /// Files replaced by stubs.
    pub dropped: Vec<Dropped>,
    /// Result of verifying the archive; set by who verifies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<String>,
}

impl Report {
    pub(crate) fn rule_counts(files: &[FileReport]) -> Vec<RuleCount> {
        RULES
            .iter()
            .map(|rule| {
                let counts = files.iter().filter_map(|file| file.rules.get(rule.id));
                RuleCount {
                    id: rule.id,
                    kind: rule.kind,
                    layer: rule.layer,
                    count: counts.clone().sum(),
                    files: counts.count() as u64,
                }
            })
            .collect()
    }
}
