//! A restart policy that reaches one group only.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "restart-default-group",
    title: "A restart policy without processes covers one group",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "The documentation says the whole app; in flyctl an entry without processes covers the default group only, and the others keep the platform default.",
    details: "",
    bad: "[processes]\nweb = \"x\"\nworker = \"y\"\n[[restart]]\npolicy = \"always\"",
    good: "[processes]\nweb = \"x\"\nworker = \"y\"\n[[restart]]\npolicy = \"always\"\nprocesses = [\"web\", \"worker\"]",
    source: "flyctl internal/appconfig/machines.go, observed",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    if config.groups().len() < 2 {
        return;
    }
    for entry in config.restart.iter().flat_map(|list| list.iter()) {
        if entry.processes.as_ref().is_none_or(|list| list.is_empty()) {
            let message = format!("only `{}` gets this restart policy", config.default_group());
            out.push(Diagnostic::new(&CODE, message).at(entry.span, "add processes = […]"));
        }
    }
}
