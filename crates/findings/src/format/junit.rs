//! JUnit XML: one suite; findings are failures, judged rules without a finding pass, rules that were not judged are skipped.
//!
//! The shape is what Jenkins, GitLab and others agree on (the Ant reporter's, with `skipped`).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::clean;
use crate::model::{Evidence, Finding, Location, Severity};
use crate::report::Report;

/// The report with findings of at least `threshold` as failures; milder ones pass and stand in `system-out`.
pub fn junit(report: &Report, threshold: Severity) -> String {
    let found: BTreeSet<&str> =
        report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    let clear: Vec<&String> =
        report.judged.iter().filter(|rule| !found.contains(rule.as_str())).collect();
    let failures = report.findings.iter().filter(|finding| finding.severity >= threshold).count();
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{}\"",
        report.findings.len() + clear.len() + report.not_judged.len(),
        report.not_judged.len()
    );
    let (tool, about) = (escaped(&report.tool.name), escaped(&report.about));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{tool}\" {counts}>\n\
         <testsuite name=\"{about}\" {counts}>\n"
    );
    for finding in &report.findings {
        case(&mut xml, finding, threshold);
    }
    for rule in clear {
        let rule = escaped(rule);
        let _ = writeln!(xml, "<testcase classname=\"{rule}\" name=\"{rule}\"/>");
    }
    for missing in &report.not_judged {
        let rule = escaped(&missing.rule);
        let why = escaped(&format!("no {}: {}", missing.input, missing.why));
        let _ = writeln!(
            xml,
            "<testcase classname=\"{rule}\" name=\"{rule}\"><skipped message=\"{why}\"/></testcase>"
        );
    }
    xml.push_str("</testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, finding: &Finding, threshold: Severity) {
    let (rule, title) = (escaped(&finding.rule), escaped(&finding.title));
    let mut body = clean::lines(&finding.explanation);
    body.extend(finding.evidence.iter().map(place));
    body.extend(clean::lines(&finding.remedy.text));
    body.extend(finding.remedy.commands.iter().flat_map(|command| clean::lines(command)));
    let body: Vec<String> = body.iter().map(|line| escaped(line)).collect();
    let body = body.join("\n");
    let (open, close) = if finding.severity >= threshold {
        let kind = finding.severity.name();
        (format!("<failure type=\"{kind}\" message=\"{title}\">"), "</failure>")
    } else {
        ("<system-out>".to_owned(), "</system-out>")
    };
    let _ = writeln!(
        xml,
        "<testcase classname=\"{rule}\" name=\"{title}\">{open}{body}{close}</testcase>"
    );
}

fn place(evidence: &Evidence) -> String {
    let place = match &evidence.location {
        Location::Whole => String::new(),
        Location::Line { line } => format!(":{line}"),
        Location::Json { pointer } => format!("#{pointer}"),
        Location::Span { line, column, .. } => format!(":{line}:{column}"),
    };
    let excerpt = evidence.excerpt.as_deref().unwrap_or_default();
    clean::line(&format!("{}{place} {excerpt}", evidence.source))
}

/// For attributes and text. Control characters, which XML 1.0 forbids even as references, are already gone.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean::line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c => escaped.push(c),
        }
    }
    escaped
}
