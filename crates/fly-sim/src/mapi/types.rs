//! Types of request bodies, as Fly.io's OpenAPI document declares them, with the texts of Go's decoder for what does not
//! fit. What the service is known to take beyond the document is the short list below.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::write::wrong_type;
use crate::server::http::Reply;

const DOCUMENT: &str = include_str!("../../data/openapi3.json");

/// Fields that clients send, and the service takes, with another type than the document's.
const ALSO: [(&str, &str); 14] = [
    // Go durations: text, or nanoseconds.
    ("interval", "integer"),
    ("timeout", "integer"),
    ("grace_period", "integer"),
    // A name, or its number.
    ("signal", "integer"),
    ("autostop", "boolean"),
    ("persist_rootfs", "integer"),
    // Bytes: integers in the document, base64 from Go.
    ("plaintext", "string"),
    ("ciphertext", "string"),
    ("associated_data", "string"),
    ("signature", "string"),
    ("value", "string"),
    // A duration of a container's check may be text, as everywhere else.
    ("interval", "string"),
    ("timeout", "string"),
    ("grace_period", "string"),
];

struct Types {
    document: Value,
    /// (method, path with empty braces) → schema of the body.
    bodies: HashMap<(String, String), Value>,
}

fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| {
        // The document is part of this crate; a test reads it too.
        let document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
        let mut bodies = HashMap::new();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                if schema.is_object() {
                    let key = (method.to_uppercase(), bare(&format!("/v1{path}")));
                    bodies.insert(key, schema.clone());
                }
            }
        }
        Types { document, bodies }
    })
}

/// A path whose parameters have no names.
fn bare(path: &str) -> String {
    let segments = path.split('/').map(|s| if s.starts_with('{') { "{}" } else { s });
    segments.collect::<Vec<_>>().join("/")
}

/// Refuses a body in which a value has a type that Go could not decode.
pub(crate) fn check(method: &str, pattern: &str, body: &Value) -> Result<(), Reply> {
    let types = types();
    match types.bodies.get(&(method.to_owned(), bare(pattern))) {
        Some(schema) => types.check(body, schema, "", ""),
        None => Ok(()),
    }
}

impl Types {
    fn check(&self, value: &Value, schema: &Value, path: &str, field: &str) -> Result<(), Reply> {
        if value.is_null() {
            return Ok(());
        }
        let inner = schema.get("$ref").or_else(|| schema["allOf"][0].get("$ref"));
        if let Some(name) = inner.and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) {
            return self.check(value, &self.document["components"]["schemas"][name], path, field);
        }
        let kind = schema["type"].as_str().unwrap_or("any");
        let also = ALSO.iter().any(|(name, also)| *name == field && is(value, also));
        if also {
            return Ok(());
        }
        if !is(value, kind) {
            return Err(wrong_type(path, value, go_type(kind)));
        }
        let join =
            |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let declared = schema["properties"].get(name);
                    let inner = declared.or_else(|| schema.get("additionalProperties"));
                    if let Some(inner) = inner.filter(|inner| inner.is_object()) {
                        self.check(value, inner, &join(name), name)?;
                    }
                }
                Ok(())
            }
            Value::Array(items) => {
                items.iter().try_for_each(|item| self.check(item, &schema["items"], path, ""))
            }
            _ => Ok(()),
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn go_type(kind: &str) -> &'static str {
    match kind {
        "string" => "string",
        "integer" => "int",
        "number" => "float64",
        "boolean" => "bool",
        "array" => "[]string",
        _ => "struct",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_document_is_read_and_strays_are_found() {
        assert!(types().bodies.len() > 25);
        let create = |body: Value| check("POST", "/v1/apps/{app}/machines", &body);
        assert!(create(json!({ "config": { "guest": { "cpus": 1 } }, "name": null })).is_ok());
        assert!(create(json!({ "config": { "guest": { "cpus": "1" } } })).is_err());
        assert!(create(json!({ "config": { "services": [{ "autostop": true }] } })).is_ok());
        assert!(create(json!({ "config": { "services": [{ "internal_port": "80" }] } })).is_err());
        assert!(create(json!({ "config": { "init": { "cmd": "x" } } })).is_err());
        assert!(create(json!({ "config": { "env": { "A": 1 } } })).is_err());
        assert!(create(json!({ "unknown": 1 })).is_ok(), "unknown fields are ignored");
    }
}
