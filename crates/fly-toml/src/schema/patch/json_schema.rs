//! The old spellings in the JSON Schema of the current ones.

use serde_json::{Map, Value, json};

/// Adds what patches accept beyond the types of the model.
pub(in crate::schema) fn extend_schema(schema: &mut Value) {
    for name in ["cmd", "entrypoint", "exec"] {
        or(
            schema,
            &format!("/properties/experimental/properties/{name}"),
            &json!({ "type": "string" }),
        );
    }
    for service in ["/properties/services/oneOf/0/items", "/properties/services/oneOf/1"] {
        let pair = json!({ "type": "string", "pattern": "^[+-]?[0-9]+,[+-]?[0-9]+$" });
        or(schema, &format!("{service}/properties/concurrency"), &pair);
        for check in ["oneOf/0/items", "oneOf/1"] {
            headers(schema, &format!("{service}/properties/http_checks/{check}"));
        }
    }
    headers(schema, "/properties/checks/additionalProperties");
    or(schema, "/properties/env", &json!({ "type": "array", "items": { "type": "object" } }));
    or(schema, "/properties/processes", &json!({ "type": "array" }));
    or(schema, "/properties/checks", &json!({ "type": "array", "items": { "type": "object" } }));
    if let Some(env) = schema.pointer_mut("/properties/env/oneOf/0/additionalProperties") {
        *env = json!({ "type": ["string", "integer", "boolean"] });
    }
    old_names(schema);
}

/// Headers may be a list of names and values, and the values of any scalar type.
fn headers(schema: &mut Value, check: &str) {
    let at = format!("{check}/properties/headers");
    if let Some(values) = schema.pointer_mut(&format!("{at}/additionalProperties")) {
        *values = json!({ "type": ["string", "integer", "number", "boolean"] });
    }
    or(
        schema,
        &at,
        &json!({ "type": "array", "items": { "type": "object", "required": ["name"] } }),
    );
}

/// Accepts another shape at a place as well; the description stays outside.
fn or(schema: &mut Value, at: &str, other: &Value) {
    let Some(place) = schema.pointer_mut(at).and_then(Value::as_object_mut) else { return };
    let description = place.remove("description");
    let first = Value::Object(std::mem::take(place));
    place.insert("oneOf".to_owned(), json!([first, other]));
    place.extend(description.map(|text| ("description".to_owned(), text)));
}

/// Sections and keys under their old names.
fn old_names(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (old, current) in
        [("compute", "vm"), ("computes", "vm"), ("mount", "mounts"), ("metric", "metrics")]
    {
        let Some(copy) = properties.get(current).cloned() else { continue };
        deprecated(properties, old, copy, &format!("Old name of `{current}`."));
    }
    let timeout = properties.get("kill_timeout").cloned().unwrap_or_default();
    let inside = |schema: &mut Map<String, Value>, section: &str, key: &str, value, text: &str| {
        let section = schema.get_mut(section).and_then(|section| section.get_mut("properties"));
        if let Some(section) = section.and_then(Value::as_object_mut) {
            deprecated(section, key, value, text);
        }
    };
    inside(
        properties,
        "experimental",
        "kill_timeout",
        timeout,
        "Now `kill_timeout` at the top level.",
    );
    inside(
        properties,
        "experimental",
        "metrics_port",
        json!({ "type": "integer" }),
        "Now `metrics.port`.",
    );
    inside(
        properties,
        "experimental",
        "metrics_path",
        json!({ "type": "string" }),
        "Now `metrics.path`.",
    );
    inside(properties, "build", "build_target", json!({ "type": "string" }), "Now `build-target`.");
}

fn deprecated(properties: &mut Map<String, Value>, name: &str, mut schema: Value, text: &str) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("deprecated".to_owned(), json!(true));
        schema.insert("description".to_owned(), json!(text));
    }
    properties.insert(name.to_owned(), schema);
}
