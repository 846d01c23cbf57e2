//! A secret in `[build.args]`.

use super::secrets::{Suspicion, suspicion};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

pub(super) static CODE: Code = Code {
    id: "secret-in-build-args",
    title: "A secret in the build arguments",
    severity: Severity::Error,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "Build arguments stay in the history of the image: everybody who can pull it reads them.",
    details: "Use a secret mount in the Dockerfile and `fly deploy --build-secret NAME=…`.",
    bad: "[build.args]\nNPM_TOKEN = \"0f8c2a61d9e4\"",
    good: "[build.args]\nNODE_VERSION = \"22\"",
    source: "Fly.io documentation, apps/build-secrets",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let arguments = input.config.build.iter().filter_map(|build| build.args.as_ref());
    for (name, value) in arguments.flat_map(|arguments| arguments.value.iter()) {
        let message = match suspicion(name, &value.value) {
            Some(Suspicion::Value(what)) => format!("`{name}` holds {what}"),
            Some(Suspicion::Name) => format!("`{name}` looks like a secret"),
            None => continue,
        };
        out.push(Diagnostic::new(&CODE, message).at(value.span, "use --build-secret"));
    }
}
