//! CMD in shell form: the app never sees the signal that stops it.

use super::{Dockerfile, Lint};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "dockerfile-shell-command",
    title: "The command runs under a shell that keeps the stop signal",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Written as a text, the command runs as a child of `/bin/sh -c`. The shell does not pass the signal on, so the app is killed after kill_timeout without having finished its requests.",
    details: "Write a list, or begin the text with `exec`.",
    bad: "FROM node:22-slim\nUSER node\nCMD node server.js",
    good: "FROM node:22-slim\nUSER node\nCMD [\"node\", \"server.js\"]",
    source: "Docker documentation, Dockerfile reference, shell and exec form",
};

fn check(dockerfile: &Dockerfile<'_>, out: &mut Vec<Diagnostic>) {
    let last = ["ENTRYPOINT", "CMD"].into_iter().find_map(|name| dockerfile.in_final(name).last());
    let Some(command) = last else { return };
    if !command.is_exec()
        && !command.arguments.starts_with("exec ")
        && !command.arguments.is_empty()
    {
        let message = format!("{} runs under a shell", command.name);
        out.push(Diagnostic::new(&CODE, message).at(command.span, "a text, not a list"));
    }
}
