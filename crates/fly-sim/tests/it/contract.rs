//! Every answer of the Machines API against Fly.io's OpenAPI document and one visible table of differences.

use std::collections::BTreeSet;
use std::time::Duration;

use fly_sim::{ClockMode, Options, Sim, World, operations};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Answer, send};

const DOCUMENT: &str = include_str!("../../data/openapi3.json");
const OVERRIDES: &str = include_str!("../data/contract-overrides.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Overrides {
    field: Vec<FieldRow>,
    null: Vec<NullRow>,
    required: Vec<RequiredRow>,
    body: Vec<BodyRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldRow {
    schema: String,
    field: String,
    #[serde(rename = "type")]
    kind: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NullRow {
    schema: String,
    fields: Vec<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequiredRow {
    schema: String,
    keys: Vec<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyRow {
    operations: Vec<String>,
    status: u16,
    /// Name → JSON type, schema name, or `[schema name]`.
    fields: toml::Table,
    reason: String,
}

struct Contract {
    document: Value,
    overrides: Overrides,
    problems: Vec<String>,
    /// Rows of the table that were needed.
    used: BTreeSet<String>,
    answered: BTreeSet<(String, u16)>,
}

impl Contract {
    fn new() -> Self {
        Self {
            document: serde_json::from_str(DOCUMENT).unwrap(),
            overrides: toml::from_str(OVERRIDES).unwrap(),
            problems: Vec::new(),
            used: BTreeSet::new(),
            answered: BTreeSet::new(),
        }
    }

    fn answer(&mut self, operation: &str, answer: &Answer) {
        self.answered.insert((operation.to_owned(), answer.status));
        let place = format!("{operation} {}", answer.status);
        if answer.header("fly-request-id").is_none() {
            self.problems.push(format!("{place}: no fly-request-id"));
        }
        if answer.status >= 400 {
            let body = answer.json();
            self.check(&body, &json!({ "$ref": "#/components/schemas/ErrorResponse" }), &place, "");
            if body["error"].as_str().is_none_or(str::is_empty) {
                self.problems.push(format!("{place}: no error text"));
            }
            return;
        }
        let row = self.overrides.body.iter().position(|row| {
            row.status == answer.status && row.operations.iter().any(|name| name == operation)
        });
        if let Some(row) = row {
            self.used.insert(format!("body {row}"));
            let fields = self.overrides.body[row].fields.clone();
            self.fields(&answer.json(), &fields, &place);
            return;
        }
        let Some(declared) = self.declared(operation, answer.status) else {
            self.problems.push(format!("{place}: status is not declared"));
            return;
        };
        match declared {
            schema if schema == "text" => {
                let kind = answer.header("content-type").unwrap_or_default();
                if answer.body.is_empty() || !kind.starts_with("text/plain") {
                    self.problems.push(format!("{place}: no text"));
                }
            }
            schema if !schema.is_null() => self.check(&answer.json(), &schema, &place, ""),
            _ if answer.body.is_empty() => {}
            _ => self.problems.push(format!("{place}: a body, but none is declared")),
        }
    }

    /// The schema of an answer; null when no body is declared.
    fn declared(&self, operation: &str, status: u16) -> Option<Value> {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = path.strip_prefix("/v1").unwrap();
        let plain = |path: &str| {
            let segments = path.split('/');
            segments
                .map(|s| if s.starts_with('{') { "{}" } else { s })
                .collect::<Vec<_>>()
                .join("/")
        };
        let paths = self.document["paths"].as_object().unwrap();
        let (_, item) = paths.iter().find(|(name, _)| plain(name) == plain(path))?;
        let answer = item[method.to_lowercase()]["responses"].get(status.to_string())?;
        if answer["content"].get("text/plain").is_some() {
            return Some(json!("text"));
        }
        Some(answer["content"]["application/json"]["schema"].clone())
    }

    fn fields(&mut self, body: &Value, fields: &toml::Table, place: &str) {
        let Some(object) = body.as_object() else {
            self.problems.push(format!("{place}: no object"));
            return;
        };
        for (name, value) in object {
            let place = format!("{place}.{name}");
            match fields.get(name).and_then(toml::Value::as_str) {
                Some(kind) => self.kind(value, kind, &place),
                None => self.problems.push(format!("{place}: not in the override row")),
            }
        }
        for name in fields.keys().filter(|name| !object.contains_key(*name)) {
            self.problems.push(format!("{place}.{name} is missing"));
        }
    }

    fn kind(&mut self, value: &Value, kind: &str, place: &str) {
        if let Some(inner) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            match value.as_array() {
                Some(items) => items.iter().for_each(|item| self.kind(item, inner, place)),
                None => self.problems.push(format!("{place}: no array")),
            }
            return;
        }
        if kind.contains('|') {
            if !kind.split('|').any(|kind| is_kind(value, kind)) {
                self.problems.push(format!("{place}: {value} is no {kind}"));
            }
            return;
        }
        let simple = ["string", "integer", "number", "boolean", "object", "null", "any"];
        if simple.contains(&kind) {
            if !is_kind(value, kind) {
                self.problems.push(format!("{place}: {value} is no {kind}"));
            }
        } else {
            let reference = format!("#/components/schemas/{kind}");
            self.check(value, &json!({ "$ref": reference }), place, "");
        }
    }

    fn check(&mut self, value: &Value, schema: &Value, place: &str, name: &str) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap().to_owned();
            let schema = self.document["components"]["schemas"][&name].clone();
            assert!(schema.is_object(), "{place}: no schema {name}");
            self.check(value, &schema, place, &name);
            return;
        }
        if let Some(Value::Array(parts)) = schema.get("allOf") {
            for part in parts.clone() {
                self.check(value, &part, place, name);
            }
            return;
        }
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or("any");
        if !is_kind(value, kind) {
            self.problems.push(format!("{place}: {value} is no {kind}"));
            return;
        }
        if let Some(Value::Array(known)) = schema.get("enum")
            && !known.contains(value)
        {
            self.problems.push(format!("{place}: {value} is not among {known:?}"));
        }
        match value {
            Value::Array(items) => {
                let inner = schema.get("items").cloned().unwrap_or_default();
                for item in items {
                    self.check(item, &inner, &format!("{place}[]"), "");
                }
            }
            Value::Object(object) => {
                for (field, value) in object {
                    let place = format!("{place}.{field}");
                    self.field(value, schema, field, &place, name);
                }
                self.required(value, name, place);
            }
            _ => {}
        }
    }

    fn field(&mut self, value: &Value, schema: &Value, field: &str, place: &str, name: &str) {
        if value.is_null() {
            let row = self.overrides.null.iter().position(|row| {
                row.schema == name && row.fields.iter().any(|known| known == field)
            });
            match row {
                Some(row) => drop(self.used.insert(format!("null {row}"))),
                None => self.problems.push(format!("{place}: null in {name}")),
            }
            return;
        }
        let fields = &self.overrides.field;
        if let Some(row) = fields.iter().position(|row| row.schema == name && row.field == field) {
            self.used.insert(format!("field {row}"));
            let kind = self.overrides.field[row].kind.clone();
            self.kind(value, &kind, place);
            return;
        }
        if let Some(inner) = schema["properties"].get(field).cloned() {
            self.check(value, &inner, place, "");
            return;
        }
        if let Some(inner) = schema.get("additionalProperties").filter(|v| v.is_object()).cloned() {
            self.check(value, &inner, place, "");
            return;
        }
        // A schema without properties says nothing about its fields.
        if schema.get("properties").is_some() {
            self.problems.push(format!("{place}: not in schema {name:?}"));
        }
    }

    fn required(&mut self, value: &Value, name: &str, place: &str) {
        for (row, required) in self.overrides.required.iter().enumerate() {
            if required.schema != name {
                continue;
            }
            self.used.insert(format!("required {row}"));
            for key in required.keys.iter().filter(|key| value.get(*key).is_none()) {
                self.problems.push(format!("{place}.{key} is missing ({})", required.reason));
            }
        }
    }
}

fn is_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

const M: &str = "/v1/apps/demo/machines/148e21ea7e4389";
const K: &str = "/v1/apps/demo/secretkeys/key";
const V: &str = "/v1/apps/demo/volumes/vol_9vle3lw21kmzn6d4";

/// Calls in an order in which each finds what it needs: method, path, body, expected status.
fn script() -> Vec<(&'static str, String, Value, u16)> {
    let get = |path: &str| ("GET", path.to_owned(), Value::Null, 200);
    let m = |rest: &str| format!("{M}{rest}");
    let none = Value::Null;
    let image = json!({ "config": { "image": "nginx" }, "region": "fra" });
    vec![
        get("/v1/apps?org_slug=personal"),
        ("GET", "/v1/apps".into(), none.clone(), 400),
        get("/v1/apps/demo"),
        get("/v1/apps/demo/machines"),
        get(M),
        get(&m("/events")),
        get(&m("/versions")),
        get(&m("/ps")),
        get(&m("/memory")),
        get(&m("/wait?timeout=1")),
        ("GET", m("/wait?timeout=99"), none.clone(), 400),
        ("GET", m("/lease"), none.clone(), 404),
        get(&m("/metadata")),
        get(&m("/metadata/fly_process_group")),
        ("GET", m("/metadata/nothing"), none.clone(), 404),
        get("/v1/apps/demo/volumes"),
        get(V),
        get(&format!("{V}/snapshots")),
        get("/v1/apps/demo/secrets"),
        get("/v1/apps/demo/secrets/SECRET_KEY_BASE?show_secrets=true"),
        get("/v1/apps/demo/certificates"),
        get("/v1/apps/demo/certificates/www.example.com"),
        ("POST", "/v1/apps/demo/certificates/www.example.com/check".into(), none.clone(), 200),
        get("/v1/apps/demo/ip_assignments"),
        get("/v1/orgs/personal/machines"),
        get("/v1/orgs/personal/volumes"),
        get("/v1/platform/regions"),
        get("/v1/tokens/current"),
        ("PUT", m("/memory"), json!({ "limit_mb": 300 }), 200),
        ("POST", m("/memory/reclaim"), json!({ "amount_mb": 10 }), 200),
        ("PUT", m("/metadata"), json!({ "metadata": { "a": "1" } }), 204),
        ("PUT", m("/metadata"), json!({ "metadata": { "a": 1 } }), 400),
        ("PATCH", m("/metadata"), json!({ "metadata": { "b": "1" } }), 204),
        ("PATCH", m("/metadata"), json!({ "metadata": {}, "machine_version": "x" }), 412),
        ("POST", m("/metadata/k"), json!({ "value": "v" }), 204),
        ("DELETE", m("/metadata/k"), none.clone(), 204),
        ("POST", m("/exec"), json!({ "command": ["echo", "hi"] }), 200),
        ("POST", m("/exec"), json!({ "command": 1 }), 400),
        ("POST", m("/cordon"), none.clone(), 200),
        ("POST", m("/uncordon"), none.clone(), 200),
        ("POST", m("/signal"), json!({ "signal": "SIGUSR1" }), 200),
        ("POST", m("/signal"), json!({ "signal": "SIGNAL" }), 400),
        ("POST", m("/start"), none.clone(), 412),
        ("POST", m("/restart"), none.clone(), 200),
        ("POST", m("/stop"), json!(["x"]), 400),
        ("POST", m("/stop"), none.clone(), 200),
        ("POST", m("/start"), none.clone(), 200),
        ("POST", m("/suspend"), none.clone(), 200),
        ("POST", M.into(), json!({ "config": {} }), 400),
        ("POST", M.into(), image.clone(), 200),
        ("DELETE", M.into(), none.clone(), 200),
        ("POST", "/v1/apps/demo/machines".into(), image, 200),
        (
            "POST",
            "/v1/apps/demo/machines".into(),
            json!({ "config": { "image": "x", "env": { "A": 1 } } }),
            400,
        ),
        ("POST", "/v1/apps/demo/machines/3d8d9931f46789/lease".into(), json!({ "ttl": 60 }), 201),
        ("GET", "/v1/apps/demo/machines/3d8d9931f46789/lease".into(), none.clone(), 200),
        ("POST", "/v1/apps/demo/machines/3d8d9931f46789/stop".into(), none.clone(), 409),
        (
            "POST",
            "/v1/apps/demo/volumes".into(),
            json!({ "name": "more", "region": "fra", "size_gb": null }),
            200,
        ),
        ("POST", "/v1/apps/demo/volumes".into(), json!({ "name": "more", "region": "eu" }), 400),
        ("PUT", V.into(), json!({ "snapshot_retention": 7 }), 200),
        ("PUT", V.into(), json!({ "snapshot_retention": 700 }), 400),
        ("PUT", format!("{V}/extend"), json!({ "size_gb": 20 }), 200),
        ("PUT", format!("{V}/extend"), json!({ "size_gb": 2 }), 400),
        ("POST", format!("{V}/snapshots"), none.clone(), 200),
        ("DELETE", V.into(), none.clone(), 412),
        ("POST", "/v1/apps/demo/secrets".into(), json!({ "values": { "A": "1", "B": null } }), 200),
        ("POST", "/v1/apps/demo/secrets".into(), json!({ "values": [1] }), 400),
        ("POST", "/v1/apps/demo/secrets/C".into(), json!({ "value": "1" }), 201),
        ("DELETE", "/v1/apps/demo/secrets/C".into(), none.clone(), 200),
        ("DELETE", "/v1/apps/demo/secrets/C".into(), none.clone(), 404),
        (
            "POST",
            "/v1/apps/demo/certificates/acme".into(),
            json!({ "hostname": "a.example.com" }),
            201,
        ),
        ("POST", "/v1/apps/demo/certificates/acme".into(), json!({ "hostname": "no host" }), 422),
        (
            "POST",
            "/v1/apps/demo/certificates/custom".into(),
            json!({ "hostname": "b.example.com", "fullchain": "x", "private_key": "y" }),
            201,
        ),
        ("DELETE", "/v1/apps/demo/certificates/a.example.com/acme".into(), none.clone(), 200),
        ("DELETE", "/v1/apps/demo/certificates/b.example.com/custom".into(), none.clone(), 200),
        ("DELETE", "/v1/apps/demo/certificates/a.example.com".into(), none.clone(), 204),
        ("POST", "/v1/apps/demo/ip_assignments".into(), json!({ "type": "v6" }), 200),
        ("POST", "/v1/apps/demo/ip_assignments".into(), json!({ "type": "v5" }), 400),
        ("DELETE", "/v1/apps/demo/ip_assignments/66.241.124.236".into(), none.clone(), 204),
        (
            "POST",
            "/v1/platform/placements".into(),
            json!({ "org_slug": "personal", "region": "fra" }),
            200,
        ),
        ("POST", K.into(), json!({ "type": "nacl_secretbox", "value": "AAEC" }), 201),
        ("POST", K.into(), json!({ "type": "rot13", "value": [1] }), 400),
        ("POST", format!("{K}/generate"), json!({ "type": "xaes256gcm" }), 201),
        get("/v1/apps/demo/secretkeys"),
        ("POST", format!("{K}/generate"), json!({ "type": "es256" }), 201),
        get(K),
        ("POST", format!("{K}/generate"), json!({ "type": "xaes256gcm" }), 201),
        ("POST", format!("{K}/encrypt"), json!({ "plaintext": [104, 105] }), 200),
        ("POST", format!("{K}/decrypt"), json!({ "ciphertext": "AAEC" }), 400),
        ("POST", format!("{K}/sign"), json!({ "plaintext": "aGk=" }), 400),
        ("POST", format!("{K}/generate"), json!({ "type": "hs256" }), 201),
        ("POST", format!("{K}/sign"), json!({ "plaintext": "aGk=" }), 200),
        ("POST", format!("{K}/verify"), json!({ "plaintext": "aGk=", "signature": "aGk=" }), 400),
        ("POST", "/v1/tokens/authenticate".into(), json!({ "header": "FlyV1 fm2_x" }), 200),
        ("POST", "/v1/tokens/authenticate".into(), json!({ "header": "" }), 400),
        (
            "POST",
            "/v1/tokens/authorize".into(),
            json!({ "header": "fm2_x", "access": { "org_slug": "personal", "action": 1 } }),
            200,
        ),
        ("POST", "/v1/tokens/authorize".into(), json!({ "header": "fm2_x" }), 400),
        ("POST", "/v1/tokens/oidc".into(), none.clone(), 200),
        ("POST", "/v1/tokens/kms".into(), none.clone(), 200),
        ("POST", "/v1/apps/demo/deploy_token".into(), json!({ "expiry": "24h" }), 200),
        ("POST", "/v1/apps/demo/deploy_token".into(), json!({ "expiry": "soon" }), 400),
        ("POST", "/v1/apps/demo/deploy_token".into(), none.clone(), 400),
        ("POST", "/v1/apps".into(), json!({ "name": "new", "org_slug": "personal" }), 201),
        ("POST", "/v1/apps".into(), json!({ "name": "new", "org_slug": "personal" }), 422),
        ("POST", "/v1/apps".into(), json!({ "name": "new" }), 400),
        ("DELETE", "/v1/apps/new".into(), none.clone(), 202),
        ("DELETE", "/v1/apps/new".into(), none, 404),
    ]
}

fn operation_of(sim: &Sim) -> String {
    let last = sim.requests().pop().unwrap();
    format!("{} {}", last.method, last.route.unwrap())
}

#[tokio::test]
async fn every_operation_keeps_the_contract() {
    let options = Options { clock: ClockMode::Virtual, ..Options::default() };
    let sim = Sim::start(World::named("healthy").unwrap(), options).await.unwrap();
    let mut contract = Contract::new();
    for (method, path, body, status) in script() {
        sim.advance(Duration::from_secs(3));
        let body = (!body.is_null()).then(|| body.to_string());
        let answer = send(&sim, method, &path, &[], body).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{method} {path}: {text}");
        contract.answer(&operation_of(&sim), &answer);
    }
    // The lease's own nonce ends it; the volume is free once its Machine is gone.
    let lease = "/v1/apps/demo/machines/6e82d5f1c01e87/lease";
    let acquired = send(&sim, "POST", lease, &[], None).await.unwrap();
    contract.answer(&operation_of(&sim), &acquired);
    let nonce = acquired.json()["data"]["nonce"].as_str().unwrap().to_owned();
    let headers = [("fly-machine-lease-nonce", nonce.as_str())];
    let released = send(&sim, "DELETE", lease, &headers, None).await.unwrap();
    contract.answer(&operation_of(&sim), &released);
    let machine = "/v1/apps/demo/machines/6e82d5f1c01e87";
    send(&sim, "DELETE", &format!("{machine}?force=true"), &[], None).await.unwrap();
    sim.advance(Duration::from_secs(3));
    let deleted = send(&sim, "DELETE", V, &[], None).await.unwrap();
    assert_eq!(deleted.json()["state"], "scheduling_destroy");
    contract.answer(&operation_of(&sim), &deleted);
    keys_decrypt_and_verify(&sim, &mut contract).await;
    // Nothing of another app, and nothing of no app.
    for operation in operations().filter(|operation| operation.path.contains("{app}")) {
        if !operation.path.starts_with("/v1/") {
            continue;
        }
        let path = operation.path.replace("{app}", "no-such-app").replace(['{', '}'], "");
        let answer = send(&sim, operation.method, &path, &[], Some("{}".into())).await.unwrap();
        assert_eq!(answer.status, 404, "{} {path}", operation.method);
        contract.answer(&format!("{} {}", operation.method, operation.path), &answer);
    }
    for operation in operations().filter(|operation| {
        operation.path.starts_with("/v1/apps")
            || operation.path.starts_with("/v1/orgs")
            || operation.path.starts_with("/v1/platform")
            || operation.path.starts_with("/v1/tokens")
    }) {
        let name = format!("{} {}", operation.method, operation.path);
        let good = contract.answered.iter().any(|(seen, status)| *seen == name && *status < 300);
        assert!(good, "no successful answer of {name} was checked");
    }
    assert!(contract.problems.is_empty(), "\n{}", unique(&contract.problems).join("\n"));
    rows_are_needed(&contract);
}

/// What a key encrypted or signed is accepted again, and deleting it ends that.
async fn keys_decrypt_and_verify(sim: &Sim, contract: &mut Contract) {
    let mut post = async |path: String, body: Value| {
        sim.advance(Duration::from_secs(3));
        let answer = send(sim, "POST", &path, &[], Some(body.to_string())).await.unwrap();
        contract.answer(&operation_of(sim), &answer);
        answer
    };
    let signed = post(format!("{K}/sign"), json!({ "plaintext": "aGk=" })).await.json();
    let again = json!({ "plaintext": "aGk=", "signature": signed["signature"] });
    assert_eq!(post(format!("{K}/verify"), again).await.status, 204);
    post(format!("{K}/generate"), json!({ "type": "nacl_box" })).await;
    let text = json!({ "plaintext": "aGk=", "associated_data": "eA==" });
    let sealed = post(format!("{K}/encrypt"), text).await.json();
    let open = json!({ "ciphertext": sealed["ciphertext"], "associated_data": "eA==" });
    assert_eq!(post(format!("{K}/decrypt"), open).await.json()["plaintext"], "aGk=");
    let deleted = send(sim, "DELETE", K, &[], None).await.unwrap();
    contract.answer(&operation_of(sim), &deleted);
    assert_eq!(send(sim, "GET", K, &[], None).await.unwrap().status, 404);
}

fn unique(problems: &[String]) -> Vec<String> {
    let set: BTreeSet<String> = problems.iter().cloned().collect();
    set.into_iter().collect()
}

/// A row that nothing needs any more hides the next mistake; a row without a reason explains nothing.
fn rows_are_needed(contract: &Contract) {
    let overrides = &contract.overrides;
    let rows = |kind: &str, reasons: Vec<&String>| {
        for (row, reason) in reasons.into_iter().enumerate() {
            assert!(reason.len() > 10, "{kind} row {row} has no reason");
            assert!(
                contract.used.contains(&format!("{kind} {row}")),
                "{kind} row {row} is not needed: {reason}"
            );
        }
    };
    rows("field", overrides.field.iter().map(|row| &row.reason).collect());
    rows("null", overrides.null.iter().map(|row| &row.reason).collect());
    rows("required", overrides.required.iter().map(|row| &row.reason).collect());
    rows("body", overrides.body.iter().map(|row| &row.reason).collect());
}
