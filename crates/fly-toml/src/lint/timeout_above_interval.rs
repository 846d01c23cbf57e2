//! A check that may still run when the next begins.

use super::common::all_checks;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "timeout-above-interval",
    title: "timeout is not below interval",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "A check that hangs overlaps with the next one, and a slow app gets slower by being asked more often.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\ninterval = \"5s\"\ntimeout = \"5s\"",
    good: "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\ninterval = \"15s\"\ntimeout = \"5s\"",
    source: "Fly.io documentation, reference/health-checks",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for check in all_checks(input.config) {
        let (Some(interval), Some(timeout)) = (check.interval, check.timeout) else { continue };
        if timeout.nanos >= interval.nanos && interval.nanos > 0 {
            let message =
                format!("timeout {} is not below interval {}", timeout.text(), interval.text());
            out.push(
                Diagnostic::new(&CODE, message)
                    .at(timeout.span, "still waiting")
                    .at(interval.span, "when the next begins"),
            );
        }
    }
}
