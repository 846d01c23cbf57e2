//! Old spellings rewritten in the tree, before anything is typed, in flyctl's order. Each rewriting leaves a note.
//!
//! Only exact lower-case names are seen, as in flyctl; that is why `[[VM]]` is lost (the empty `vm` made here wins).
//! Source: superfly/flyctl internal/appconfig/patches.go of 2026-08-21, behaviour observed by running it.

mod finite;
mod json_schema;
mod sections;
mod services;

pub(super) use finite::finite;
pub(super) use json_schema::extend_schema;

use super::Config;
use super::codes;
use super::cx::{Cx, folds_to};
use super::go;
use super::read::Section as _;
use crate::diag::{Applicability, Diagnostic, Edit};
use crate::span::Span;
use crate::syntax::{BareUnit, Entry, Kind, Origin, Table, Value};

/// Rewrites a whole file. What cannot be rewritten is reported and left out.
pub fn patch(root: &Table, cx: &mut Cx<'_>) -> Table {
    let mut root = known(root);
    env(&mut root, cx);
    services::services(&mut root, cx);
    sections::processes(&mut root, cx);
    sections::experimental(&mut root, cx);
    sections::checks(&mut root, cx);
    sections::gather(&mut root, cx, &["compute", "computes", "vm"], Some("memory"));
    sections::gather(&mut root, cx, &["mount", "mounts"], Some("initial_size"));
    sections::gather(&mut root, cx, &["metric", "metrics"], None);
    if let Some(value) = root.value_mut("kill_timeout") {
        cx.within("kill_timeout", |cx| duration(value, BareUnit::Seconds, cx));
    }
    sections::build(&mut root, cx);
    root
}

fn note(cx: &mut Cx<'_>, span: Span, message: String, label: &str) {
    cx.diagnostics.push(Diagnostic::new(&codes::LEGACY, message).at(span, label));
}

fn note_with_fix(cx: &mut Cx<'_>, span: Span, message: String, title: &str, edits: Vec<Edit>) {
    cx.diagnostics.push(Diagnostic::new(&codes::LEGACY, message).at(span, "").fix(
        title,
        edits,
        Applicability::MachineApplicable,
    ));
}

fn dropped(cx: &mut Cx<'_>, span: Span, message: String, label: &str) {
    cx.diagnostics.push(Diagnostic::new(&codes::DROPPED, message).at(span, label));
}

/// The tables of a value that is a table or a list of tables; reports anything else at the current path.
fn tables(value: Value, cx: &mut Cx<'_>) -> Option<Vec<Value>> {
    match value.kind {
        Kind::Table(ref table) => {
            let name = cx.name("");
            let message = format!("`{name}` is a list: write [[{name}]]");
            if table.origin == Origin::Header && value.span.start < value.span.end {
                let edits =
                    vec![Edit::insert(value.span.start, "["), Edit::insert(value.span.end, "]")];
                note_with_fix(cx, value.span, message, "double the brackets", edits);
            } else {
                note(cx, value.span, message, "read as a list of one");
            }
            Some(vec![value])
        }
        Kind::Array(items) => {
            let mut good = true;
            for (at, item) in items.iter().enumerate() {
                if item.as_table().is_none() {
                    good = false;
                    cx.within(format!("[{at}]"), |cx| cx.wrong_kind(item, "a table"));
                }
            }
            good.then_some(items)
        }
        _ => {
            cx.wrong_kind(&value, "an array of tables");
            None
        }
    }
}

/// Replaces a value by its text form, as flyctl does for sizes.
fn stringify(value: &mut Value) {
    if !matches!(value.kind, Kind::String(_)) {
        value.kind = Kind::String(go::display(value));
    }
}

/// Turns a number into a duration of its unit. An empty text means unset, as does anything that is neither.
fn duration(value: &mut Value, unit: BareUnit, cx: &mut Cx<'_>) {
    match &value.kind {
        Kind::String(text) if text.is_empty() => value.kind = Kind::Null,
        Kind::String(_) | Kind::Duration(..) | Kind::Null => {}
        Kind::Integer(number) => {
            value.kind = Kind::Duration(number.wrapping_mul(unit.nanos()), unit);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "flyctl truncates before it multiplies"
        )]
        Kind::Float(number) => {
            value.kind = Kind::Duration((*number as i64).wrapping_mul(unit.nanos()), unit);
        }
        other => {
            let message = format!("`{}` is {}, which flyctl drops", cx.name(""), other.describe());
            dropped(cx, value.span, message, "write a duration such as \"5s\"");
            value.kind = Kind::Null;
        }
    }
}

/// Turns a quoted number into a number; reports what is none.
fn to_integer(value: &mut Value, cx: &mut Cx<'_>) -> bool {
    match &value.kind {
        Kind::Integer(_) => true,
        #[expect(clippy::cast_possible_truncation, reason = "flyctl truncates")]
        Kind::Float(number) => {
            value.kind = Kind::Integer(*number as i64);
            true
        }
        Kind::String(text) => {
            let Ok(number) = text.parse::<i64>() else {
                let message = format!("`{}` must be a port number", cx.name(""));
                cx.wrong_value(value, message, "this text is no number");
                return false;
            };
            let message = format!("`{}` is a number in quotes", cx.name(""));
            let edits = vec![Edit::replace(value.span, number.to_string())];
            note_with_fix(cx, value.span, message, "remove the quotes", edits);
            value.kind = Kind::Integer(number);
            true
        }
        _ => {
            cx.wrong_kind(value, "an integer");
            false
        }
    }
}

fn env(root: &mut Table, cx: &mut Cx<'_>) {
    let Some(entry) = root.remove("env") else { return };
    let span = entry.value.span;
    if let Kind::Array(_) = entry.value.kind {
        note(cx, entry.span, "`env` is a table: write [env]".to_owned(), "the tables are merged");
    }
    let mut merged = Table::new(Origin::Header);
    cx.within("env", |cx| merge_env(entry.value, &mut merged, cx));
    let value = Value { kind: Kind::Table(merged), span };
    root.insert(Entry { key: entry.key, value, span: entry.span });
}

fn merge_env(value: Value, merged: &mut Table, cx: &mut Cx<'_>) {
    match value.kind {
        Kind::Array(items) => items.into_iter().for_each(|item| merge_env(item, merged, cx)),
        Kind::Table(table) => {
            for mut entry in table.into_entries() {
                variable(&entry, cx);
                stringify(&mut entry.value);
                merged.insert(entry);
            }
        }
        _ => cx.wrong_kind(&value, "a table"),
    }
}

/// Notes a variable whose text will surprise.
fn variable(entry: &Entry, cx: &mut Cx<'_>) {
    let label = match &entry.value.kind {
        Kind::Float(_) | Kind::Datetime(_) => {
            format!("the app gets `{}`", go::display(&entry.value))
        }
        // What is in it may be a secret.
        Kind::Array(_) | Kind::Table(_) => "the app gets it in brackets, without commas".to_owned(),
        _ => return,
    };
    let name = cx.name(&entry.key.name);
    let message = format!("`{name}` is {}", entry.value.kind.describe());
    cx.diagnostics.push(Diagnostic::new(&codes::ENV_TEXT, message).at(entry.value.span, label));
}

/// Old names of sections, which the model does not have.
const OLD_NAMES: &[&str] = &["compute", "computes", "mount", "metric"];

/// A copy of what the model or a patch reads; the rest of the file is not copied.
fn known(root: &Table) -> Table {
    let mut copy = Table::new(Origin::Root);
    for entry in root.entries().iter().filter(|entry| is_known(&entry.key.name)) {
        copy.insert(entry.clone());
    }
    copy
}

/// Whether a top-level name is read, in whichever capitals or under its old name.
pub(in crate::schema) fn is_known(name: &str) -> bool {
    Config::KEYS.iter().any(|key| folds_to(name, key.name)) || OLD_NAMES.contains(&name)
}
