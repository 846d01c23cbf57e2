//! Services and checks from machine configs back to sections.

use serde_json::{Value, json};

use super::toml::{Writer, literal};

/// A service and the groups that have it; none when the file has no groups.
pub(super) struct Placed {
    pub(super) groups: Vec<String>,
    pub(super) service: Value,
}

/// Writes all services: the first that `[http_service]` can hold as such, the rest as `[[services]]`.
pub(super) fn write(services: &[Placed], out: &mut Writer, notes: &mut Vec<String>) {
    // flyctl puts the http_service first; were another taken, the order would change.
    let http = services.iter().take(1).filter(|placed| is_http(&placed.service)).count();
    for (at, placed) in services.iter().enumerate() {
        if at < http {
            http_service(placed, out, notes);
        } else {
            plain_service(placed, out, notes);
        }
    }
}

/// Ports 80 and 443 in the form that flyctl gives an `[http_service]`, HTTP checks only.
fn is_http(service: &Value) -> bool {
    let [plain, secure] = service["ports"].as_array().map_or(&[][..], Vec::as_slice) else {
        return false;
    };
    let only = |port: &Value, keys: &[&str]| {
        port.as_object().is_some_and(|map| map.keys().all(|key| keys.contains(&key.as_str())))
    };
    let checks = service["checks"].as_array().map_or(&[][..], Vec::as_slice);
    service["protocol"] == "tcp"
        && plain["port"] == 80
        && plain["handlers"] == json!(["http"])
        && only(plain, &["port", "handlers", "force_https", "http_options"])
        && secure["port"] == 443
        && secure["handlers"] == json!(["http", "tls"])
        && only(secure, &["port", "handlers", "http_options", "tls_options"])
        && plain["http_options"] == secure["http_options"]
        && checks.iter().all(|check| check["type"] == "http")
}

fn http_service(placed: &Placed, out: &mut Writer, notes: &mut Vec<String>) {
    let service = &placed.service;
    out.table(0, "http_service");
    out.plain("internal_port", service["internal_port"].as_i64());
    out.plain("force_https", service["ports"][0]["force_https"].as_bool());
    common(service, out);
    out.list("processes", &placed.groups);
    concurrency(service, "http_service", out);
    options(&service["ports"][1], 1, "http_service", out);
    for check in service["checks"].as_array().into_iter().flatten() {
        out.entry(1, "http_service.checks");
        fields(check, out, notes);
    }
}

fn plain_service(placed: &Placed, out: &mut Writer, notes: &mut Vec<String>) {
    let service = &placed.service;
    out.entry(0, "services");
    out.text("protocol", service["protocol"].as_str());
    out.plain("internal_port", service["internal_port"].as_i64());
    common(service, out);
    out.list("processes", &placed.groups);
    concurrency(service, "services", out);
    for port in service["ports"].as_array().into_iter().flatten() {
        out.entry(1, "services.ports");
        for key in ["port", "start_port", "end_port"] {
            out.plain(key, port[key].as_i64());
        }
        if let Some(handlers) = port.get("handlers").and_then(literal) {
            out.raw("handlers", &handlers);
        }
        out.plain("force_https", port["force_https"].as_bool());
        options(port, 2, "services.ports", out);
    }
    for check in service["checks"].as_array().into_iter().flatten() {
        match check["type"].as_str() {
            Some("tcp") => out.entry(1, "services.tcp_checks"),
            Some("http") => out.entry(1, "services.http_checks"),
            other => {
                notes.push(format!("a service check of type {other:?} cannot be said in fly.toml"));
                continue;
            }
        }
        fields(check, out, notes);
    }
}

fn common(service: &Value, out: &mut Writer) {
    match &service["autostop"] {
        Value::Bool(true) => out.text("auto_stop_machines", Some("stop")),
        Value::Bool(false) => out.text("auto_stop_machines", Some("off")),
        Value::String(word) => out.text("auto_stop_machines", Some(word)),
        _ => {}
    }
    out.plain("auto_start_machines", service["autostart"].as_bool());
    out.plain("min_machines_running", service["min_machines_running"].as_i64());
}

fn concurrency(service: &Value, section: &str, out: &mut Writer) {
    let limits = &service["concurrency"];
    if limits.is_object() {
        out.table(1, &format!("{section}.concurrency"));
        out.text("type", limits["type"].as_str());
        out.plain("soft_limit", limits["soft_limit"].as_i64());
        out.plain("hard_limit", limits["hard_limit"].as_i64());
    }
}

/// The option tables of a port, each on its own line in braces where it holds only values.
fn options(port: &Value, level: usize, section: &str, out: &mut Writer) {
    for name in ["tls_options", "http_options", "proxy_proto_options"] {
        let Some(map) = port[name].as_object() else { continue };
        out.table(level, &format!("{section}.{name}"));
        let mut keys: Vec<&String> = map.keys().collect();
        keys.sort();
        for key in keys {
            if let Some(value) = literal(&map[key]) {
                out.raw(key, &value);
            }
        }
    }
}

/// The fields of a check, its type left out.
fn fields(check: &Value, out: &mut Writer, notes: &mut Vec<String>) {
    for key in ["interval", "timeout", "grace_period", "method", "path", "protocol"] {
        match &check[key] {
            Value::String(text) => out.text(key, Some(text)),
            // Nanoseconds, in old answers.
            Value::Number(number) => {
                let text = number.as_i64().map(crate::schema::go::duration);
                out.text(key, text.as_deref());
            }
            _ => {}
        }
    }
    out.plain("tls_skip_verify", check["tls_skip_verify"].as_bool());
    out.text("tls_server_name", check["tls_server_name"].as_str());
    let headers = check["headers"].as_array().into_iter().flatten();
    let pairs: serde_json::Map<String, Value> = headers
        .filter_map(|header| {
            let values = header["values"].as_array()?;
            if values.len() > 1 {
                notes.push(format!(
                    "the header {} of a check has several values; the file keeps the first",
                    header["name"]
                ));
            }
            Some((header["name"].as_str()?.to_owned(), values.first()?.clone()))
        })
        .collect();
    if !pairs.is_empty()
        && let Some(table) = literal(&Value::Object(pairs))
    {
        out.raw("headers", &table);
    }
}

/// Top-level checks, each with the groups that have it.
pub(super) fn checks(checks: Vec<(Vec<String>, Value)>, out: &mut Writer, notes: &mut Vec<String>) {
    let mut taken = Vec::new();
    for (groups, check) in checks {
        let name = check["name"].as_str().unwrap_or("check").to_owned();
        if taken.contains(&name) {
            notes.push(format!(
                "the check {name} differs between groups; the file has one check of a name"
            ));
            continue;
        }
        out.table(0, &format!("checks.{}", crate::edit::key(&name)));
        out.text("type", check["type"].as_str());
        out.plain("port", check["port"].as_i64());
        fields(&check, out, notes);
        out.list("processes", &groups);
        if check["kind"] == "readiness" {
            notes.push(format!("the check {name} is a readiness check; fly.toml cannot say that"));
        }
        taken.push(name);
    }
}
