//! Background work in a Machine that autostop stops.

use super::common::{MAX_GROUPS, dockerfile_command, manager_word, stops, worker_word};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "background-work-autostop",
    title: "Background work in Machines that are stopped when idle",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Autostop counts requests only. A worker or scheduler beside the server in the same Machine is stopped in the middle of its job when no request comes for some minutes, and is not started again for the next job.",
    details: "Give the work a process group of its own, without a service, or turn autostop off. Looked at: the commands of [processes], the Dockerfile's command when the group has none, and SOLID_QUEUE_IN_PUMA.",
    bad: "[processes]\nweb = \"sh -c 'celery -A app worker & gunicorn app'\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nprocesses = [\"web\"]",
    good: "[processes]\nweb = \"gunicorn app\"\nworker = \"celery -A app worker\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nprocesses = [\"web\"]",
    source: "Fly.io documentation, launch/autostop-autostart; manavgup/wikimind issue 616",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let processes = config.processes.iter().flat_map(|it| it.value.iter()).take(MAX_GROUPS);
    let commands: Vec<_> = processes
        .map(|(group, command)| (group, command, judge(command, &format!("`{group}`"))))
        .collect();
    for (service, stop) in stops(config).take(MAX_GROUPS) {
        let mut has_own_command = false;
        for (group, command, judged) in &commands {
            if !config.applies(group, service.processes()) {
                continue;
            }
            has_own_command |= !command.is_empty();
            if let Some(diagnostic) = judged {
                out.push(
                    diagnostic
                        .clone()
                        .at(command.span, "background work")
                        .at(stop.span, "idle Machines are stopped"),
                );
            }
        }
        let inside = config.env.as_ref().and_then(|env| env.value.get("SOLID_QUEUE_IN_PUMA"));
        if let Some(inside) = inside.filter(|it| !["", "0", "false"].contains(&it.value.as_str())) {
            out.push(
                Diagnostic::new(&CODE, "the queue inside Puma is stopped when no request comes")
                    .at(inside.span, "background work")
                    .at(stop.span, "idle Machines are stopped"),
            );
        }
        let image = input.dockerfile.filter(|_| !has_own_command).map(dockerfile_command);
        if let Some(diagnostic) = image.and_then(|command| judge(&command, "the image")) {
            out.push(diagnostic.at(stop.span, "idle Machines are stopped"));
        }
    }
}

/// What a command starts is certain for workers; what a list of programs holds is not in these files.
fn judge(command: &str, of: &str) -> Option<Diagnostic> {
    if let Some(word) = worker_word(command) {
        let message = format!("`{word}`, started by {of}, is stopped when no request comes");
        return Some(Diagnostic::new(&CODE, message));
    }
    let word = manager_word(command)?;
    let message =
        format!("if `{word}`, started by {of}, runs workers, they stop when no request comes");
    Some(Diagnostic::new(&CODE, message).severity(Severity::Info))
}
