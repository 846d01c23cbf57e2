//! The JSON Schema accepts what flyctl accepts and finds the wrong shapes.

use fly_toml::syntax::{Kind, Value as TomlValue, to_json};
use fly_toml::{Document, check};
use serde_json::Value;

use crate::corpus::cases;

/// Whether a value has the shape of a schema, as far as the words go that ours uses.
fn fits(value: &Value, schema: &Value) -> bool {
    let is = |name: &str| match name {
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    };
    let types = match &schema["type"] {
        Value::Null => true,
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        other => panic!("{other}"),
    };
    let alternatives = schema["oneOf"]
        .as_array()
        .is_none_or(|all| all.iter().filter(|one| fits(value, one)).count() == 1);
    let words = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    let least = schema["minimum"].as_f64().is_none_or(|least| value.as_f64() >= Some(least));
    let items = value.as_array().is_none_or(|items| {
        schema["items"].is_null() || items.iter().all(|item| fits(item, &schema["items"]))
    });
    let fields = value.as_object().is_none_or(|map| {
        map.iter().all(|(key, field)| {
            let known = &schema["properties"][key];
            let any = &schema["additionalProperties"];
            (known.is_null() || fits(field, known))
                && (!known.is_null() || any.is_null() || fits(field, any))
        })
    });
    let required = schema["required"].as_array().is_none_or(|keys| {
        value
            .as_object()
            .is_none_or(|map| keys.iter().all(|key| map.contains_key(key.as_str().unwrap())))
    });
    types && required && alternatives && words && least && items && fields
}

#[test]
fn real_files_and_the_json_schema() {
    let schema: Value = serde_json::from_str(&fly_toml::schema::json_schema()).unwrap();
    let (mut accepted, mut found) = (0, 0);
    for (name, bytes) in cases() {
        let report = check(&String::from_utf8(bytes).unwrap());
        if !report.document.mistakes().is_empty() {
            continue;
        }
        let root = Kind::Table(report.document.root().clone());
        let json = to_json(&TomlValue { kind: root, span: fly_toml::Span::at(0) });
        if report.loads() {
            assert!(fits(&json, &schema), "{name}");
            accepted += 1;
        } else if !fits(&json, &schema) {
            found += 1;
        }
    }
    println!(
        "corpus: the JSON Schema accepts {accepted} files and refuses {found} of 6 wrong shapes"
    );
    assert_eq!((accepted, found), (207, 6));
}

#[test]
fn the_schema_knows_every_key() {
    let schema: Value = serde_json::from_str(&fly_toml::schema::json_schema()).unwrap();
    for at in [
        "/properties/http_service/properties/checks/items/properties/interval",
        "/properties/vm/oneOf/0/items/properties/memory",
        "/properties/deploy/properties/release_command_vm/properties/size",
        "/properties/build/properties/build-target",
        "/properties/mount",
    ] {
        assert!(schema.pointer(at).is_some_and(|key| key["description"].is_string()), "{at}");
    }
    let text = "[http_service.checks]\npath = 1\n";
    let json = to_json(&TomlValue {
        kind: Kind::Table(Document::parse(text).root().clone()),
        span: fly_toml::Span::at(0),
    });
    assert!(!fits(&json, &schema));
}
