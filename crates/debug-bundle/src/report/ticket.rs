//! `ticket.md`: what Fly.io's support asks for, filled in as far as the tool knows, with marked gaps for the rest.

use std::fmt::Write as _;

use findings::Severity;

use super::summary::{has, missing, place, printable};
use super::{Telling, time};

/// Longest text; support forms cut longer ones.
const MOST: usize = 10_000;

/// Failing calls that are listed.
const CALLS: usize = 20;

pub(super) fn text(telling: &Telling<'_>) -> String {
    let Telling { manifest, report, .. } = telling;
    let mut text = String::new();
    let mut add = |line: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    let urgent = if has(report, Severity::Critical) { " (users are affected)" } else { "" };
    add(&format!("# {}: [ONE SENTENCE: WHAT IS WRONG]{urgent}", manifest.app));
    add("");
    add("## What happens");
    add("");
    add("- Expected: [WHAT SHOULD HAPPEN]");
    add("- Seen: [WHAT HAPPENS INSTEAD, AND SINCE WHEN (UTC)]");
    add("- Tried so far: [WHAT YOU TRIED, AND WHAT IT CHANGED]");
    add("");
    add("## Where");
    add("");
    add(&format!(
        "- App: `{}`{}",
        manifest.app,
        manifest.org.as_ref().map(|org| format!(", organization `{org}`")).unwrap_or_default()
    ));
    let mut machines: Vec<&str> =
        report.findings.iter().flat_map(|it| &it.subjects).map(String::as_str).collect();
    machines.sort_unstable();
    machines.dedup();
    if !machines.is_empty() {
        let list: Vec<String> = machines.iter().take(20).map(|id| format!("`{id}`")).collect();
        add(&format!("- Machines and things concerned: {}", list.join(", ")));
    }
    add(&format!(
        "- Bundle `{}`, {}, collected {} to {}",
        manifest.bundle_id,
        manifest.status.word(),
        time(manifest.started_at),
        time(manifest.finished_at)
    ));
    add("");
    add("## What the data shows");
    add("");
    if report.findings.is_empty() {
        add("Nothing that this tool recognises.");
    }
    for finding in report.findings.iter().take(8) {
        add(&format!(
            "- **{}** ({}, {} confidence): {}",
            finding.rule,
            finding.severity.name(),
            finding.confidence.name(),
            quote(&finding.title)
        ));
        if let (Some(first), Some(last)) = (finding.first_seen, finding.last_seen) {
            add(&format!("  - first {}, last {}", time(first), time(last)));
        }
        for evidence in finding.evidence.iter().take(2) {
            let excerpt = evidence.excerpt.as_deref().unwrap_or_default();
            add(&format!("  - `{}`: {}", place(evidence), code(excerpt)));
        }
    }
    let failed = manifest
        .collectors
        .iter()
        .flat_map(|it| &it.requests)
        .filter(|it| it.error.is_some())
        .take(CALLS);
    let failed: Vec<String> = failed
        .map(|call| {
            format!(
                "- {} `{} {}`: {} (request id {}, trace id {})",
                time(call.started_at),
                call.method,
                call.url,
                call.error.as_deref().unwrap_or_default(),
                call.request_id.as_deref().map_or("none".to_owned(), |id| format!("`{id}`")),
                call.trace_id.as_deref().map_or("none".to_owned(), |id| format!("`{id}`")),
            )
        })
        .collect();
    if !failed.is_empty() {
        add("");
        add("## Calls that failed");
        add("");
        for line in &failed {
            add(line);
        }
    }
    let missing = missing(manifest);
    if !missing.is_empty() {
        add("");
        add("## Not collected");
        add("");
        for line in &missing {
            add(&format!("- {}", quote(line)));
        }
    }
    cut(text)
}

/// Text in a line of Markdown: nothing in it can start a heading, link or tag.
fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for c in printable(text).chars() {
        if "\\`*_[]<>#|".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// Text as code.
fn code(text: &str) -> String {
    format!("`{}`", printable(text).replace('`', "'"))
}

/// At most [`MOST`] bytes, cut at a line.
fn cut(mut text: String) -> String {
    const END: &str = "\n(cut; the rest is in summary.txt and analysis.json)\n";
    if text.len() < MOST {
        return text;
    }
    let mut end = MOST - END.len() - 1;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').unwrap_or(end);
    text.truncate(end);
    text.push_str(END);
    text
}
