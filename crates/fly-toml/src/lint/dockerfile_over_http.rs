//! A Dockerfile fetched without TLS.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "dockerfile-over-http",
    title: "The Dockerfile comes over plain HTTP",
    severity: Severity::Error,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "Whoever sits on the way decides what is built and run with all secrets of the app.",
    details: "",
    bad: "[build]\ndockerfile = \"http://example.com/Dockerfile\"",
    good: "[build]\ndockerfile = \"https://example.com/Dockerfile\"",
    source: "flyctl reads URLs since July 2026",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let dockerfile = input.config.build.as_ref().and_then(|build| build.dockerfile.as_ref());
    if let Some(dockerfile) = dockerfile.filter(|it| it.value.starts_with("http://")) {
        out.push(
            Diagnostic::new(&CODE, "the Dockerfile is fetched without TLS")
                .at(dockerfile.span, "use https"),
        );
    }
}
