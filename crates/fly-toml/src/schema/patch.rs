//! Old spellings rewritten in the tree, before anything is typed, in flyctl's order. Each rewriting leaves a note.
//!
//! Only exact lower-case names are seen, as in flyctl; that is why `[[VM]]` is lost (the empty `vm` made here wins).
//! Source: superfly/flyctl internal/appconfig/patches.go of 2026-08-21, behaviour observed by running it.

use serde_json::json;

use super::Config;
use super::codes;
use super::go;
use super::read::{Cx, Section as _, folds_to};
use crate::diag::{Applicability, Diagnostic, Edit};
use crate::span::Span;
use crate::syntax::{BareUnit, Entry, Key, Kind, Origin, Table, Value};

/// Rewrites a whole file. What cannot be rewritten is reported and left out.
pub fn patch(root: &Table, cx: &mut Cx<'_>) -> Table {
    let mut root = known(root);
    env(&mut root, cx);
    services(&mut root, cx);
    processes(&mut root, cx);
    experimental(&mut root, cx);
    checks(&mut root, cx);
    gather(&mut root, cx, &["compute", "computes", "vm"], Some("memory"));
    gather(&mut root, cx, &["mount", "mounts"], Some("initial_size"));
    gather(&mut root, cx, &["metric", "metrics"], None);
    if let Some(value) = root.value_mut("kill_timeout") {
        cx.within("kill_timeout", |cx| duration(value, BareUnit::Seconds, cx));
    }
    build(&mut root, cx);
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

fn services(root: &mut Table, cx: &mut Cx<'_>) {
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

fn check(table: &mut Table, cx: &mut Cx<'_>) {
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

fn processes(root: &mut Table, cx: &mut Cx<'_>) {
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

fn experimental(root: &mut Table, cx: &mut Cx<'_>) {
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

fn checks(root: &mut Table, cx: &mut Cx<'_>) {
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
fn gather(root: &mut Table, cx: &mut Cx<'_>, names: &[&str], text_key: Option<&str>) {
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

fn build(root: &mut Table, cx: &mut Cx<'_>) {
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
pub(super) fn is_known(name: &str) -> bool {
    Config::KEYS.iter().any(|key| folds_to(name, key.name)) || OLD_NAMES.contains(&name)
}

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
pub(super) fn finite(root: &Table, cx: &mut Cx<'_>) {
    for entry in root.entries() {
        let name = entry.key.name.as_str();
        if name == "env" || name == "kill_timeout" {
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

/// Adds the old spellings to the JSON Schema of the current ones.
pub(super) fn extend_schema(schema: &mut serde_json::Value) {
    let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) else {
        return;
    };
    for (old, current) in
        [("compute", "vm"), ("computes", "vm"), ("mount", "mounts"), ("metric", "metrics")]
    {
        if let Some(mut copy) = properties.get(current).cloned() {
            if let Some(copy) = copy.as_object_mut() {
                copy.insert("deprecated".to_owned(), json!(true));
                copy.insert("description".to_owned(), json!(format!("Old name of `{current}`.")));
            }
            properties.insert(old.to_owned(), copy);
        }
    }
    for (name, list) in [
        ("env", json!({ "type": "array", "items": { "type": "object" } })),
        ("processes", json!({ "type": "array" })),
        ("checks", json!({ "type": "array", "items": { "type": "object" } })),
    ] {
        if let Some(property) = properties.get_mut(name)
            && let Some(property) = property.as_object_mut()
        {
            let description = property.remove("description");
            let table = serde_json::Value::Object(std::mem::take(property));
            property.insert("oneOf".to_owned(), json!([table, list]));
            property.extend(description.map(|text| ("description".to_owned(), text)));
        }
    }
    if let Some(env) =
        properties.get_mut("env").and_then(|env| env.pointer_mut("/oneOf/0/additionalProperties"))
    {
        *env = json!({ "type": ["string", "integer", "boolean"] });
    }
}
