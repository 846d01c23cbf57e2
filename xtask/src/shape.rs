//! The shape of a JSON answer: keys and types, never a value.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Objects below these keys have keys that people chose: they are values, not shape.
const FREE: [&str; 8] =
    ["metadata", "env", "labels", "values", "checks", "options", "headers", "metric"];

/// Keys and types of a value.
pub(crate) fn of(value: &Value) -> Value {
    at("", value)
}

fn at(key: &str, value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("boolean"),
        Value::Number(number) if number.is_f64() => json!("number"),
        Value::Number(_) => json!("integer"),
        Value::String(_) => json!("string"),
        Value::Array(items) => {
            let merged = items.iter().map(|item| at("", item)).reduce(|a, b| merge(&a, &b));
            json!([merged.unwrap_or(json!("nothing"))])
        }
        Value::Object(object) if FREE.contains(&key) => {
            let merged = object.values().map(|inner| at("", inner)).reduce(|a, b| merge(&a, &b));
            json!({ "*": merged.unwrap_or(json!("nothing")) })
        }
        Value::Object(object) => {
            object.iter().map(|(name, inner)| (name.clone(), at(name, inner))).collect()
        }
    }
}

/// What two items of one list have together. Types that differ are written beside each other.
fn merge(one: &Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut all = one.clone();
            for (key, value) in other {
                let merged =
                    all.get(key).map_or_else(|| value.clone(), |known| merge(known, value));
                all.insert(key.clone(), merged);
            }
            Value::Object(all)
        }
        (Value::Array(one), Value::Array(other)) => match (one.first(), other.first()) {
            (Some(one), Some(other)) => json!([merge(one, other)]),
            _ => json!([one.first().or(other.first())]),
        },
        (one, other) if one == other || *other == json!("nothing") => one.clone(),
        (one, other) if *one == json!("nothing") => other.clone(),
        (Value::String(one), Value::String(other)) => {
            let mut kinds: Vec<&str> = one.split('|').chain(other.split('|')).collect();
            kinds.sort_unstable();
            kinds.dedup();
            json!(kinds.join("|"))
        }
        // One was null and the other something with parts: the parts say more.
        (Value::String(_), parts) | (parts, _) => parts.clone(),
    }
}

/// Where `seen` has something that `known` lacks, or of another type. Null says nothing.
pub(crate) fn beyond(seen: &Value, known: &Value) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    compare("", seen, known, &mut out);
    out
}

fn compare(path: &str, seen: &Value, known: &Value, out: &mut BTreeMap<String, String>) {
    match (seen, known) {
        (Value::Object(seen), Value::Object(known)) => {
            for (key, value) in seen {
                let path = format!("{path}.{key}");
                match known.get(key) {
                    Some(known) => compare(&path, value, known, out),
                    None => drop(out.insert(path, "only there".to_owned())),
                }
            }
        }
        (Value::Array(seen), Value::Array(known)) => {
            if let (Some(seen), Some(known)) = (seen.first(), known.first()) {
                compare(&format!("{path}[]"), seen, known, out);
            }
        }
        (Value::String(seen), Value::String(known)) => {
            let empty = ["null", "nothing"];
            let new: Vec<&str> = seen
                .split('|')
                .filter(|kind| !empty.contains(kind) && !known.split('|').any(|k| k == *kind))
                .collect();
            let silent = known.split('|').all(|kind| empty.contains(&kind));
            if !new.is_empty() && !silent {
                out.insert(path.to_owned(), format!("{} there, {known} here", new.join("|")));
            }
        }
        (Value::String(kind), _) | (_, Value::String(kind))
            if kind == "null" || kind == "nothing" => {}
        _ => drop(out.insert(path.to_owned(), "another kind of value".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_hold_no_values() {
        let value = json!({
            "id": "secret-id", "n": 1, "list": [{ "a": 1 }, { "a": null, "b": "x" }],
            "metadata": { "customer-name": "x" }, "none": [],
        });
        let shape = of(&value);
        assert_eq!(
            shape,
            json!({
                "id": "string", "n": "integer", "list": [{ "a": "integer|null", "b": "string" }],
                "metadata": { "*": "string" }, "none": ["nothing"],
            })
        );
        assert!(!shape.to_string().contains("secret") && !shape.to_string().contains("customer"));
    }

    #[test]
    fn differences_name_their_place() {
        let here = of(&json!({ "a": 1, "b": [{ "c": "x" }], "d": null }));
        let there = of(&json!({ "a": "1", "b": [{ "c": "x", "new": true }], "d": 5 }));
        let found = beyond(&there, &here);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[".a"], "string there, integer here");
        assert_eq!(found[".b[].new"], "only there");
    }
}
