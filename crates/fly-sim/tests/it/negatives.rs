//! What must be refused, made from Fly.io's OpenAPI document: every declared body field with every wrong type, bodies
//! that are no objects, and ids that nobody has. A refusal changes nothing.

use std::time::Duration;

use fly_sim::{Sim, operations};
use serde_json::{Value, json};

use crate::client::{get, send, virtual_sim};

const DOCUMENT: &str = include_str!("../../data/openapi3.json");

/// Fields that take more than the document says; the differences are explained where the simulator lists them.
const TAKES_MORE: [&str; 10] = [
    "interval",
    "timeout",
    "grace_period",
    "signal",
    "autostop",
    "persist_rootfs",
    "plaintext",
    "ciphertext",
    "associated_data",
    "value",
];

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// A path of the document with things of the healthy world in it.
fn filled(path: &str) -> String {
    let path = path
        .replace("{app_name}", "demo")
        .replace("{machine_id}", "148e21ea7e4389")
        .replace("{volume_id}", "vol_9vle3lw21kmzn6d4")
        .replace("{secret_name}", "SECRET_KEY_BASE")
        .replace("{hostname}", "www.example.com")
        .replace("{key}", "k")
        .replace("{org_slug}", "personal")
        .replace("{ip}", "66.241.124.236");
    assert!(!path.contains('{'), "{path}");
    format!("/v1{path}")
}

/// Everything that a refused request could have changed.
async fn everything(sim: &Sim) -> Value {
    sim.advance(Duration::from_secs(30));
    let mut all = Vec::new();
    for path in [
        "/v1/apps?org_slug=personal",
        "/v1/apps/demo/machines?include_deleted=true",
        "/v1/apps/demo/volumes",
        "/v1/apps/demo/volumes/vol_9vle3lw21kmzn6d4/snapshots",
        "/v1/apps/demo/secrets?show_secrets=true",
        "/v1/apps/demo/secretkeys",
        "/v1/apps/demo/certificates",
        "/v1/apps/demo/ip_assignments",
    ] {
        all.push(get(sim, path).await.json());
    }
    json!(all)
}

/// (method, path, schema of the body) of every operation that has one.
fn bodies(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_object() {
                found.push((method.to_uppercase(), path.clone(), schema.clone()));
            }
        }
    }
    assert!(found.len() > 25, "{}", found.len());
    found
}

/// Bodies with one wrong value each, down to the third level.
fn spoiled(document: &Value, schema: &Value, depth: usize) -> Vec<(String, Value)> {
    let schema = match schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str()) {
        Some(name) => &document["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    };
    let mut out = Vec::new();
    for (field, inner) in schema["properties"].as_object().into_iter().flatten() {
        let plain = match inner["$ref"].as_str().or_else(|| inner["allOf"][0]["$ref"].as_str()) {
            Some(name) => &document["components"]["schemas"][name.rsplit('/').next().unwrap()],
            None => inner,
        };
        let kind = plain["type"].as_str().unwrap_or("any");
        for (wrong, value) in [
            ("string", json!("x")),
            ("integer", json!(7)),
            ("boolean", json!(true)),
            ("array", json!([[]])),
            ("object", json!({})),
        ] {
            let fits = wrong == kind || kind == "any" || (kind == "number" && wrong == "integer");
            if !fits && !TAKES_MORE.contains(&field.as_str()) {
                out.push((field.clone(), json!({ field: value })));
            }
        }
        if depth > 0 && kind == "object" {
            for (name, body) in spoiled(document, inner, depth - 1) {
                out.push((format!("{field}.{name}"), json!({ field: body })));
            }
        }
        if depth > 0 && kind == "array" {
            for (name, body) in spoiled(document, &plain["items"], depth - 1) {
                out.push((format!("{field}[].{name}"), json!({ field: [body] })));
            }
        }
    }
    out
}

#[tokio::test]
async fn every_field_of_a_wrong_type_is_refused() {
    let sim = virtual_sim("healthy").await;
    let document = document();
    let before = everything(&sim).await;
    let mut tried = 0;
    for (method, path, schema) in bodies(&document) {
        for (field, body) in spoiled(&document, &schema, 3) {
            sim.advance(Duration::from_secs(1));
            let answer = send(&sim, &method, &filled(&path), &[], Some(body.to_string())).await;
            let answer = answer.unwrap();
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(answer.status, 400, "{method} {path} {field}: {body} gave {text}");
            assert!(answer.json()["error"].as_str().is_some_and(|text| !text.is_empty()));
            assert!(answer.header("fly-request-id").is_some());
            tried += 1;
        }
    }
    assert!(tried > 1000, "only {tried} bodies were made");
    assert_eq!(everything(&sim).await, before, "a refused request had an effect");
}

#[tokio::test]
async fn bodies_that_are_no_objects_are_refused() {
    let sim = virtual_sim("healthy").await;
    let document = document();
    let before = everything(&sim).await;
    for (method, path, _) in bodies(&document) {
        for body in ["[]", "\"x\"", "7", "{", "{\"a\":}", "\u{0}", "{} trailing"] {
            sim.advance(Duration::from_secs(1));
            let answer = send(&sim, &method, &filled(&path), &[], Some(body.to_owned())).await;
            assert_eq!(answer.unwrap().status, 400, "{method} {path} {body:?}");
        }
    }
    assert_eq!(everything(&sim).await, before);
}

#[tokio::test]
async fn required_fields_are_asked_for() {
    let sim = virtual_sim("healthy").await;
    let before = everything(&sim).await;
    let m = "/v1/apps/demo/machines";
    let one = format!("{m}/148e21ea7e4389");
    for (method, path, body, status) in [
        ("POST", m.to_owned(), json!({}), 400),
        ("POST", m.to_owned(), json!({ "config": {} }), 400),
        ("POST", m.to_owned(), json!({ "config": { "image": "" } }), 400),
        ("POST", m.to_owned(), json!({ "config": { "image": "x" }, "region": "xxx" }), 400),
        ("POST", one.clone(), json!({}), 400),
        ("POST", one.clone(), json!({ "config": { "image": "x" }, "region": "ams" }), 400),
        ("POST", one.clone(), json!({ "config": { "image": "x" }, "current_version": "old" }), 412),
        ("POST", format!("{one}/exec"), json!({}), 400),
        ("POST", format!("{one}/signal"), json!({}), 400),
        ("PUT", format!("{one}/memory"), json!({}), 400),
        ("POST", format!("{one}/lease?ttl=soon"), json!({}), 400),
        ("DELETE", format!("{one}/lease"), json!({}), 404),
        ("DELETE", one.clone(), json!({}), 412),
        ("POST", format!("{one}/start"), json!({}), 412),
        ("POST", "/v1/apps/demo/volumes".into(), json!({}), 400),
        (
            "POST",
            "/v1/apps/demo/volumes".into(),
            json!({ "name": "Bad Name", "region": "fra" }),
            400,
        ),
        (
            "POST",
            "/v1/apps/demo/volumes".into(),
            json!({ "name": "x", "region": "fra", "size_gb": 501 }),
            400,
        ),
        (
            "POST",
            "/v1/apps/demo/volumes".into(),
            json!({ "name": "x", "snapshot_id": "vs_none" }),
            404,
        ),
        (
            "POST",
            "/v1/apps/demo/volumes".into(),
            json!({ "name": "x", "source_volume_id": "vol_none" }),
            404,
        ),
        ("PUT", "/v1/apps/demo/volumes/vol_9vle3lw21kmzn6d4/extend".into(), json!({}), 400),
        ("POST", "/v1/apps/demo/secrets".into(), json!({}), 400),
        ("POST", "/v1/apps/demo/secrets/A".into(), json!({}), 400),
        ("POST", "/v1/apps/demo/secretkeys/A".into(), json!({ "type": "hs256" }), 400),
        ("POST", "/v1/apps/demo/secretkeys/A/generate".into(), json!({}), 400),
        ("POST", "/v1/apps/demo/certificates/acme".into(), json!({}), 422),
        (
            "POST",
            "/v1/apps/demo/certificates/acme".into(),
            json!({ "hostname": "www.example.com" }),
            422,
        ),
        ("POST", "/v1/apps/demo/certificates/custom".into(), json!({ "hostname": "a.b" }), 422),
        ("POST", "/v1/apps/demo/ip_assignments".into(), json!({}), 400),
        ("POST", "/v1/apps".into(), json!({ "org_slug": "personal", "name": "Not Allowed" }), 422),
        ("POST", "/v1/apps".into(), json!({ "org_slug": "nobody", "name": "x" }), 404),
        ("POST", "/v1/platform/placements".into(), json!({}), 400),
    ] {
        sim.advance(Duration::from_secs(2));
        let answer = send(&sim, method, &path, &[], Some(body.to_string())).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{method} {path} {body}: {text}");
    }
    assert_eq!(everything(&sim).await, before);
}

#[tokio::test]
async fn ids_that_nobody_has_are_not_found() {
    let sim = virtual_sim("healthy").await;
    let before = everything(&sim).await;
    let body = json!({
        "config": { "image": "x" }, "command": ["true"], "signal": "SIGKILL", "value": "x", "limit_mb": 1,
        "amount_mb": 1, "size_gb": 20, "metadata": {}, "type": "hs256", "ttl": 5,
    });
    for operation in operations().filter(|operation| operation.path.starts_with("/v1/apps/{app}/"))
    {
        // The app exists, what is asked for does not.
        let path = operation.path.replace("{app}", "demo");
        let names_something = path.contains('{');
        // Setting a secret or a key makes it.
        let makes = operation.method == "POST"
            && ["secrets/{secret}", "secretkeys/{secret}", "{secret}/generate"]
                .iter()
                .any(|end| path.ends_with(end));
        if !names_something || makes {
            continue;
        }
        let path = path.replace(['{', '}'], "");
        sim.advance(Duration::from_secs(2));
        let answer =
            send(&sim, operation.method, &path, &[], Some(body.to_string())).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 404, "{} {path}: {text}", operation.method);
        assert!(answer.json()["error"].as_str().is_some_and(|text| !text.is_empty()), "{path}");
    }
    for path in ["/v1/orgs/nobody/machines", "/v1/orgs/nobody/volumes", "/v1/apps?org_slug=nobody"]
    {
        assert_eq!(get(&sim, path).await.status, 404, "{path}");
    }
    assert_eq!(everything(&sim).await, before);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_plain_404s() {
    let sim = virtual_sim("healthy").await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "/v2/apps"),
        ("GET", "/v1/apps/"),
        ("GET", "/v1/apps/demo/machines/"),
        ("GET", "/v1/apps/demo/nothing"),
        ("PATCH", "/v1/apps/demo"),
        ("TRACE", "/v1/apps/demo"),
        ("GET", "/v1/apps/demo/machines/148e21ea7e4389/wait/more"),
    ] {
        let answer = send(&sim, method, path, &[], None).await.unwrap();
        assert_eq!(answer.status, 404, "{method} {path}");
        assert!(answer.header("fly-request-id").is_some());
        assert!(
            answer.header("content-type").unwrap().starts_with("text/plain"),
            "{method} {path}"
        );
    }
}
