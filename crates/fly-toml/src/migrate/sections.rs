//! Sections under an old name or with single brackets.

use super::{Change, Open, Step, entries, rewrite};
use crate::diag::Edit;
use crate::document::Document;
use crate::syntax::{Entry, Kind, Origin, Value};

const RENAMED: &[(&str, &str)] =
    &[("mount", "mounts"), ("compute", "vm"), ("computes", "vm"), ("metric", "metrics")];

/// `[mount]` becomes `[[mounts]]`, and likewise the other old names.
pub(super) fn rename(document: &Document, open: &mut Vec<Open>) -> Option<Step> {
    for (old, new) in RENAMED {
        let Some(entry) = document.root().get(old) else { continue };
        let edits = headers(entry, new);
        if document.root().get(new).is_some() || edits.is_empty() {
            open.push(Open {
                path: (*old).to_owned(),
                question: "The section stands under its old name beside the current one, or in one line. Write its entries under the current name, these first.",
            });
            continue;
        }
        let change = Change::new(
            *old,
            format!("`{old}` is written [[{new}]]"),
            "The current name; flyctl reads both.",
        );
        if let Some(step) = rewrite(document, &edits, change) {
            return Some(step);
        }
    }
    None
}

/// New headers for a section that is a table or a list of tables with headers and has no sections below it.
fn headers(entry: &Entry, name: &str) -> Vec<Edit> {
    let tables: Vec<&Value> = match &entry.value.kind {
        Kind::Array(items) => items.iter().collect(),
        Kind::Table(_) => vec![&entry.value],
        _ => return Vec::new(),
    };
    // A section below it would still stand under the old name.
    let below =
        |entry: &Entry| entry.value.as_table().is_some_and(|table| table.origin == Origin::Header);
    let plain = |value: &&Value| {
        value.as_table().is_some_and(|table| {
            table.origin == Origin::Header && !table.entries().iter().any(below)
        })
    };
    if !tables.iter().all(plain) {
        return Vec::new();
    }
    tables.iter().map(|value| Edit::replace(value.span, format!("[[{name}]]"))).collect()
}

/// Single brackets where there may be several become double ones.
pub(super) fn list(document: &Document, open: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    let mut found: Vec<(String, &Value)> = Vec::new();
    for name in ["services", "vm", "mounts", "metrics"] {
        found.extend(root.value(name).map(|value| (name.to_owned(), value)));
    }
    for (at, table) in entries(root, "", "services") {
        for name in ["ports", "tcp_checks", "http_checks"] {
            found.extend(table.value(name).map(|value| (format!("{at}.{name}"), value)));
        }
    }
    found.into_iter().find_map(|(at, value)| {
        let table = value.as_table()?;
        let written = value.span.of(document.text());
        if !matches!(table.origin, Origin::Header | Origin::Inline) || written.is_empty() {
            open.push(Open {
                path: at,
                question: "The entry is written with dotted keys. flyctl reads it as a list of one; write it under its own header in double brackets.",
            });
            return None;
        }
        let edits = [Edit::insert(value.span.start, "["), Edit::insert(value.span.end, "]")];
        let change = Change::new(
            at.as_str(),
            format!("{written} is written [{written}]"),
            "It is a list, of which the file had one entry.",
        );
        rewrite(document, &edits, change)
    })
}
