//! A worker that stays down after a clean exit.

use std::collections::BTreeSet;

use super::common::{members, workers};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "worker-restart",
    title: "A worker without restart policy always",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Machines are restarted on failure by default: a worker that ends with status 0 – after a signal, a lost connection, a finished loop – stays stopped, and no request starts it.",
    details: "",
    bad: "[processes]\nweb = \"server\"\nworker = \"worker\"\n[http_service]\ninternal_port = 8080\nprocesses = [\"web\"]",
    good: "[processes]\nweb = \"server\"\nworker = \"worker\"\n[http_service]\ninternal_port = 8080\nprocesses = [\"web\"]\n[[restart]]\npolicy = \"always\"\nprocesses = [\"worker\"]",
    source: "Fly.io documentation, machines/guides-examples/machine-restart-policy; markmhendrickson/neotoma pull request 2099",
};

/// Groups that the diagnostic points at.
const MAX_LABELS: usize = 4;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let Some(processes) = &config.processes else { return };
    let groups = workers(config);
    let mut decided = BTreeSet::new();
    for entry in config.restart.iter().flat_map(|list| list.iter()) {
        decided.extend(members(config, &groups, entry.processes.as_ref()));
    }
    let open = groups.into_iter().filter(|group| !decided.contains(group));
    let open: Vec<_> = open.filter_map(|it| processes.value.get_key_value(it)).collect();
    let Some((group, command)) = open.first() else { return };
    let message = match open.len() {
        1 => format!("`{group}` stays down after a clean exit"),
        count => format!("`{group}` and {} more stay down after a clean exit", count - 1),
    };
    let mut diagnostic = Diagnostic::new(&CODE, message)
        .at(command.key, "no restart policy, and no service starts it");
    for (_, command) in open.iter().take(MAX_LABELS).skip(1) {
        diagnostic = diagnostic.at(command.key, "nor this one");
    }
    out.push(diagnostic);
}
