//! `[[services]]` with its ports, checks, headers and limits.

use super::{dropped, duration, note, note_with_fix, stringify, tables, to_integer};
use crate::diag::Edit;
use crate::schema::cx::Cx;
use crate::schema::go;
use crate::syntax::{BareUnit, Entry, Key, Kind, Origin, Table, Value};

pub(super) fn services(root: &mut Table, cx: &mut Cx<'_>) {
    let Some(entry) = root.remove("services") else { return };
    let span = entry.value.span;
    let items = cx.within("services", |cx| {
        let items = tables(entry.value, cx)?;
        let mut kept = Vec::new();
        for (at, mut item) in items.into_iter().enumerate() {
            if let Kind::Table(table) = &mut item.kind {
                cx.within(format!("[{at}]"), |cx| service(table, cx));
                if table.is_empty() {
                    dropped(
                        cx,
                        item.span,
                        "an empty service is dropped".to_owned(),
                        "nothing in it",
                    );
                    continue;
                }
            }
            kept.push(item);
        }
        Some(kept)
    });
    if let Some(items) = items {
        let value = Value { kind: Kind::Array(items), span };
        root.insert(Entry { value, key: entry.key, span: entry.span });
    }
}

fn service(table: &mut Table, cx: &mut Cx<'_>) {
    if let Some(value) = table.value_mut("concurrency") {
        let good = cx.within("concurrency", |cx| concurrency(value, cx));
        if !good {
            table.remove("concurrency");
        }
    }
    list(table, "ports", cx, |port, cx| {
        if let Some(value) = port.value_mut("port") {
            let good = cx.within("port", |cx| to_integer(value, cx));
            if !good {
                port.remove("port");
            }
        }
    });
    for name in ["tcp_checks", "http_checks"] {
        list(table, name, cx, check);
        if table.value(name).is_some_and(|value| value.items().is_empty()) {
            table.remove(name);
        }
    }
    if let Some(value) = table.value_mut("internal_port") {
        let good = cx.within("internal_port", |cx| to_integer(value, cx));
        if !good {
            table.remove("internal_port");
        }
    }
}

/// Makes a list of a key that may be a single table, and rewrites each item.
fn list(
    table: &mut Table,
    name: &'static str,
    cx: &mut Cx<'_>,
    rewrite: impl Fn(&mut Table, &mut Cx<'_>),
) {
    let Some(entry) = table.remove(name) else { return };
    let span = entry.value.span;
    let items = cx.within(name, |cx| {
        let mut items = tables(entry.value, cx)?;
        for (at, item) in items.iter_mut().enumerate() {
            if let Kind::Table(item) = &mut item.kind {
                cx.within(format!("[{at}]"), |cx| rewrite(item, cx));
            }
        }
        Some(items)
    });
    if let Some(items) = items {
        let value = Value { kind: Kind::Array(items), span };
        table.insert(Entry { value, key: entry.key, span: entry.span });
    }
}

fn concurrency(value: &mut Value, cx: &mut Cx<'_>) -> bool {
    let text = match &value.kind {
        Kind::Table(_) => return true,
        Kind::String(text) => text.clone(),
        _ => {
            cx.wrong_kind(value, "a table");
            return false;
        }
    };
    let limits = text
        .split_once(',')
        .and_then(|(soft, hard)| Some((soft.parse::<i64>().ok()?, hard.parse::<i64>().ok()?)));
    let Some((soft, hard)) = limits else {
        let message = format!("`{}` is no pair of limits", cx.name(""));
        cx.wrong_value(value, message, "write a table with type, soft_limit and hard_limit");
        return false;
    };
    let message = format!("`{}` is written as a pair of limits", cx.name(""));
    let edits = vec![Edit::replace(
        value.span,
        format!("{{ type = \"requests\", soft_limit = {soft}, hard_limit = {hard} }}"),
    )];
    note_with_fix(cx, value.span, message, "write it as a table", edits);
    let mut table = Table::new(Origin::Inline);
    let put = |table: &mut Table, name: &str, kind| {
        let key = Key { name: name.to_owned(), span: value.span };
        let value = Value { kind, span: value.span };
        table.insert(Entry { key, span: value.span, value });
    };
    put(&mut table, "type", Kind::String("requests".to_owned()));
    put(&mut table, "soft_limit", Kind::Integer(soft));
    put(&mut table, "hard_limit", Kind::Integer(hard));
    value.kind = Kind::Table(table);
    true
}

pub(super) fn check(table: &mut Table, cx: &mut Cx<'_>) {
    for name in ["interval", "timeout", "grace_period"] {
        if let Some(value) = table.value_mut(name) {
            cx.within(name, |cx| duration(value, BareUnit::Milliseconds, cx));
        }
    }
    if let Some(value) = table.value_mut("headers") {
        let keep = cx.within("headers", |cx| headers(value, cx));
        if !keep {
            table.remove("headers");
        }
    }
}

/// Headers as one table of texts; false when there are none or they cannot be read.
fn headers(value: &mut Value, cx: &mut Cx<'_>) -> bool {
    let mut merged = Table::new(Origin::Inline);
    match &value.kind {
        Kind::Table(table) => {
            for entry in table.entries() {
                let mut entry = entry.clone();
                stringify(&mut entry.value);
                merged.insert(entry);
            }
        }
        Kind::Array(items) => {
            if !items.is_empty() {
                let message = format!("`{}` is written as a list of names and values", cx.name(""));
                note(cx, value.span, message, "write a table: name = \"value\"");
            }
            for (at, item) in items.iter().enumerate() {
                let Some(table) = item.as_table() else {
                    cx.within(format!("[{at}]"), |cx| cx.wrong_kind(item, "a table"));
                    return false;
                };
                let Some(name) = table.value("name") else {
                    let message = format!("`{}[{at}]` has no `name`", cx.name(""));
                    cx.wrong_value(
                        item,
                        message,
                        "in a list each header is written { name = \"…\", value = \"…\" }",
                    );
                    return false;
                };
                let key = Key { name: go::display(name), span: name.span };
                let text = table.value("value").map(go::display).unwrap_or_default();
                let span = table.value("value").map_or(item.span, |value| value.span);
                let value = Value { kind: Kind::String(text), span };
                merged.insert(Entry { key, value, span: item.span });
            }
        }
        _ => {
            cx.wrong_kind(value, "a table");
            return false;
        }
    }
    let any = !merged.is_empty();
    value.kind = Kind::Table(merged);
    any
}
