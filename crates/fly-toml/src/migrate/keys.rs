//! Single keys: dead ones go, moved ones move, numbers get units.

use super::{Change, Open, Step, entries, rewrite, service_checks, set, top_checks, unset};
use crate::diag::Edit;
use crate::document::Document;
use crate::edit;
use crate::syntax::{Kind, Table, Value};

const NO_RESTARTS: &str = "Since Apps v2 failing checks restart nothing; they only take a Machine out of the proxy's pool. A process that hangs has to exit by itself.";
const NO_SCRIPTS: &str = "Script checks ended with Apps v1. An http or tcp check sees most of what they saw; a machine check runs a command once per deploy.";
const OF_V1: &str = "The key ended with Apps v1 and has had no effect since.";

pub(super) fn empty_processes(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let value = document.root().value("processes")?;
    let empty = matches!(&value.kind, Kind::Array(items) if items.is_empty());
    let change = Change::new(
        "processes",
        "the empty list `processes = []` is deleted",
        "Apps v1 wrote it into each file. flyctl drops it, and a [processes] table added later would make the file invalid.",
    );
    if empty { unset(document, "processes", change) } else { None }
}

/// Keys without effect: the table's path, the key, what follows, whether something was lost.
pub(super) fn dead(document: &Document, open: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    let mut found: Vec<(String, &'static str, bool)> = Vec::new();
    let mut look = |at: &str, table: &Table, keys: &[&str], why, lost: bool| {
        for key in keys.iter().filter(|key| table.get(key).is_some()) {
            let path = if at.is_empty() { (*key).to_owned() } else { format!("{at}.{key}") };
            found.push((path, why, lost && !is_empty(table.value(key))));
        }
    };
    for (at, table) in service_checks(root) {
        look(&at, table, &["restart_limit"], NO_RESTARTS, true);
        look(
            &at,
            table,
            &["port"],
            "Checks of a service ask its internal_port. A check of another port is a top-level [checks.NAME].",
            true,
        );
    }
    let routed = entries(root, "", "http_service")
        .into_iter()
        .flat_map(|(at, service)| entries(service, &at, "checks"));
    for (at, table) in top_checks(root).into_iter().chain(routed) {
        look(&at, table, &["restart_limit"], NO_RESTARTS, true);
    }
    for (at, table) in
        entries(root, "", "services").into_iter().chain(entries(root, "", "http_service"))
    {
        look(&at, table, &["script_checks"], NO_SCRIPTS, true);
    }
    look("", root, &["script_checks"], NO_SCRIPTS, true);
    look("", root, &["restart_limit"], NO_RESTARTS, true);
    if let Some(table) = root.value("experimental").and_then(Value::as_table) {
        look(
            "experimental",
            table,
            &["allowed_public_ports", "private_network", "enable_6pn"],
            OF_V1,
            false,
        );
        look(
            "experimental",
            table,
            &["auto_rollback"],
            "On Machines nothing is rolled back by itself: a failed deploy stops, and the old Machines stay as they are.",
            true,
        );
        look(
            "experimental",
            table,
            &["lazy_load_images"],
            "It has had no effect since May 2025.",
            false,
        );
        for key in ["enable_consul", "enable_etcd"] {
            if matches!(table.value(key).map(|value| &value.kind), Some(Kind::Boolean(true))) {
                open.push(Open {
                    path: format!("experimental.{key}"),
                    question: "flyctl stores the flag, but it reaches no Machine. Attach Consul with `fly consul attach` if the app needs it, then delete the key.",
                });
            }
        }
    }
    let (at, why, lost) = found.into_iter().next()?;
    let change = Change::new(at.as_str(), format!("`{at}` is deleted"), why);
    let change = if lost { change.without_counterpart() } else { change };
    unset(document, &at, change)
}

/// Zero, false and empty lists asked for nothing, so nothing is lost.
fn is_empty(value: Option<&Value>) -> bool {
    match value.map(|value| &value.kind) {
        Some(Kind::Array(items)) => items.is_empty(),
        Some(Kind::Integer(0) | Kind::Boolean(false)) | None => true,
        _ => false,
    }
}

fn text_of<'a>(document: &'a Document, value: &Value) -> &'a str {
    value.span.of(document.text())
}

/// Whole seconds of a bare number, as flyctl reads it.
fn seconds(value: &Value) -> Option<String> {
    match value.kind {
        Kind::Integer(number) => Some(format!("\"{number}s\"")),
        Kind::Float(number) => Some(format!("\"{}s\"", number.trunc())),
        _ => None,
    }
}

pub(super) fn experimental_kill_timeout(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let table = document.root().value("experimental")?.as_table()?;
    let value = table.value("kill_timeout")?;
    let at = "experimental.kill_timeout";
    let removed = edit::unset(document, &super::path(at)?).ok()?;
    if document.root().get("kill_timeout").is_some() {
        let change = Change::new(
            at,
            "`experimental.kill_timeout` is deleted",
            "The kill_timeout at the top level is the one in force.",
        );
        return Some(Step { text: removed, change });
    }
    let literal = seconds(value).unwrap_or_else(|| text_of(document, value).to_owned());
    let change = Change::new(
        at,
        "`experimental.kill_timeout` moves to the top level",
        "It is an ordinary setting now.",
    );
    set(&Document::parse(removed), "kill_timeout", &literal, change)
}

pub(super) fn experimental_metrics(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    let table = root.value("experimental")?.as_table()?;
    let (old, new) = [("metrics_port", "port"), ("metrics_path", "path")]
        .into_iter()
        .find(|(old, _)| table.get(old).is_some())?;
    let at = format!("experimental.{old}");
    let literal = text_of(document, table.value(old)?).to_owned();
    let removed = Document::parse(edit::unset(document, &super::path(&at)?).ok()?);
    // A [metrics] section that was there from the start wins over the old keys; one that this rule has made does not.
    let made_here = root.value("metrics").is_some_and(|metrics| {
        metrics.items().first().and_then(Value::as_table).is_some_and(|entry| {
            entry.len() == 1 && entry.get("port").is_some() && old == "metrics_path"
        })
    });
    if root.get("metrics").is_some() && !made_here {
        let change = Change::new(
            at.as_str(),
            format!("`{at}` is deleted"),
            "The [[metrics]] section is the one in force.",
        );
        return Some(Step { text: removed.text().to_owned(), change });
    }
    let change = Change::new(
        at.as_str(),
        format!("`{at}` moves to [[metrics]]"),
        "Metrics have a section of their own now.",
    );
    set(&removed, &format!("metrics[0].{new}"), &literal, change)
}

pub(super) fn empty_experimental(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let empty = document.root().value("experimental")?.as_table()?.is_empty();
    let change = Change::new(
        "experimental",
        "the empty section [experimental] is deleted",
        "Nothing is left in it.",
    );
    if empty { unset(document, "experimental", change) } else { None }
}

pub(super) fn kill_timeout(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let literal = seconds(document.root().value("kill_timeout")?)?;
    let title = format!("`kill_timeout` is written {literal}");
    let why = "A bare number is seconds here, and nanoseconds or milliseconds elsewhere.";
    set(document, "kill_timeout", &literal, Change::new("kill_timeout", title, why))
}

pub(super) fn build_target(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let entry = document.root().value("build")?.as_table()?.get("build_target")?;
    let change = Change::new(
        "build.build_target",
        "`build_target` is written `build-target`",
        "The documented spelling.",
    );
    rewrite(document, &[Edit::replace(entry.key.span, "build-target")], change)
}
