//! Markdown for tickets and pull requests (CommonMark with GitHub's tables).

use std::fmt::Write as _;

use super::{clean, table};
use crate::model::{Evidence, Finding, Location};
use crate::report::Report;

/// A table of the findings, then each with its reasons, evidence and remedy.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("{}\n", prose(&table::counts(report)));
    if !report.findings.is_empty() {
        text.push_str("\n| Severity | Rule | What |\n| --- | --- | --- |\n");
        for finding in &report.findings {
            let (rule, title) = (code(&finding.rule), prose(&finding.title));
            // A `|` ends a cell even inside a code span.
            let rule = rule.replace('|', "\\|");
            let _ = writeln!(text, "| {} | {rule} | {title} |", finding.severity.name());
        }
    }
    for finding in &report.findings {
        detail(&mut text, finding);
    }
    if !report.not_judged.is_empty() {
        text.push_str("\n### Not judged\n\n");
        for missing in &report.not_judged {
            let (rule, input, why) =
                (code(&missing.rule), prose(&missing.input), prose(&missing.why));
            let _ = writeln!(text, "- {rule}: no {input}: {why}");
        }
    }
    text
}

fn detail(text: &mut String, finding: &Finding) {
    let _ = write!(text, "\n### {}\n\n", prose(&finding.title));
    let _ = write!(
        text,
        "{}, {} confidence, {}\n\n{}\n",
        finding.severity.name(),
        finding.confidence.name(),
        code(&finding.rule),
        prose(&finding.explanation)
    );
    if !finding.evidence.is_empty() {
        text.push_str("\nEvidence:\n\n");
        for evidence in &finding.evidence {
            let _ = write!(text, "- {}", place(evidence));
            if let Some(at) = evidence.at {
                let _ = write!(text, ", {at}");
            }
            if let Some(excerpt) = &evidence.excerpt {
                let _ = write!(text, ": {}", code(excerpt));
            }
            text.push('\n');
        }
    }
    if !finding.remedy.text.is_empty() {
        let _ = write!(text, "\nWhat to do: {}\n", prose(&finding.remedy.text));
    }
    if !finding.remedy.commands.is_empty() {
        let lines = finding.remedy.commands.iter().flat_map(|command| clean::lines(command));
        // A shell does not mind a blank in front; a CI system would take the bare line for an order to itself.
        let orders = |line: &String| line.starts_with("::") || line.starts_with("##");
        let lines: Vec<String> =
            lines.map(|line| if orders(&line) { format!(" {line}") } else { line }).collect();
        let fence = fence(&lines.join("\n"), 3);
        let _ = write!(text, "\n{fence}sh\n{}\n{fence}\n", lines.join("\n"));
    }
    if let Some(url) = &finding.remedy.url {
        let _ = write!(text, "\nMore: {}\n", code(url));
    }
}

fn place(evidence: &Evidence) -> String {
    let source = code(&evidence.source);
    match &evidence.location {
        Location::Whole => source,
        Location::Line { line } => format!("{source} line {line}"),
        Location::Json { pointer } => format!("{source} at {}", code(pointer)),
        Location::Span { line, column, .. } => format!("{source} line {line} column {column}"),
    }
}

/// One line in which no character means anything to Markdown or HTML: CommonMark takes a backslash before any ASCII
/// punctuation.
fn prose(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean::line(text).chars() {
        // Letters, digits and what cannot start anything within a line stay readable.
        if c.is_ascii_punctuation()
            && !matches!(c, ',' | ';' | ':' | '.' | '\'' | '"' | '/' | '%' | '?' | '-')
        {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    match escaped.chars().next() {
        // A list marker or a rule at the beginning of a line.
        Some('-') => format!("\\{escaped}"),
        Some(first) if first.is_ascii_digit() => numbered(&escaped),
        _ => escaped,
    }
}

/// `12. text` at the beginning of a line would be a list.
fn numbered(text: &str) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if rest.starts_with('.') { format!("{digits}\\{rest}") } else { text.to_owned() }
}

/// A code span that the text cannot end.
fn code(text: &str) -> String {
    let text = clean::line(text);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = fence(&text, 1);
    // A space is stripped from each side of a span that has one on both.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// More backticks than the text has in a row.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}
