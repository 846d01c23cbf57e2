//! Apps v1 to v2: every old spelling and dead key rewritten, each change explained, what has no counterpart named.
//!
//! Rules run one after the other, each until it finds nothing more; each makes one checked edit at a time. Facts: the
//! reference of the format, section 10 (superfly/flyctl pull requests 2620, 3250, 3257). Must not know: files.

mod checks;
mod groups;
mod http_service;
mod keys;
mod sections;

use crate::diag::{Applicability, Edit, apply};
use crate::diff::{Difference, diff};
use crate::document::Document;
use crate::edit::{self, EditError, Path};
use crate::report::check;
use crate::schema::codes;
use crate::syntax::{Kind, Table, Value};

/// Whether optional rewriting is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct MigrateOptions {
    /// Turn a `[[services]]` entry on ports 80 and 443 into `[http_service]` where that changes nothing.
    pub fold_http_service: bool,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// Where, in the file as it was when this change was made.
    pub path: String,
    /// What was done.
    pub title: String,
    /// Why, and what it means for the app.
    pub why: &'static str,
    /// False when v2 has nothing that does what was removed.
    pub has_counterpart: bool,
}

/// Something that a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Open {
    /// Where.
    pub path: String,
    /// What has to be decided, and between what.
    pub question: &'static str,
}

/// The outcome.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The new text.
    pub text: String,
    /// What was changed, in order.
    pub changes: Vec<Change>,
    /// What is left to a person.
    pub open: Vec<Open>,
    /// What flyctl reads differently in the new text.
    pub differences: Vec<Difference>,
}

/// What one application of a rule gives.
struct Step {
    text: String,
    change: Change,
}

/// A rule looks for its first case and rewrites it.
type Rule = fn(&Document, &mut Vec<Open>) -> Option<Step>;

/// In order: what later rules rely on comes first (durations are texts before a service is folded).
const RULES: &[Rule] = &[
    keys::empty_processes,
    keys::dead,
    checks::script,
    keys::experimental_kill_timeout,
    keys::experimental_metrics,
    keys::empty_experimental,
    keys::kill_timeout,
    keys::build_target,
    sections::rename,
    sections::list,
    checks::durations,
    checks::headers,
    checks::concurrency,
    checks::ports,
    groups::primary_region,
    groups::processes,
    groups::service_processes,
];

/// A rule that goes on longer than this is broken.
const MAX_STEPS: usize = 500;

/// Converts a file. Fails only on a text that is no TOML and cannot be mended.
pub fn migrate(document: &Document, options: MigrateOptions) -> Result<Migration, EditError> {
    let mut changes = Vec::new();
    let mut open = Vec::new();
    let mut current = mend(document, &mut changes)?;
    let (before, _) = crate::schema::load(&current, &[]);
    let fold: &[Rule] = if options.fold_http_service { &[http_service::fold] } else { &[] };
    for rule in RULES.iter().chain(fold) {
        for _ in 0..MAX_STEPS {
            let Some(step) = rule(&current, &mut open) else { break };
            current = Document::parse(step.text);
            changes.push(step.change);
        }
    }
    groups::questions(&current, &mut open);
    let mut seen = std::collections::HashSet::new();
    open.retain(|one| seen.insert((one.path.clone(), one.question)));
    let (after, _) = crate::schema::load(&current, &[]);
    Ok(Migration {
        text: current.text().to_owned(),
        changes,
        open,
        differences: diff(&before, &after),
    })
}

/// Mends definitions that contradict each other where only one answer makes sense.
fn mend(document: &Document, changes: &mut Vec<Change>) -> Result<Document, EditError> {
    let mut current = document.clone();
    for _ in 0..MAX_STEPS {
        let Some(mistake) = current.mistakes().first() else { return Ok(current) };
        let line = current.position(mistake.span.start).line;
        let report = check(current.text());
        let fixable = report.diagnostics.iter().find_map(|found| {
            let redefined =
                [codes::TABLE_CONFLICT.id, codes::DUPLICATE_KEY.id].contains(&found.code.id);
            let fix = found.fix.as_ref()?;
            (redefined && fix.applicability == Applicability::MachineApplicable)
                .then(|| (fix.edits.clone(), found.message.clone()))
        });
        let Some((edits, message)) = fixable else { return Err(EditError::NotToml { line }) };
        current = Document::parse(apply(current.text(), &edits));
        changes.push(Change {
            path: format!("line {line}"),
            title: format!("{message}: the empty or repeated definition is deleted"),
            why: "TOML allows one definition; Apps v1 wrote an empty `processes = []` into each file.",
            has_counterpart: true,
        });
    }
    Err(EditError::NotToml { line: 1 })
}

impl Change {
    fn new(path: impl Into<String>, title: impl Into<String>, why: &'static str) -> Self {
        Self { path: path.into(), title: title.into(), why, has_counterpart: true }
    }

    fn without_counterpart(mut self) -> Self {
        self.has_counterpart = false;
        self
    }
}

/// A path from its text; the rules write only valid ones.
fn path(text: &str) -> Option<Path> {
    text.parse().ok()
}

/// Removes what is at a path.
fn unset(document: &Document, at: &str, change: Change) -> Option<Step> {
    let text = edit::unset(document, &path(at)?).ok()?;
    Some(Step { text, change })
}

/// Sets what is at a path.
fn set(document: &Document, at: &str, value: &str, change: Change) -> Option<Step> {
    let text = edit::set(document, &path(at)?, value).ok()?;
    Some(Step { text, change })
}

/// Makes edits that are not of one value; the result has to be TOML.
fn rewrite(document: &Document, edits: &[Edit], change: Change) -> Option<Step> {
    let text = apply(document.text(), edits);
    Document::parse(text.as_str()).mistakes().is_empty().then_some(Step { text, change })
}

/// Entries of a key that is a table or a list of them, each with its path.
fn entries<'a>(table: &'a Table, prefix: &str, name: &str) -> Vec<(String, &'a Table)> {
    let Some(value) = table.value(name) else { return Vec::new() };
    let here = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    match &value.kind {
        Kind::Table(table) => vec![(here, table)],
        Kind::Array(items) => items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| Some((format!("{here}[{at}]"), item.as_table()?)))
            .collect(),
        _ => Vec::new(),
    }
}

/// All checks of `[[services]]`, each with its path.
fn service_checks(root: &Table) -> Vec<(String, &Table)> {
    let mut found = Vec::new();
    for (service, table) in entries(root, "", "services") {
        for name in ["tcp_checks", "http_checks"] {
            found.extend(entries(table, &service, name));
        }
    }
    found
}

/// All top-level checks, each with its path.
fn top_checks(root: &Table) -> Vec<(String, &Table)> {
    let table = root.value("checks").and_then(Value::as_table);
    let checks = table.into_iter().flat_map(Table::entries);
    checks
        .filter_map(|entry| {
            Some((format!("checks.{}", edit::key(&entry.key.name)), entry.value.as_table()?))
        })
        .collect()
}
