//! SIGINT where the framework waits for SIGTERM.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "kill-signal",
    title: "The default signal is SIGINT",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Machines are stopped with SIGINT unless kill_signal says otherwise; servers that drain on SIGTERM only are cut off in the middle of their requests.",
    details: "Reported where the Dockerfile or a process command starts gunicorn, celery, sidekiq or the JVM, or runs node directly.",
    bad: "[processes]\nworker = \"celery -A app worker\"",
    good: "kill_signal = \"SIGTERM\"\n[processes]\nworker = \"celery -A app worker\"",
    source: "Fly.io documentation, reference/configuration; blueprints/long-running-tasks",
};

/// Programs that shut down gracefully on SIGTERM, and on SIGINT not or only in part.
const PROGRAMS: &[&str] = &["gunicorn", "celery", "sidekiq", "java", "node"];

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    if config.kill_signal.is_some() {
        return;
    }
    for (group, command) in config.processes.iter().flat_map(|processes| processes.value.iter()) {
        let words: Vec<&str> = command.value.split([' ', '\t', '/']).collect();
        if let Some(program) = PROGRAMS.iter().find(|program| words.contains(program)) {
            out.push(
                Diagnostic::new(&CODE, format!("`{group}` is stopped with SIGINT"))
                    .at(command.span, format!("{program} drains on SIGTERM: set kill_signal")),
            );
            return;
        }
    }
}
