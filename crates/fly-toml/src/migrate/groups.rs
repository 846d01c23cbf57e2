//! Process groups and the region, which v1 took from elsewhere.

use super::{Change, Open, Step, entries, path, set, unset};
use crate::document::Document;
use crate::edit;
use crate::syntax::{Table, Value};

/// The region that v1 apps kept in a variable.
pub(super) fn primary_region(document: &Document, _: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    if root.value("primary_region").is_some_and(|value| value.as_str() != Some("")) {
        return None;
    }
    let region = root.value("env")?.as_table()?.value("PRIMARY_REGION")?;
    let literal = region.span.of(document.text()).to_owned();
    let change = Change::new(
        "env.PRIMARY_REGION",
        format!("`primary_region = {literal}` replaces env.PRIMARY_REGION"),
        "Machines are created in primary_region; flyctl sets the variable PRIMARY_REGION from it.",
    );
    let removed = unset(document, "env.PRIMARY_REGION", change)?;
    set(&Document::parse(removed.text), "primary_region", &literal, removed.change)
}

/// Groups that the services name.
fn named(root: &Table) -> Vec<String> {
    let services =
        entries(root, "", "services").into_iter().chain(entries(root, "", "http_service"));
    let mut names: Vec<String> = services
        .filter_map(|(_, service)| service.value("processes"))
        .flat_map(Value::items)
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn groups(root: &Table) -> Vec<String> {
    let table = root.value("processes").and_then(Value::as_table);
    table.into_iter().flat_map(Table::entries).map(|entry| entry.key.name.clone()).collect()
}

/// A group that services name and no `[processes]` defines.
pub(super) fn processes(document: &Document, open: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    if root.get("processes").is_some() {
        return None;
    }
    let names = named(root);
    match names.as_slice() {
        [] => None,
        [only] if only == "app" => None,
        [only] => {
            let at = format!("processes.{}", edit::key(only));
            let title = format!("[processes] with `{only} = \"\"` is added");
            let why = "A service names the group, so it has to exist. The empty command keeps that of the image.";
            set(document, &at, "\"\"", Change::new("processes", title, why))
        }
        _ => {
            open.push(Open {
                path: "processes".to_owned(),
                question: "The services name several process groups, but the file has no [processes]. Add it with a command for each.",
            });
            None
        }
    }
}

/// Services without groups although there are groups.
pub(super) fn service_processes(document: &Document, open: &mut Vec<Open>) -> Option<Step> {
    let root = document.root();
    let groups = groups(root);
    let services =
        entries(root, "", "services").into_iter().chain(entries(root, "", "http_service"));
    let (at, _) = services.into_iter().find(|(_, service)| {
        service.value("processes").is_none_or(|list| list.items().is_empty())
    })?;
    match groups.as_slice() {
        [] => None,
        [only] => {
            let at = format!("{at}.processes");
            let literal = format!("[{}]", edit::quote(only));
            let why =
                "With [processes] each service has to name its group; there is only this one.";
            set(
                document,
                &at,
                &literal,
                Change::new(at.as_str(), format!("`{at} = {literal}` is added"), why),
            )
        }
        _ => {
            open.push(Open {
                path: at,
                question: "The service does not say which of the process groups serves it. Add processes = [\"…\"]; flyctl refuses the file without.",
            });
            None
        }
    }
}

/// What no rule can decide.
pub(super) fn questions(document: &Document, open: &mut Vec<Open>) {
    let root = document.root();
    let mut ask = |path: &str, question| open.push(Open { path: path.to_owned(), question });
    if root.get("primary_region").is_none() {
        ask(
            "primary_region",
            "Without it Machines are created wherever the platform picks. Name the region of the volumes, the database or the users.",
        );
    }
    let strategy = path("deploy.strategy").and_then(|at| edit::get(document, &at).ok());
    if strategy.is_none() && root.get("mounts").is_none() {
        ask(
            "deploy.strategy",
            "v1 deployed apps without volumes as canaries, v2 deploys rolling. Set strategy = \"canary\" to keep the first Machine as a test.",
        );
    }
    if matches!(root.value("env").map(Value::items), Some([_, ..])) {
        ask("env", "Several [[env]] tables are merged on reading. Write one [env].");
    }
    if matches!(root.value("checks").map(Value::items), Some([_, ..])) {
        ask("checks", "[[checks]] with names are read as [checks.NAME]. Write them so.");
    }
    if matches!(root.value("processes").map(Value::items), Some([_, ..])) {
        ask(
            "processes",
            "[[processes]] with names are read as [processes]. Write name = \"command\" there.",
        );
    }
}
