//! A max_unavailable that stops the deploy or the app.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "max-unavailable",
    title: "max_unavailable of zero or of everything",
    severity: Severity::Error,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Zero or less leaves the deploy without a worker that could replace anything; 1.0 and more replace that number of Machines at once.",
    details: "Below 1 it is a share, rounded up; from 1 on a number of Machines.",
    bad: "[deploy]\nstrategy = \"rolling\"\nmax_unavailable = 0",
    good: "[deploy]\nstrategy = \"rolling\"\nmax_unavailable = 0.33",
    source: "flyctl internal/command/deploy, read",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let limit = input.config.deploy.as_ref().and_then(|deploy| deploy.max_unavailable.as_ref());
    if let Some(limit) = limit.filter(|limit| limit.value <= 0.0) {
        out.push(
            Diagnostic::new(&CODE, "no Machine may be replaced").at(limit.span, "more than 0"),
        );
    }
}
