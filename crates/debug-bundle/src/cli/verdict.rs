//! What a person sees at the end, and the exit code.

use anstyle::{AnsiColor, Style};
use findings::Severity;
use ops_cli::{CliError, Exit, Ui};
use serde_json::json;

use crate::bundle::{Made, is_incomplete};
use crate::collect::Outcome;
use crate::manifest::{Manifest, Status};
use crate::report;

/// Findings on the screen; the rest is in the summary.
const SHOWN: usize = 3;

/// Prints verdict, top findings, what is missing, and where the archive is.
pub(super) fn show(made: &Made, ui: &Ui, to_stdout: bool) -> Result<(), CliError> {
    let path = made.path.as_ref().map(|path| path.display().to_string());
    if ui.is_json() && !to_stdout {
        return ui.json(&json!({
            "archive": path,
            "bytes": made.bytes,
            "sha256": made.sha256,
            "status": made.manifest.status,
            "partial_reason": made.manifest.partial_reason,
            "verdict": report::verdict(&made.report),
            "findings": made.report.findings,
            "not_judged": made.report.not_judged,
            "missing": report::missing(&made.manifest),
        }));
    }
    let text = text(made, ui);
    if to_stdout {
        // Standard output carries the archive.
        ui.note(&text);
        return Ok(());
    }
    if ui.is_quiet() {
        return ui.out(path.as_deref().unwrap_or_default());
    }
    ui.out(&text)
}

fn text(made: &Made, ui: &Ui) -> String {
    let mut lines = Vec::new();
    let findings = &made.report.findings;
    if findings.is_empty() {
        lines.push(paint(ui, Severity::Info, &report::verdict(&made.report)));
    }
    for finding in findings.iter().take(SHOWN) {
        let label = format!("{} {}", finding.severity.name().to_uppercase(), finding.rule);
        lines.push(format!("{}  {}", paint(ui, finding.severity, &label), finding.title));
        if let (Some(first), Some(last)) = (finding.first_seen, finding.last_seen) {
            lines.push(format!("  seen   {} to {} UTC", clock(first), clock(last)));
        }
        if let Some(evidence) = finding.evidence.first() {
            let excerpt = evidence.excerpt.as_deref().map(report::printable).unwrap_or_default();
            lines.push(format!("  proof  {}: {excerpt}", report::place(evidence)));
        }
        for (index, command) in finding.remedy.commands.iter().take(2).enumerate() {
            lines.push(format!("  {}{command}", if index == 0 { "fix    " } else { "or     " }));
        }
        lines.push(String::new());
    }
    if findings.len() > SHOWN {
        lines.push(format!("{} more findings in summary.txt", findings.len() - SHOWN));
    }
    let missing = report::missing(&made.manifest);
    if !missing.is_empty() {
        if lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(String::new());
        }
        lines.push("Missing:".to_owned());
        lines.extend(missing.iter().map(|it| format!("  {it}")));
        lines.push(String::new());
    }
    if !made.report.not_judged.is_empty() {
        let mut rules: Vec<&str> =
            made.report.not_judged.iter().map(|it| it.rule.as_str()).collect();
        rules.dedup();
        lines.push(format!("Not judged, for lack of data: {}", rules.join(", ")));
    }
    let manifest = &made.manifest;
    if let Some(reason) = &manifest.partial_reason {
        lines.push(format!(
            "Partial: {reason}. The archive is complete in itself and says what is missing."
        ));
    }
    let place =
        made.path.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string());
    lines.push(format!("{}  {place}", bold(ui, "Bundle")));
    lines.push(format!(
        "        {}, {}, redacted and verified",
        size(made.bytes),
        manifest.status.word()
    ));
    lines.join("\n")
}

/// The exit code: signal, nothing collected, findings, incomplete, ok.
pub(super) fn exit(made: &Made, fail_on: Option<Severity>) -> Exit {
    if let Some(signal) = made.signal {
        return signal.exit();
    }
    if nothing(&made.manifest) {
        return Exit::NothingDone;
    }
    if fail_on.is_some_and(|threshold| made.report.reaches(threshold)) {
        return Exit::Findings;
    }
    let lost = made
        .manifest
        .collectors
        .iter()
        .any(|it| is_incomplete(&Outcome { status: it.status, reason: it.reason.clone() }));
    if lost { Exit::Incomplete } else { Exit::Ok }
}

/// Whether no collector brought anything.
fn nothing(manifest: &Manifest) -> bool {
    !manifest.collectors.iter().any(|it| matches!(it.status, Status::Ok | Status::OkTruncated))
}

fn paint(ui: &Ui, severity: Severity, text: &str) -> String {
    let color = match severity {
        Severity::Critical | Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Info => AnsiColor::Green,
    };
    ui.paint(Style::new().bold().fg_color(Some(color.into())), text)
}

fn bold(ui: &Ui, text: &str) -> String {
    ui.paint(Style::new().bold(), text)
}

fn clock(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A size for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
