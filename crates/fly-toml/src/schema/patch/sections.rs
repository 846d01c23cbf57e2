//! `[processes]`, `[experimental]`, `[checks]`, `[build]` and the sections that have changed their name.

use super::services::check;
use super::{dropped, note, note_with_fix, stringify, tables};
use crate::diag::{Diagnostic, Edit};
use crate::schema::codes;
use crate::schema::cx::Cx;
use crate::schema::go;
use crate::span::Span;
use crate::syntax::{Entry, Key, Kind, Origin, Table, Value};

pub(super) fn processes(root: &mut Table, cx: &mut Cx<'_>) {
    let Some(entry) = root.get("processes") else { return };
    let (span, whole) = (entry.value.span, entry.span);
    let Kind::Array(items) = &entry.value.kind else {
        if entry.value.as_table().is_none() {
            let value = entry.value.clone();
            cx.within("processes", |cx| cx.wrong_kind(&value, "a table"));
            root.remove("processes");
        }
        return;
    };
    let items = items.clone();
    if items.is_empty() {
        let message = "`processes` is an empty list, as Apps v1 wrote it".to_owned();
        let line = cx.whole_lines(whole);
        note_with_fix(cx, whole, message, "delete it", vec![Edit::remove(line)]);
        root.remove("processes");
        return;
    }
    note(cx, span, "`processes` is a list".to_owned(), "write [processes] with name = \"command\"");
    let mut map = Table::new(Origin::Header);
    for item in &items {
        let table = item.as_table();
        let Some(name) = table.and_then(|table| table.value("name")) else {
            dropped(cx, item.span, "this process has no name".to_owned(), "dropped by flyctl");
            continue;
        };
        let command = table.and_then(|table| table.value("command"));
        let text = command.map(go::display).unwrap_or_default();
        let place = command.map_or(item.span, |command| command.span);
        let key = Key { name: go::display(name), span: name.span };
        let value = Value { kind: Kind::String(text), span: place };
        map.insert(Entry { key, value, span: item.span });
    }
    if map.is_empty() {
        root.remove("processes");
    } else if let Some(value) = root.value_mut("processes") {
        value.kind = Kind::Table(map);
    }
}

pub(super) fn experimental(root: &mut Table, cx: &mut Cx<'_>) {
    let Some(mut entry) = root.remove("experimental") else { return };
    let Kind::Table(table) = &mut entry.value.kind else {
        cx.within("experimental", |cx| cx.wrong_kind(&entry.value, "a table"));
        return;
    };
    for name in ["cmd", "entrypoint", "exec"] {
        if let Some(value) = table.value_mut(name)
            && let Kind::String(text) = &value.kind
        {
            let word = Value { kind: Kind::String(text.clone()), span: value.span };
            value.kind = Kind::Array(vec![word]);
        }
    }
    if let Some(old) = table.remove("kill_timeout") {
        promote(root, cx, "experimental.kill_timeout", "kill_timeout", &old, old.value.clone());
    }
    let mut metrics = Table::new(Origin::Implicit);
    let mut place: Option<Entry> = None;
    for (old, new) in [("metrics_port", "port"), ("metrics_path", "path")] {
        if let Some(entry) = table.remove(old) {
            let key = Key { name: new.to_owned(), span: entry.key.span };
            metrics.insert(Entry { key, value: entry.value.clone(), span: entry.span });
            place.get_or_insert(entry);
        }
    }
    if let Some(old) = place {
        let value =
            Value { kind: Kind::Array(vec![table_value(metrics, old.span)]), span: old.span };
        promote(root, cx, "experimental.metrics_port", "metrics", &old, value);
    }
    let empty = matches!(&entry.value.kind, Kind::Table(table) if table.is_empty());
    if !empty {
        root.insert(entry);
    }
}

fn table_value(table: Table, span: Span) -> Value {
    Value { kind: Kind::Table(table), span }
}

/// Moves a value to the top level, unless the name is taken there.
fn promote(
    root: &mut Table,
    cx: &mut Cx<'_>,
    old_name: &str,
    new_name: &str,
    old: &Entry,
    value: Value,
) {
    if let Some(taken) = root.get(new_name) {
        cx.diagnostics.push(
            Diagnostic::new(
                &codes::DROPPED,
                format!("`{old_name}` is ignored because `{new_name}` is set"),
            )
            .at(old.span, "ignored")
            .at(taken.key.span, "this one counts"),
        );
        return;
    }
    let message = format!("`{old_name}` has moved to `{new_name}` at the top level");
    note(cx, old.span, message, "read from its new place");
    let key = Key { name: new_name.to_owned(), span: old.key.span };
    root.insert(Entry { key, value, span: old.span });
}

pub(super) fn checks(root: &mut Table, cx: &mut Cx<'_>) {
    let Some(entry) = root.remove("checks") else { return };
    let (key, whole, span) = (entry.key, entry.span, entry.value.span);
    let named = cx.within("checks", |cx| match entry.value.kind {
        Kind::Table(table) => table.into_entries(),
        Kind::Array(items) => {
            if !items.is_empty() {
                let label = "write [checks.NAME]";
                note(cx, span, "`checks` is written as a list".to_owned(), label);
            }
            let items = items.into_iter().enumerate();
            items.filter_map(|(at, item)| listed_check(at, item, cx)).collect()
        }
        kind => {
            cx.wrong_kind(&Value { kind, span }, "a table");
            Vec::new()
        }
    });
    if named.is_empty() {
        return;
    }
    let mut patched = Table::new(Origin::Implicit);
    for mut entry in named {
        let good = cx.within(format!("checks.{}", entry.key.name), |cx| {
            let Kind::Table(table) = &mut entry.value.kind else {
                cx.wrong_kind(&entry.value, "a table");
                return false;
            };
            check(table, cx);
            true
        });
        if good {
            patched.insert(entry);
        }
    }
    root.insert(Entry { key, value: table_value(patched, span), span: whole });
}

/// A check of a list, under its name.
fn listed_check(at: usize, item: Value, cx: &mut Cx<'_>) -> Option<Entry> {
    let span = item.span;
    let Kind::Table(mut table) = item.kind else {
        cx.within(format!("[{at}]"), |cx| cx.wrong_kind(&item, "a table"));
        return None;
    };
    let name = table.remove("name");
    let Some(Value { kind: Kind::String(name), span: place }) = name.map(|entry| entry.value)
    else {
        let message = format!("`checks[{at}]` has no `name` that is a string");
        let value = table_value(table, span);
        cx.wrong_value(&value, message, "in a list each check needs a name");
        return None;
    };
    let key = Key { name, span: place };
    Some(Entry { key, value: table_value(table, span), span })
}

/// Gathers a section from all its names into the last one. Even when there is nothing, the last name is set.
pub(super) fn gather(root: &mut Table, cx: &mut Cx<'_>, names: &[&str], text_key: Option<&str>) {
    let Some((current, _)) = names.split_last() else { return };
    let mut items: Vec<Value> = Vec::new();
    let mut place: Option<Entry> = None;
    for name in names {
        let Some(entry) = root.remove(name) else { continue };
        if name != current {
            let message = format!("`{name}` is called `{current}` today");
            note(cx, entry.key.span, message, &format!("write [[{current}]]"));
        }
        let found = cx.within(*name, |cx| tables(entry.value.clone(), cx));
        items.extend(found.unwrap_or_default());
        place = Some(entry);
    }
    if let Some(text_key) = text_key {
        for item in &mut items {
            if let Kind::Table(table) = &mut item.kind
                && let Some(value) = table.value_mut(text_key)
            {
                stringify(value);
            }
        }
    }
    let key_span = place.as_ref().map_or(Span::at(0), |entry| entry.key.span);
    let span = place.as_ref().map_or(Span::at(0), |entry| entry.value.span);
    let kind = if items.is_empty() { Kind::Null } else { Kind::Array(items) };
    let key = Key { name: (*current).to_owned(), span: key_span };
    root.insert(Entry { key, value: Value { kind, span }, span });
}

pub(super) fn build(root: &mut Table, cx: &mut Cx<'_>) {
    let Some(mut entry) = root.remove("build") else { return };
    let Kind::Table(table) = &mut entry.value.kind else {
        cx.within("build", |cx| cx.wrong_kind(&entry.value, "a table"));
        return;
    };
    if let Some(mut old) = table.remove("build_target") {
        let message = "`build.build_target` is written with a hyphen".to_owned();
        let edits = vec![Edit::replace(old.key.span, "build-target")];
        note_with_fix(cx, old.key.span, message, "write build-target", edits);
        "build-target".clone_into(&mut old.key.name);
        table.insert(old);
    }
    if !table.is_empty() {
        root.insert(entry);
    }
}
