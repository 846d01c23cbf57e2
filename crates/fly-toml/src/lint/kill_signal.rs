//! SIGINT where the framework waits for SIGTERM.

use super::common::{anchor, dockerfile_command};
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
    let is_end = [' ', '\t', '/', '"', '\'', '[', ']', ','];
    let program = |command: &str| {
        let words: Vec<&str> = command.split(is_end).collect();
        PROGRAMS.iter().find(|program| words.contains(program))
    };
    let mut from_image = !config.has_processes();
    for (group, command) in config.processes.iter().flat_map(|processes| processes.value.iter()) {
        from_image |= command.is_empty();
        if let Some(program) = program(command) {
            out.push(
                Diagnostic::new(&CODE, format!("`{group}` is stopped with SIGINT"))
                    .at(command.span, format!("{program} drains on SIGTERM: set kill_signal")),
            );
            return;
        }
    }
    let image = input.dockerfile.filter(|_| from_image).map(dockerfile_command);
    if let (Some(program), Some(place)) = (image.as_deref().and_then(program), anchor(config)) {
        out.push(
            Diagnostic::new(
                &CODE,
                format!("the image starts {program}, which is stopped with SIGINT"),
            )
            .at(place, format!("{program} drains on SIGTERM: set kill_signal")),
        );
    }
}
