//! Values as JSON: for output, and as a form in which two texts can be compared whatever their layout.

use serde_json::{Map, Value as Json, json};

use super::tree::{Kind, Table, Value};

/// A value as JSON. Dates become texts; numbers that JSON does not have become null.
pub fn to_json(value: &Value) -> Json {
    match &value.kind {
        Kind::String(text) | Kind::Datetime(text) => text.clone().into(),
        Kind::Integer(number) => (*number).into(),
        Kind::Float(number) => (*number).into(),
        Kind::Boolean(value) => (*value).into(),
        Kind::Array(items) => items.iter().map(to_json).collect(),
        Kind::Table(table) => Json::Object(object(table)),
        Kind::Duration(..) | Kind::Null => Json::Null,
    }
}

fn object(table: &Table) -> Map<String, Json> {
    table.entries().iter().map(|entry| (entry.key.name.clone(), to_json(&entry.value))).collect()
}

/// Everything that a table means, and nothing about its layout: kinds that [`to_json`] joins stay apart.
pub(crate) fn meaning(table: &Table) -> Json {
    let entries = table.entries().iter();
    Json::Object(
        entries.map(|entry| (entry.key.name.clone(), value_meaning(&entry.value))).collect(),
    )
}

/// As [`meaning`], for one value.
pub(crate) fn value_meaning(value: &Value) -> Json {
    match &value.kind {
        Kind::Float(number) => json!({ "\u{0}float": format!("{number:?}") }),
        Kind::Datetime(text) => json!({ "\u{0}datetime": text }),
        Kind::Array(items) => items.iter().map(value_meaning).collect(),
        Kind::Table(table) => meaning(table),
        _ => to_json(value),
    }
}
