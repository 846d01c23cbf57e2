//! Conditions that somebody decided to live with, with the reason and, better, a date until which.
//!
//! ```toml
//! [[ignore]]
//! rule = "machine.single"      # id or alias
//! subject = "web-*"            # optional; `*` stands for anything
//! until = "2027-03-31"         # optional; afterwards the finding counts again
//! reason = "batch app, may be down for an hour"
//! ```

use jiff::civil::Date;
use serde::Deserialize;

use crate::catalogue::Catalogue;
use crate::model::Finding;
use crate::report::Report;

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// Id of the rule.
    pub rule: String,
    /// Pattern that one of the finding's subjects must match; absent means any finding of the rule.
    pub subject: Option<String>,
    /// Last day on which the decision holds.
    pub until: Option<Date>,
    /// Why.
    pub reason: String,
}

/// Why an ignore file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreError {
    /// Not TOML, an unknown key, a missing one.
    #[error("not an ignore file")]
    Shape(#[from] toml::de::Error),
    /// A rule that does not exist; a misspelt one would ignore nothing, or later something else.
    #[error("ignore entry {position}: there is no rule '{rule}'")]
    UnknownRule {
        /// Which entry, counted from 1.
        position: usize,
        /// What it says.
        rule: String,
    },
    /// A decision without a reason.
    #[error("ignore entry {position} ('{rule}') gives no reason")]
    NoReason {
        /// Which entry, counted from 1.
        position: usize,
        /// Its rule.
        rule: String,
    },
}

/// The decisions of an ignore file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ignores {
    entries: Vec<Ignore>,
}

impl Ignores {
    /// Reads an ignore file; aliases are replaced by the ids of the catalogue.
    pub fn parse(text: &str, catalogue: &Catalogue) -> Result<Self, IgnoreError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            ignore: Vec<Ignore>,
        }
        let file: File = toml::from_str(text)?;
        let mut entries = file.ignore;
        for (index, entry) in entries.iter_mut().enumerate() {
            let position = index + 1;
            let Some(rule) = catalogue.get(&entry.rule) else {
                return Err(IgnoreError::UnknownRule { position, rule: entry.rule.clone() });
            };
            if entry.reason.trim().is_empty() {
                return Err(IgnoreError::NoReason { position, rule: entry.rule.clone() });
            }
            rule.id.clone_into(&mut entry.rule);
        }
        Ok(Self { entries })
    }

    /// Why this finding does not count today, if it does not.
    pub fn reason(&self, finding: &Finding, today: Date) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| {
            let in_time = entry.until.is_none_or(|until| today <= until);
            in_time && entry.concerns(finding)
        });
        entry.map(|entry| entry.reason.as_str())
    }

    /// Decisions that ran out before today, and those that concern nothing in the report: the file can shrink.
    pub fn stale(&self, report: &Report, today: Date) -> Vec<&Ignore> {
        let is_stale = |entry: &&Ignore| {
            entry.until.is_some_and(|until| until < today)
                || !report.all().any(|finding| entry.concerns(finding))
        };
        self.entries.iter().filter(is_stale).collect()
    }
}

impl Ignore {
    fn concerns(&self, finding: &Finding) -> bool {
        let subject = |pattern: &String| finding.subjects.iter().any(|it| matches(pattern, it));
        self.rule == finding.rule && self.subject.as_ref().is_none_or(subject)
    }
}

/// Whether a text matches a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    // Leftmost places for the parts in between leave the most room for the last one.
    for part in parts {
        match text.find(part) {
            Some(place) => text = &text[place + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, wanted) in [
            ("web", "web", true),
            ("web", "web-1", false),
            ("web-*", "web-1", true),
            ("web-*", "web-", true),
            ("web-*", "my-web-1", false),
            ("*", "", true),
            ("*-db-*", "eu-db-1", true),
            ("a*b*c", "abbc", true),
            ("a*bc", "abcbc", true),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
