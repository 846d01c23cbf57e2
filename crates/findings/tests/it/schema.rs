//! A small judge for JSON Schema: the keywords that the two schemas here use. It panics at any other, so that a schema is
//! never half understood.

use findings::{Baseline, json, json_schema, sarif};
use serde_json::Value;

use crate::hostile;
use crate::sample::{catalogue, key, report};

/// Keywords that constrain nothing here: texts, ids, defaults, formats.
const SILENT: [&str; 9] = [
    "$schema",
    "title",
    "id",
    "description",
    "default",
    "definitions",
    "$defs",
    "format",
    "pattern",
];

/// Everything in which `value` is not what `schema` asks for.
pub(crate) fn problems(value: &Value, schema: &Value, root: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(value, schema, root, "", &mut found);
    found
}

fn check(value: &Value, schema: &Value, root: &Value, place: &str, found: &mut Vec<String>) {
    let Value::Object(keywords) = schema else {
        if schema == &Value::Bool(false) {
            found.push(format!("{place}: nothing is allowed here"));
        }
        return;
    };
    for (keyword, wanted) in keywords {
        let mut fail = |why: String| found.push(format!("{place}: {why}"));
        match keyword.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                let target = root.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
                check(value, target, root, place, found);
            }
            "type" => {
                let kinds = wanted.as_array().map_or(vec![wanted], |kinds| kinds.iter().collect());
                if !kinds.iter().any(|kind| is_kind(value, kind.as_str().unwrap())) {
                    fail(format!("{value} is no {wanted}"));
                }
            }
            "const" if value != wanted => fail(format!("{value} is not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                fail(format!("{value} is not among {wanted}"));
            }
            "anyOf" | "oneOf" => {
                let options = wanted.as_array().unwrap();
                let fitting =
                    options.iter().filter(|it| problems(value, it, root).is_empty()).count();
                if fitting == 0 || (keyword == "oneOf" && fitting > 1) {
                    fail(format!("{value} fits {fitting} of {wanted}"));
                }
            }
            "minimum" if value.as_f64() < wanted.as_f64() => fail(format!("{value} is too small")),
            "maximum" if value.as_f64() > wanted.as_f64() => fail(format!("{value} is too large")),
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                        fail(format!("no {name}"));
                    }
                }
            }
            "properties" | "additionalProperties" if value.is_object() => {
                for (name, inner) in value.as_object().unwrap() {
                    let own = keywords.get("properties").and_then(|own| own.get(name));
                    let place = format!("{place}/{name}");
                    match (keyword.as_str(), own) {
                        ("properties", Some(own)) => check(inner, own, root, &place, found),
                        ("additionalProperties", None) => check(inner, wanted, root, &place, found),
                        _ => {}
                    }
                }
            }
            "items" if value.is_array() => {
                for (index, item) in value.as_array().unwrap().iter().enumerate() {
                    check(item, wanted, root, &format!("{place}/{index}"), found);
                }
            }
            "minItems" => {
                let least = wanted.as_u64().unwrap();
                if value.as_array().is_some_and(|items| (items.len() as u64) < least) {
                    fail(format!("fewer than {least} items"));
                }
            }
            "uniqueItems" if wanted == &Value::Bool(true) => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                if (1..items.len()).any(|index| items[..index].contains(&items[index])) {
                    fail("an item twice".to_owned());
                }
            }
            "const"
            | "enum"
            | "minimum"
            | "maximum"
            | "properties"
            | "additionalProperties"
            | "items"
            | "uniqueItems" => {}
            silent if SILENT.contains(&silent) => {}
            other => panic!("the judge does not know the keyword {other}"),
        }
    }
}

fn is_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the judge does not know the type {other}"),
    }
}

fn sarif_schema() -> Value {
    serde_json::from_str(include_str!("../data/sarif-2.1.0.json")).unwrap()
}

#[test]
fn sarif_is_what_oasis_says_it_is() {
    let schema = sarif_schema();
    for mut report in [report(), hostile::report()] {
        report.accept(&Baseline::of(&[key("prot")]));
        let log: Value = serde_json::from_str(&sarif(&report, &catalogue())).unwrap();
        assert_eq!(problems(&log, &schema, &schema), Vec::<String>::new());
        let count = report.findings.len() + report.suppressed.len();
        assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), count);
    }
}

#[test]
fn the_judge_sees_what_is_wrong_with_a_sarif_log() {
    let schema = sarif_schema();
    let log: Value = serde_json::from_str(&sarif(&report(), &catalogue())).unwrap();
    for (pointer, wrong) in [
        ("/version", Value::from("2.0.0")),
        ("/runs/0/results/0/level", Value::from("critical")),
        ("/runs/0/results/0/message", Value::from("text")),
        ("/runs/0/results/0/ruleIndex", Value::from(-2)),
        ("/runs/0/results/2/locations/0/physicalLocation/region/startLine", Value::from(0)),
        ("/runs/0/tool/driver", serde_json::json!({"version": "1"})),
    ] {
        let mut log = log.clone();
        *log.pointer_mut(pointer).unwrap() = wrong;
        assert!(!problems(&log, &schema, &schema).is_empty(), "{pointer}");
    }
}

#[test]
fn json_is_what_our_schema_says_it_is() {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    for report in [report(), hostile::report()] {
        let mut value: Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!(problems(&value, &schema, &schema), Vec::<String>::new());
        value["findings"][0]["severity"] = Value::from("fatal");
        value.as_object_mut().unwrap().remove("judged");
        assert_eq!(problems(&value, &schema, &schema).len(), 2);
    }
}
