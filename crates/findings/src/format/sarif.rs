//! SARIF 2.1.0 (OASIS), as code-scanning services read it.
//!
//! Rules of the catalogue are described once; results refer to them. What does not count is there with its suppression,
//! what was not judged is a notification, so that a clean result with gaps does not look like a clean result.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{clean, pretty};
use crate::baseline::Accepted;
use crate::catalogue::Catalogue;
use crate::model::{Confidence, Evidence, Finding, Location, Rule, Severity};
use crate::report::{Report, Suppression};

/// The schema that describes the document.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The report as a SARIF log with one run.
pub fn sarif(report: &Report, catalogue: &Catalogue) -> String {
    let judged = |rule: &&Rule| {
        let seen = |id: &String| id == rule.id;
        report.judged.iter().any(seen) || report.not_judged.iter().any(|it| it.rule == rule.id)
    };
    let rules: Vec<&Rule> = catalogue.rules().iter().filter(judged).collect();
    let counted = report.findings.iter().map(|finding| result(finding, &rules, Vec::new()));
    let suppressed = report.suppressed.iter().map(|it| {
        let suppression = match &it.why {
            Suppression::Baseline => {
                json!({"kind": "external", "justification": "in the baseline"})
            }
            Suppression::Ignore { reason } => {
                json!({"kind": "external", "justification": clean::line(reason)})
            }
        };
        result(&it.finding, &rules, vec![suppression])
    });
    let results: Vec<Value> = counted.chain(suppressed).collect();
    let notifications: Vec<Value> = report
        .not_judged
        .iter()
        .map(|missing| {
            let text =
                format!("{} was not judged: no {}: {}", missing.rule, missing.input, missing.why);
            json!({
                "associatedRule": { "id": missing.rule },
                "level": "warning",
                "message": { "text": clean::line(&text) },
            })
        })
        .collect();
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "properties": { "about": clean::line(&report.about) },
            "results": results,
        }],
    }))
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.explanation },
        "help": { "text": format!("{}\n\nBasis: {}", rule.explanation, rule.basis) },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": rule.tags, "aliases": rule.aliases },
    })
}

fn result(finding: &Finding, rules: &[&Rule], suppressions: Vec<Value>) -> Value {
    let mut text = clean::line(&finding.title);
    for part in [&finding.explanation, &finding.remedy.text] {
        let part = clean::lines(part).join("\n");
        if !part.is_empty() {
            text = text + "\n\n" + &part;
        }
    }
    let mut result = Map::new();
    result.insert("ruleId".into(), json!(finding.rule));
    if let Some(index) = rules.iter().position(|rule| rule.id == finding.rule) {
        result.insert("ruleIndex".into(), json!(index));
    }
    result.insert("level".into(), json!(level(finding.severity)));
    result.insert("rank".into(), json!(rank(finding.severity, finding.confidence)));
    result.insert("message".into(), json!({ "text": placeholders(&text) }));
    // The first piece of evidence is where the finding is; the others support it.
    let mut locations = finding.evidence.iter().map(location);
    result.insert("locations".into(), locations.next().into_iter().collect());
    result.insert("relatedLocations".into(), locations.collect());
    let fingerprint = clean::line(&Accepted::of(finding).line());
    result.insert("partialFingerprints".into(), json!({ "ruleSubjectsSource/v1": fingerprint }));
    result.insert("suppressions".into(), Value::Array(suppressions));
    result.insert(
        "properties".into(),
        json!({
            "severity": finding.severity.name(),
            "confidence": finding.confidence.name(),
            "subjects": cleaned(&finding.subjects),
            "commands": cleaned(&finding.remedy.commands),
            "tags": finding.tags,
        }),
    );
    Value::Object(result)
}

fn cleaned(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| clean::lines(text).join("\n")).collect()
}

fn location(evidence: &Evidence) -> Value {
    let mut physical = Map::new();
    physical
        .insert("artifactLocation".into(), json!({ "uri": uri(&clean::line(&evidence.source)) }));
    let region = match &evidence.location {
        Location::Whole | Location::Json { .. } => None,
        Location::Line { line } => Some(json!({ "startLine": at_least_one(*line) })),
        Location::Span { line, column, end_line, end_column } => Some(json!({
            "startLine": at_least_one(*line),
            "startColumn": at_least_one(*column),
            "endLine": at_least_one(*end_line),
            "endColumn": at_least_one(*end_column),
        })),
    };
    if let Some(mut region) = region {
        if let Some(excerpt) = &evidence.excerpt {
            region["snippet"] = json!({ "text": clean::line(excerpt) });
        }
        physical.insert("region".into(), region);
    }
    let mut location = Map::new();
    location.insert("physicalLocation".into(), Value::Object(physical));
    if let Location::Json { pointer } = &evidence.location {
        let name = json!([{ "fullyQualifiedName": clean::line(pointer), "kind": "value" }]);
        location.insert("logicalLocations".into(), name);
    }
    if let Some(excerpt) = &evidence.excerpt {
        location.insert("message".into(), json!({ "text": placeholders(&clean::line(excerpt)) }));
    }
    Value::Object(location)
}

/// SARIF counts lines and columns from 1, and the schema says so.
fn at_least_one(number: u64) -> u64 {
    number.max(1)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error | Severity::Critical => "error",
    }
}

/// 0 to 100, so that viewers can tell critical from error, and sure from unsure.
fn rank(severity: Severity, confidence: Confidence) -> u8 {
    let severity = match severity {
        Severity::Info => 5,
        Severity::Warning => 30,
        Severity::Error => 55,
        Severity::Critical => 80,
    };
    severity
        + match confidence {
            Confidence::Low => 0,
            Confidence::Medium => 10,
            Confidence::High => 20,
        }
}

/// In message texts `{0}` is a placeholder, braces are doubled, and `[text](target)` is a link (SARIF 2.1.0, 3.11.5 and
/// 3.11.6); brackets elsewhere are themselves.
fn placeholders(text: &str) -> String {
    let text = text.replace('{', "{{").replace('}', "}}");
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text }
}

/// A path as a URI reference (RFC 3986): everything but unreserved characters and slashes is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
