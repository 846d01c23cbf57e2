//! A secret that stays in the image.

use super::{Dockerfile, Lint};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::lint::secrets::{Suspicion, is_secret_name, suspicion};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

pub(crate) static CODE: Code = Code {
    id: "dockerfile-secret",
    title: "A secret in the image",
    severity: Severity::Error,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "ENV and ARG stay in the image's history: everybody who can pull the image reads them with `docker history`, and so does every cache of it.",
    details: "At run time use `fly secrets set NAME=…`; during the build a secret mount: `RUN --mount=type=secret,id=NAME …` with `fly deploy --build-secret NAME=…`. An ARG without a value is reported for its name, because a value given with `--build-arg` stays in the history as well. Change a secret that was published.",
    bad: "FROM node:22-slim\nARG NPM_TOKEN\nENV DATABASE_PASSWORD=hunter2hunter2\nUSER node",
    good: "FROM node:22-slim\nRUN --mount=type=secret,id=NPM_TOKEN npm ci\nUSER node",
    source: "Docker documentation, build secrets; Fly.io documentation, apps/build-secrets",
};

fn check(dockerfile: &Dockerfile<'_>, out: &mut Vec<Diagnostic>) {
    for instruction in dockerfile.instructions() {
        if instruction.name != "ENV" && instruction.name != "ARG" {
            continue;
        }
        for (name, value) in instruction.pairs() {
            // What refers to another variable is that one's matter.
            let is_reference = value.starts_with('$');
            // A value given with --build-arg stays in the history as well.
            let is_empty_arg = instruction.name == "ARG" && value.is_empty();
            let what = match suspicion(&name, &value) {
                Some(Suspicion::Value(what)) => format!("`{name}` holds {what}"),
                Some(Suspicion::Name) if !is_reference => format!("`{name}` looks like a secret"),
                None if is_empty_arg && is_secret_name(&name) => {
                    format!("the build argument `{name}` looks like a secret")
                }
                _ => continue,
            };
            out.push(
                Diagnostic::new(&CODE, what).at(instruction.span, "stays in the image's history"),
            );
        }
    }
}
