//! Checks, limits and ports of `[[services]]`, and top-level checks.

use super::{Change, Open, Step, entries, service_checks, set, top_checks, unset};
use crate::document::Document;
use crate::edit;
use crate::schema::go;
use crate::syntax::{Kind, Value};

/// Milliseconds as a duration text, the shortest that means the same.
fn milliseconds(value: &Value) -> Option<String> {
    #[expect(clippy::cast_possible_truncation, reason = "flyctl truncates")]
    let number = match value.kind {
        Kind::Integer(number) => number,
        Kind::Float(number) => number as i64,
        _ => return None,
    };
    Some(if number % 1000 == 0 {
        format!("\"{}s\"", number / 1000)
    } else {
        format!("\"{number}ms\"")
    })
}

/// Checks that ran a script have nothing to become.
pub(super) fn script(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let (at, _) = top_checks(document.root()).into_iter().find(|(_, check)| {
        let kind = check.value("type").and_then(Value::as_str);
        kind == Some("script") || (kind.is_none() && check.get("command").is_some())
    })?;
    let change = Change::new(
        at.as_str(),
        format!("the script check `{at}` is deleted"),
        "flyctl refuses a file with script checks. Write an http or tcp check that asks the app itself.",
    );
    unset(document, &at, change.without_counterpart())
}

pub(super) fn durations(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    let checks = service_checks(root).into_iter().chain(top_checks(root));
    for (at, check) in checks {
        for key in ["interval", "timeout", "grace_period"] {
            let Some(literal) = check.value(key).and_then(milliseconds) else { continue };
            let at = format!("{at}.{key}");
            let title = format!("`{at}` is written {literal}");
            let why =
                "A bare number is milliseconds here, but nanoseconds in [[http_service.checks]].";
            return set(document, &at, &literal, Change::new(at.as_str(), title, why));
        }
    }
    None
}

/// Headers written as a list of names and values become a table.
pub(super) fn headers(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    let checks = service_checks(root).into_iter().chain(top_checks(root));
    for (at, check) in checks {
        let Some(Kind::Array(items)) = check.value("headers").map(|value| &value.kind) else {
            continue;
        };
        let at = format!("{at}.headers");
        if items.is_empty() {
            let why = "An empty list of headers says nothing.";
            return unset(
                document,
                &at,
                Change::new(at.as_str(), format!("`{at}` is deleted"), why),
            );
        }
        let pairs: Option<Vec<String>> = items
            .iter()
            .map(|item| {
                let table = item.as_table()?;
                let name = go::display(table.value("name")?);
                let value = table.value("value").map(go::display).unwrap_or_default();
                Some(format!("{} = {}", edit::key(&name), edit::quote(&value)))
            })
            .collect();
        let Some(pairs) = pairs else { continue };
        let literal = format!("{{ {} }}", pairs.join(", "));
        let removed = Document::parse(edit::unset(document, &super::path(&at)?).ok()?);
        let why = "Headers are a table of names and values now.";
        return set(
            &removed,
            &at,
            &literal,
            Change::new(at.as_str(), format!("`{at}` becomes a table"), why),
        );
    }
    None
}

pub(super) fn concurrency(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    entries(document.root(), "", "services").into_iter().find_map(|(at, service)| {
        let (soft, hard) = service.value("concurrency")?.as_str()?.split_once(',')?;
        let (soft, hard): (i64, i64) = (soft.parse().ok()?, hard.parse().ok()?);
        let at = format!("{at}.concurrency");
        let literal =
            format!("{{ type = \"requests\", soft_limit = {soft}, hard_limit = {hard} }}");
        let why = "flyctl reads the pair as limits on requests; the table says so.";
        set(
            document,
            &at,
            &literal,
            Change::new(at.as_str(), format!("`{at}` becomes a table"), why),
        )
    })
}

pub(super) fn ports(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let mut found: Vec<(String, &Value)> = Vec::new();
    for (at, service) in entries(document.root(), "", "services") {
        found.extend(
            service.value("internal_port").map(|value| (format!("{at}.internal_port"), value)),
        );
        for (at, port) in entries(service, &at, "ports") {
            found.extend(port.value("port").map(|value| (format!("{at}.port"), value)));
        }
    }
    found.into_iter().find_map(|(at, value)| {
        let number: i64 = value.as_str()?.parse().ok()?;
        let why = "Ports are numbers; in [http_service] and for ranges flyctl takes nothing else.";
        let change = Change::new(at.as_str(), format!("`{at}` loses its quotes"), why);
        set(document, &at, &number.to_string(), change)
    })
}
