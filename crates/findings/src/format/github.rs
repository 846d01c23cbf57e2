//! Workflow commands of GitHub Actions: `::error file=…,line=…::message` annotates a line of a pull request.
//!
//! Only the first ten of each level are shown for a step, so the worst come first. Source: GitHub's documentation of
//! workflow commands; escaping as in its own toolkit (actions/toolkit `packages/core/src/command.ts`).

use std::fmt::Write as _;

use super::clean;
use crate::model::{Finding, Location, Severity};
use crate::report::Report;

/// One command for each finding, and a notice for each rule that could not be judged.
pub fn github(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let properties: Vec<String> = properties(finding)
            .into_iter()
            .map(|(name, value)| format!("{name}={}", property(&value)))
            .collect();
        let mut message = clean::line(&finding.title);
        for part in [&finding.explanation, &finding.remedy.text] {
            let part = clean::lines(part).join("\n");
            if !part.is_empty() {
                message = message + "\n" + &part;
            }
        }
        let (level, properties) = (level(finding.severity), properties.join(","));
        let _ = writeln!(text, "::{level} {properties}::{}", data(&message));
    }
    for missing in &report.not_judged {
        let title = property(&format!("{}: not judged", clean::line(&missing.rule)));
        let why = format!("no {}: {}", clean::line(&missing.input), clean::line(&missing.why));
        let _ = writeln!(text, "::notice title={title}::{}", data(&why));
    }
    text
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "notice",
        Severity::Warning => "warning",
        Severity::Error | Severity::Critical => "error",
    }
}

fn properties(finding: &Finding) -> Vec<(&'static str, String)> {
    let mut properties = Vec::new();
    if let Some(evidence) = finding.evidence.first() {
        properties.push(("file", clean::line(&evidence.source)));
        match evidence.location {
            Location::Line { line } => properties.push(("line", line.to_string())),
            Location::Span { line, column, end_line, end_column } => {
                properties.push(("line", line.to_string()));
                properties.push(("endLine", end_line.to_string()));
                // Columns are only understood when the annotation stays on one line; their end is inclusive.
                if line == end_line {
                    properties.push(("col", column.to_string()));
                    let last = end_column.saturating_sub(1).max(column);
                    properties.push(("endColumn", last.to_string()));
                }
            }
            Location::Whole | Location::Json { .. } => {}
        }
    }
    properties.push(("title", clean::line(&finding.rule)));
    properties
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
