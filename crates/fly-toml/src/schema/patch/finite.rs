//! Numbers that JSON does not have: flyctl passes the file through it, so they lose the whole file.

use crate::diag::Diagnostic;
use crate::schema::codes;
use crate::schema::cx::Cx;
use crate::span::Span;
use crate::syntax::{Kind, Table, Value};

/// Keys whose numbers a patch turns into texts, durations or integers, by the section.
fn turned(section: &str) -> &'static [&'static str] {
    match section {
        "vm" | "compute" | "computes" => &["memory"],
        "mount" | "mounts" => &["initial_size"],
        "services" | "checks" => {
            &["interval", "timeout", "grace_period", "headers", "port", "internal_port"]
        }
        "experimental" => &["kill_timeout"],
        _ => &[],
    }
}

/// Reports numbers that JSON does not have, in what a patch leaves as it is.
pub(in crate::schema) fn finite(root: &Table, cx: &mut Cx<'_>) {
    for entry in root.entries() {
        let name = entry.key.name.as_str();
        // A list of processes becomes texts as a whole; what is in it besides is dropped.
        let list = name == "processes" && matches!(entry.value.kind, Kind::Array(_));
        if list || name == "env" || name == "kill_timeout" {
            continue;
        }
        if let Some(span) = infinite(&entry.value, turned(name)) {
            let message = format!("`{}` holds a number that is not finite", cx.name(name));
            cx.diagnostics.push(Diagnostic::new(&codes::NOT_FINITE, message).at(span, ""));
        }
    }
}

/// The first number that is not finite outside of the named keys.
fn infinite(value: &Value, turned: &[&str]) -> Option<Span> {
    match &value.kind {
        Kind::Float(number) if !number.is_finite() => Some(value.span),
        Kind::Array(items) => items.iter().find_map(|item| infinite(item, turned)),
        Kind::Table(table) => {
            let entries = table.entries().iter();
            entries
                .filter(|entry| !turned.contains(&entry.key.name.as_str()))
                .find_map(|entry| infinite(&entry.value, turned))
        }
        _ => None,
    }
}
