//! `summary.txt` and the verdict on the terminal: one screen for a tired person.

use std::fmt::Write as _;

use findings::{Evidence, Finding, Location, Severity};

use super::{Telling, time};
use crate::bundle::is_incomplete;
use crate::collect::Outcome;
use crate::manifest::{BundleStatus, CollectorRecord, Cut, Manifest};

/// Findings that are shown in full.
const SHOWN: usize = 5;

pub(super) fn text(telling: &Telling<'_>) -> String {
    let Telling { manifest, report, redaction, .. } = telling;
    let mut text = String::new();
    line(&mut text, &format!("Debug bundle of {}", manifest.app));
    line(&mut text, &format!("  bundle     {} ({})", manifest.bundle_id, manifest.stem));
    if let Some(org) = &manifest.org {
        line(&mut text, &format!("  org        {org}"));
    }
    line(
        &mut text,
        &format!("  collected  {} to {}", time(manifest.started_at), time(manifest.finished_at)),
    );
    line(
        &mut text,
        &format!("  logs       {} to {}", time(manifest.window.since), time(manifest.window.until)),
    );
    line(&mut text, &format!("  status     {}", status(manifest)));
    line(&mut text, &format!("  token      {}", token(manifest)));
    if let Some(offset) = manifest.clock.offset_ms.filter(|offset| offset.abs() > 5_000) {
        line(
            &mut text,
            &format!(
                "  clock      this machine is off by {} s; times in its own logs mislead",
                offset / 1000
            ),
        );
    }
    line(
        &mut text,
        &format!(
            "  redacted   {} values in {} files",
            redaction.rules.iter().map(|rule| rule.count).sum::<u64>(),
            redaction.files.len()
        ),
    );
    line(&mut text, "");
    line(&mut text, &format!("VERDICT: {}", verdict(report)));
    for (number, finding) in report.findings.iter().take(SHOWN).enumerate() {
        line(&mut text, "");
        text.push_str(&finding_text(number + 1, finding));
    }
    if report.findings.len() > SHOWN {
        line(&mut text, "");
        line(&mut text, &format!("{} more in analysis.json", report.findings.len() - SHOWN));
    }
    let missing = missing(manifest);
    if !missing.is_empty() {
        line(&mut text, "");
        line(&mut text, "MISSING OR CUT");
        for it in missing {
            line(&mut text, &format!("  {it}"));
        }
    }
    if !report.not_judged.is_empty() {
        line(&mut text, "");
        line(&mut text, "COULD NOT BE JUDGED");
        for it in &report.not_judged {
            line(&mut text, &format!("  {} (needs {}): {}", it.rule, it.input, it.why));
        }
    }
    text
}

fn status(manifest: &Manifest) -> String {
    match &manifest.partial_reason {
        Some(reason) => format!("{}: {reason}", manifest.status.word()),
        None if manifest.status == BundleStatus::Degraded => {
            "degraded: some data could not be had, see below".to_owned()
        }
        None => manifest.status.word().to_owned(),
    }
}

fn token(manifest: &Manifest) -> String {
    match manifest.collectors.iter().find(|it| it.id == "token") {
        Some(it) if it.status.is_usable() => {
            "set; kind and scope are in host/token.json".to_owned()
        }
        Some(CollectorRecord { reason: Some(reason), .. }) if reason.code == "no_token" => {
            "not set".to_owned()
        }
        Some(it) => format!(
            "set, {}",
            it.reason.as_ref().map_or(it.status.word(), |reason| &reason.message)
        ),
        None => "unknown".to_owned(),
    }
}

/// The findings in a sentence.
pub fn verdict(report: &findings::Report) -> String {
    let Some(first) = report.findings.first() else {
        return if report.judged.is_empty() {
            "nothing could be judged; see what is missing".to_owned()
        } else if report.not_judged.is_empty() {
            "nothing wrong was found".to_owned()
        } else {
            "nothing wrong was found in what could be judged".to_owned()
        };
    };
    let others = report.findings.len() - 1;
    let more = match others {
        0 => String::new(),
        1 => ", and 1 other finding".to_owned(),
        n => format!(", and {n} other findings"),
    };
    format!("{} ({}): {}{more}", first.severity.name().to_uppercase(), first.rule, first.title)
}

fn finding_text(number: usize, finding: &Finding) -> String {
    let mut text = String::new();
    line(
        &mut text,
        &format!(
            "{number}. {} {}  ({} confidence)",
            finding.severity.name().to_uppercase(),
            finding.rule,
            finding.confidence.name()
        ),
    );
    wrap(&mut text, "   ", &finding.title);
    if let (Some(first), Some(last)) = (finding.first_seen, finding.last_seen) {
        line(&mut text, &format!("   first {}, last {}", time(first), time(last)));
    }
    wrap(&mut text, "   ", &finding.explanation);
    for evidence in finding.evidence.iter().take(3) {
        line(&mut text, &format!("   evidence: {}", place(evidence)));
        if let Some(excerpt) = &evidence.excerpt {
            line(&mut text, &format!("     {}", printable(excerpt)));
        }
    }
    if !finding.remedy.text.is_empty() {
        wrap(&mut text, "   do: ", &finding.remedy.text);
    }
    for command in &finding.remedy.commands {
        line(&mut text, &format!("     $ {command}"));
    }
    text
}

/// File and place in it.
pub fn place(evidence: &Evidence) -> String {
    match &evidence.location {
        Location::Whole => evidence.source.clone(),
        Location::Line { line } | Location::Span { line, .. } => {
            format!("{}:{line}", evidence.source)
        }
        Location::Json { pointer } => format!("{}#{pointer}", evidence.source),
    }
}

/// Collectors that lack their data for the same reason.
struct Lack<'a> {
    status: crate::manifest::Status,
    reason: Option<&'a crate::manifest::Reason>,
    ids: Vec<&'a str>,
    lost: std::collections::BTreeSet<&'a str>,
}

impl Lack<'_> {
    fn sentence(&self) -> String {
        let why = self.reason.map(|reason| {
            let hint = reason.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!(": {}{hint}", reason.message)
        });
        let lost: Vec<&str> = self.lost.iter().copied().collect();
        let lost = if lost.is_empty() {
            String::new()
        } else {
            format!("; not judged without it: {}", lost.join(", "))
        };
        format!("{} {}{}{lost}", self.ids.join(", "), self.status.word(), why.unwrap_or_default())
    }
}

/// One sentence per reason why data is missing, with the collectors that it hit, and one for files that were cut. Where
/// only the failing call differs, the first one's stands for all; the manifest has each.
pub fn missing(manifest: &Manifest) -> Vec<String> {
    let mut lacks: Vec<Lack<'_>> = Vec::new();
    for collector in &manifest.collectors {
        let outcome = Outcome { status: collector.status, reason: collector.reason.clone() };
        let chosen = collector
            .reason
            .as_ref()
            .is_some_and(|it| matches!(it.code.as_str(), "option" | "loopback_only" | "no_dates"));
        if collector.status == crate::manifest::Status::Ok || (chosen && !is_incomplete(&outcome)) {
            continue;
        }
        let reason = collector.reason.as_ref();
        let kind = |it: Option<&crate::manifest::Reason>| {
            it.map(|reason| (reason.code.clone(), reason.hint.clone()))
        };
        let lost = collector.lost_findings.iter().map(String::as_str);
        // Without advice in common, two failures are two things to look at.
        let same = lacks.iter_mut().find(|it| {
            it.status == collector.status
                && kind(it.reason) == kind(reason)
                && reason.is_some_and(|reason| reason.hint.is_some())
        });
        if let Some(lack) = same {
            lack.ids.push(&collector.id);
            lack.lost.extend(lost);
        } else {
            let (status, ids) = (collector.status, vec![collector.id.as_str()]);
            lacks.push(Lack { status, reason, ids, lost: lost.collect() });
        }
    }
    let mut missing: Vec<String> = lacks.iter().map(Lack::sentence).collect();
    let dropped = manifest
        .collectors
        .iter()
        .flat_map(|it| &it.files)
        .filter(|file| file.truncation.kind == Cut::Dropped)
        .count();
    if dropped > 0 {
        missing.push(format!("{dropped} files were left out to keep the archive below --max-size"));
    }
    missing
}

fn line(text: &mut String, content: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}", content.trim_end());
}

/// Wraps at 100 columns; continuation lines are indented like the text after the prefix.
fn wrap(text: &mut String, prefix: &str, content: &str) {
    let indent = " ".repeat(prefix.chars().count());
    let mut current = prefix.to_owned();
    let mut length = prefix.chars().count();
    let mut fresh = true;
    for word in printable(content).split_whitespace() {
        let width = word.chars().count();
        if !fresh && length + 1 + width > 100 {
            line(text, &current);
            current.clone_from(&indent);
            length = indent.len();
            fresh = true;
        }
        if !fresh {
            current.push(' ');
            length += 1;
        }
        current.push_str(word);
        length += width;
        fresh = false;
    }
    line(text, &current);
}

/// Without control characters: a log line may hold what a terminal would act on.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether something at least this bad was found.
pub(super) fn has(report: &findings::Report, severity: Severity) -> bool {
    report.findings.iter().any(|finding| finding.severity >= severity)
}
