//! The documents that the tool writes about a run, as bytes. All data in them comes from redacted files or is redacted here.

mod clean;
mod readme;
mod summary;
mod ticket;
mod trace;

use redact::{Format, Redactor};
use serde_json::json;

use crate::manifest::{Manifest, stamp};
use crate::schedule::Ended;
use crate::traffic::Exchange;

pub use clean::json as clean_json;
pub use summary::{missing, place, printable, verdict};

/// What there is to tell.
pub struct Telling<'a> {
    /// The manifest, its own file list still empty.
    pub manifest: &'a Manifest,
    /// The findings.
    pub report: &'a findings::Report,
    /// The redaction report.
    pub redaction: &'a redact::Report,
    /// The collectors' ends.
    pub ended: &'a [Ended],
    /// Requests on the wire.
    pub exchanges: &'a [Exchange],
    /// The tool's own log.
    pub log: &'a [u8],
}

/// Every document with its path, redacted.
pub fn documents(telling: &Telling<'_>, redactor: &Redactor) -> Vec<(String, Vec<u8>)> {
    let manifest = telling.manifest;
    let version = json!({
        "schema": manifest.schema,
        "tool": manifest.tool,
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "debug_build": cfg!(debug_assertions),
    });
    let text = |path: &str, content: &[u8]| {
        let (clean, _) = redactor.redact_or_stub(path, Format::Text, content);
        let swept = redactor.sweep(path, &clean).map_or(clean, |(swept, _)| swept);
        (path.to_owned(), swept)
    };
    let value =
        |path: &str, value: serde_json::Value| (path.to_owned(), clean_json(redactor, value));
    let analysis = serde_json::from_str(&findings::json(telling.report)).unwrap_or_default();
    vec![
        text("README.txt", readme::text(manifest).as_bytes()),
        text("summary.txt", summary::text(telling).as_bytes()),
        text("ticket.md", ticket::text(telling).as_bytes()),
        text("self/tool.log", telling.log),
        ("self/errors.ndjson".to_owned(), errors(telling, redactor)),
        value("version.json", version),
        value("analysis.json", analysis),
        value("self/plan.json", crate::plan::document(manifest, telling.ended)),
        value("trace.json", trace::document(telling)),
        // Made by the redactor itself, of nothing but counts and pseudonyms.
        ("redaction.json".to_owned(), lines(&redaction(telling))),
    ]
}

/// The redactor's report. An archive that holds it has passed: one that does not pass gets no name.
fn redaction(telling: &Telling<'_>) -> serde_json::Value {
    let mut report = json!(telling.redaction);
    report["verification"] =
        json!("passed: read again and scanned by other code before the archive got its name");
    report
}

fn lines(value: &serde_json::Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// One line per collector that did not end well.
fn errors(telling: &Telling<'_>, redactor: &Redactor) -> Vec<u8> {
    let mut text = Vec::new();
    for collector in &telling.manifest.collectors {
        if !collector.status.is_loss() {
            continue;
        }
        let line = json!({
            "collector": collector.id,
            "status": collector.status,
            "reason": collector.reason,
            "at": collector.started_at,
            "request_ids": collector.requests.iter().filter_map(|it| it.request_id.as_deref()).collect::<Vec<_>>(),
            "lost_findings": collector.lost_findings,
        });
        text.extend(clean::line(redactor, line));
    }
    text
}

/// Minutes and seconds for people: `2026-11-25 02:10:00 UTC`.
fn time(at: jiff::Timestamp) -> String {
    stamp::text(at).replace('T', " ").replace(".000Z", "Z").chars().take(19).collect::<String>()
        + " UTC"
}
