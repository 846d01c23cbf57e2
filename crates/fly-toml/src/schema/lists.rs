//! Readers of lists and of tables whose keys people choose.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde_json::json;

use super::cx::{ARRAY_OF_TABLES, Cx};
use super::read::{Located, Read};
use crate::syntax::{Kind, Value};

impl<T: Read> Read for Vec<Located<T>> {
    const EXPECTED: &'static str = "a list";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        let Kind::Array(items) = &value.kind else {
            let expected = match T::EXPECTED {
                "a table" => ARRAY_OF_TABLES,
                "a string" => "a list of strings",
                _ => Self::EXPECTED,
            };
            cx.wrong_kind(value, expected);
            return None;
        };
        let mut list = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            if let Some(value) = cx.within(format!("[{at}]"), |cx| T::read(item, cx)) {
                list.push(Located { value, span: item.span, key: item.span });
            }
        }
        Some(list)
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "array", "items": T::schema() })
    }

    fn canonical(&self) -> serde_json::Value {
        self.iter().map(|item| item.value.canonical()).collect()
    }

    fn merge(first: &Value, second: &Value) -> Value {
        zip::<T>(first, second)
    }
}

/// A list that may also be written as a single table; a patch makes a list of it before it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<Located<T>>);

impl<T> Deref for OneOrMany<T> {
    type Target = [Located<T>];

    fn deref(&self) -> &[Located<T>] {
        &self.0
    }
}

impl<T: Read> Read for OneOrMany<T> {
    const EXPECTED: &'static str = ARRAY_OF_TABLES;

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        Vec::read(value, cx).map(Self)
    }

    fn schema() -> serde_json::Value {
        json!({ "oneOf": [{ "type": "array", "items": T::schema() }, T::schema()] })
    }

    fn canonical(&self) -> serde_json::Value {
        self.0.canonical()
    }

    fn merge(first: &Value, second: &Value) -> Value {
        zip::<T>(first, second)
    }
}

impl<T: Read> Read for BTreeMap<String, Located<T>> {
    const EXPECTED: &'static str = "a table";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        let Kind::Table(table) = &value.kind else {
            cx.wrong_kind(value, Self::EXPECTED);
            return None;
        };
        let mut map = Self::new();
        for entry in table.entries() {
            if let Some(value) = cx.field(entry) {
                map.insert(entry.key.name.clone(), value);
            }
        }
        Some(map)
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "object", "additionalProperties": T::schema() })
    }

    fn canonical(&self) -> serde_json::Value {
        self.iter().map(|(name, value)| (name.clone(), value.value.canonical())).collect()
    }

    fn merge(first: &Value, second: &Value) -> Value {
        union(first, second, |_, _, new| new.clone())
    }
}

/// The entries of the second table added to those of the first, in their place where they exist.
pub(crate) fn union(
    first: &Value,
    second: &Value,
    both: impl Fn(&str, &Value, &Value) -> Value,
) -> Value {
    let (Kind::Table(old), Kind::Table(new)) = (&first.kind, &second.kind) else {
        return second.clone();
    };
    let mut merged = old.clone();
    for entry in new.entries() {
        let mut entry = entry.clone();
        if let Some(old) = old.value(&entry.key.name) {
            entry.value = both(&entry.key.name, old, &entry.value);
        }
        merged.insert(entry);
    }
    Value { kind: Kind::Table(merged), span: second.span }
}

/// The items of the second list, each read over the item of the first at its place.
fn zip<T: Read>(first: &Value, second: &Value) -> Value {
    let (Kind::Array(old), Kind::Array(new)) = (&first.kind, &second.kind) else {
        return second.clone();
    };
    let items = new.iter().enumerate();
    let items =
        items.map(|(at, item)| old.get(at).map_or_else(|| item.clone(), |old| T::merge(old, item)));
    Value { kind: Kind::Array(items.collect()), span: second.span }
}
