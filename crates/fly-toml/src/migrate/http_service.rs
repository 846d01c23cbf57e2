//! `[[services]]` on ports 80 and 443 folded into `[http_service]`, where that loses nothing.

use super::{Change, Open, Step, entries, path};
use crate::document::Document;
use crate::edit;
use crate::syntax::{Table, Value, to_json};

/// Keys that mean the same in both, and what they are called there.
const KEPT: &[(&str, &str)] = &[
    ("internal_port", "internal_port"),
    ("auto_stop_machines", "auto_stop_machines"),
    ("auto_start_machines", "auto_start_machines"),
    ("min_machines_running", "min_machines_running"),
    ("processes", "processes"),
    ("concurrency", "concurrency"),
    ("http_checks", "checks"),
    ("machine_checks", "machine_checks"),
];

/// Folds the only service that qualifies.
pub(super) fn fold(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    if root.get("http_service").is_some() {
        return None;
    }
    let mut candidates = entries(root, "", "services").into_iter();
    let (at, service) = candidates.find(|(_, service)| qualifies(service))?;
    if candidates.any(|(_, other)| qualifies(other)) {
        return None;
    }
    let force_https = ports(service).iter().any(|port| {
        port.value("port").map(to_json) == Some(80.into())
            && port.value("force_https").map(to_json) == Some(true.into())
    });
    let mut current = Document::parse(edit::unset(document, &path(&at)?).ok()?);
    let put = |current: &mut Document, at: &str, literal: &str| -> Option<()> {
        *current = Document::parse(edit::set(current, &path(at)?, literal).ok()?);
        Some(())
    };
    for (old, new) in KEPT {
        let Some(value) = service.value(old) else { continue };
        for (below, literal) in leaves(document, value) {
            put(&mut current, &format!("http_service.{new}{below}"), &literal)?;
        }
        if *old == "internal_port" && force_https {
            put(&mut current, "http_service.force_https", "true")?;
        }
    }
    let change = Change::new(
        at.as_str(),
        format!("`{at}` becomes [http_service]"),
        "It is the shorter form for exactly these ports and handlers. Comments inside the old section are not carried over.",
    );
    Some(Step { text: current.text().to_owned(), change })
}

fn ports(service: &Table) -> Vec<&Table> {
    entries(service, "", "ports").into_iter().map(|(_, port)| port).collect()
}

/// Exactly port 80 with http and port 443 with tls and http, over TCP, and nothing that `[http_service]` lacks.
fn qualifies(service: &Table) -> bool {
    let known = |name: &str| {
        name == "protocol" || name == "ports" || KEPT.iter().any(|(old, _)| *old == name)
    };
    let protocol = service.value("protocol").is_none_or(|value| value.as_str() == Some("tcp"));
    let listed = |service: &Table, name: &str| {
        service.value(name).is_none_or(|value| value.as_table().is_none())
    };
    let ports = ports(service);
    let is = |port: &&Table, number: i64, handlers: &[&str]| {
        let mut names: Vec<&str> = port
            .value("handlers")
            .map_or(&[][..], Value::items)
            .iter()
            .filter_map(Value::as_str)
            .collect();
        names.sort_unstable();
        let plain = port.entries().iter().all(|entry| {
            matches!(entry.key.name.as_str(), "port" | "handlers")
                || (entry.key.name == "force_https"
                    && (number == 80 || to_json(&entry.value) == false))
        });
        plain && names == handlers && port.value("port").map(to_json) == Some(number.into())
    };
    protocol
        && service.entries().iter().all(|entry| known(&entry.key.name))
        && listed(service, "http_checks")
        && ports.len() == 2
        && ports.iter().any(|port| is(port, 80, &["http"]))
        && ports.iter().any(|port| is(port, 443, &["http", "tls"]))
}

/// Values below a value with their literals, so that each can be set in its new place.
fn leaves(document: &Document, value: &Value) -> Vec<(String, String)> {
    let mut out = Vec::new();
    walk(document, value, String::new(), &mut out);
    out
}

fn walk(document: &Document, value: &Value, at: String, out: &mut Vec<(String, String)>) {
    use crate::syntax::Kind;
    match &value.kind {
        Kind::Table(table) if !table.is_empty() => {
            for entry in table.entries() {
                let below = format!("{at}.{}", edit::key(&entry.key.name));
                walk(document, &entry.value, below, out);
            }
        }
        Kind::Array(items)
            if !items.is_empty() && items.iter().all(|item| item.as_table().is_some()) =>
        {
            for (number, item) in items.iter().enumerate() {
                walk(document, item, format!("{at}[{number}]"), out);
            }
        }
        _ => out.push((at, value.span.of(document.text()).to_owned())),
    }
}
