//! A table for people. It knows no terminal: the caller gives the width and paints, if it likes.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table};

use super::clean;
use crate::model::{NotJudged, Severity};
use crate::report::{Report, Suppression};

/// Puts a severity's word into colour; gets the severity and the word, and returns the word with whatever it wants around it.
pub type Paint<'a> = &'a dyn Fn(Severity, &str) -> String;

/// Findings, one a row and worst first, then what could not be judged, then a line of counts. Without a width, long titles
/// make long lines.
pub fn table(report: &Report, width: Option<u16>, paint: Option<Paint<'_>>) -> String {
    let mut text = String::new();
    if !report.findings.is_empty() {
        let mut table = plain(width);
        table.set_header(["SEVERITY", "RULE", "WHAT", "WHERE"]);
        for finding in &report.findings {
            let subjects = finding.subjects.iter().map(|subject| clean::line(subject));
            table.add_row([
                finding.severity.name().to_owned(),
                clean::line(&finding.rule),
                clean::line(&finding.title),
                subjects.collect::<Vec<_>>().join(", "),
            ]);
        }
        // Colours go on after the layout, so that they cannot disturb it: only the first cell of a row starts with a
        // severity, because the others' continuation lines start with blanks.
        for line in laid_out(table) {
            text.push_str(&painted(&line, paint));
            text.push('\n');
        }
        text.push('\n');
    }
    if !report.not_judged.is_empty() {
        text.push_str("Not judged, so neither fine nor broken:\n");
        let mut table = plain(width);
        for NotJudged { rule, input, why } in &report.not_judged {
            table.add_row([
                format!("  {}", clean::line(rule)),
                format!("no {}: {}", clean::line(input), clean::line(why)),
            ]);
        }
        for line in laid_out(table) {
            text.push_str(&line);
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str(&counts(report));
    text.push('\n');
    text
}

fn plain(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    table
}

fn laid_out(mut table: Table) -> Vec<String> {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn painted(line: &str, paint: Option<Paint<'_>>) -> String {
    let Some(paint) = paint else { return line.to_owned() };
    for severity in Severity::ALL {
        let word = severity.name();
        if let Some(rest) = line.trim_start().strip_prefix(word)
            && rest.starts_with(' ')
        {
            let indent = &line[..line.len() - word.len() - rest.len()];
            return format!("{indent}{}{rest}", paint(severity, word));
        }
    }
    line.to_owned()
}

/// What was found, in one line.
pub(super) fn counts(report: &Report) -> String {
    let about = clean::line(&report.about);
    let mut found: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .filter_map(|severity| match report.count(severity) {
            0 => None,
            count => Some(format!("{count} {}", severity.name())),
        })
        .collect();
    if found.is_empty() {
        found.push("nothing found".to_owned());
    }
    let mut line = format!("{about}: {}; {} rules judged", found.join(", "), report.judged.len());
    let missing: std::collections::BTreeSet<&str> =
        report.not_judged.iter().map(|missing| missing.rule.as_str()).collect();
    let by_baseline = report.suppressed.iter().filter(|it| it.why == Suppression::Baseline).count();
    for (count, what) in [
        (missing.len(), "not judged"),
        (by_baseline, "in the baseline"),
        (report.suppressed.len() - by_baseline, "ignored"),
    ] {
        if count > 0 {
            let _ = write!(line, ", {count} {what}");
        }
    }
    line
}
