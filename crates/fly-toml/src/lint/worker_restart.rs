//! A worker that stays down after a clean exit.

use super::common::workers;
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

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let Some(processes) = &config.processes else { return };
    for group in workers(config) {
        let Some(command) = processes.value.get(group) else { continue };
        let entries = config.restart.iter().flat_map(|list| list.iter());
        let decided = entries.into_iter().any(|entry| {
            let names = entry.processes.as_ref().filter(|list| !list.is_empty());
            config.applies(group, names)
        });
        if !decided {
            out.push(
                Diagnostic::new(&CODE, format!("`{group}` stays down after a clean exit"))
                    .at(command.key, "no restart policy, and no service starts it"),
            );
        }
    }
}
