//! A kill_timeout that is too long or too short.

use super::common::workers;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "kill-timeout",
    title: "kill_timeout outside what is useful",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "The platform waits at most 5 minutes after the signal, whatever is written. A worker with less than 10 seconds loses the job in its hands on every deploy.",
    details: "Unset means 5 seconds.",
    bad: "kill_timeout = \"10m\"",
    good: "kill_timeout = \"5m\"",
    source: "Fly.io documentation, reference/configuration; the production checklist of this project",
};

const MOST_SECONDS: f64 = 300.0;
const WORKER_SECONDS: f64 = 10.0;
/// What is in force when nothing is written.
const DEFAULT_SECONDS: f64 = 5.0;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let timeout = config.kill_timeout.as_ref();
    if let Some(timeout) = timeout.filter(|timeout| timeout.seconds() > MOST_SECONDS) {
        let message = format!("kill_timeout {} becomes 5 minutes", timeout.text());
        out.push(Diagnostic::new(&CODE, message).at(timeout.span, "at most 300s"));
        return;
    }
    let seconds = timeout.map_or(DEFAULT_SECONDS, |timeout| timeout.seconds());
    let Some(processes) = config.processes.as_ref().filter(|_| seconds < WORKER_SECONDS) else {
        return;
    };
    for group in workers(config) {
        if let Some(command) = processes.value.get(group) {
            let place = timeout.map_or(command.key, |timeout| timeout.span);
            out.push(
                Diagnostic::new(&CODE, format!("`{group}` has {seconds} s to finish its job"))
                    .severity(Severity::Info)
                    .at(place, "a worker needs 10s or more"),
            );
            return;
        }
    }
}
