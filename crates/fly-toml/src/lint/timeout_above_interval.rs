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

#[cfg(test)]
mod tests {
    use crate::lint::testing::count;

    #[test]
    fn missing_values_are_no_contradiction() {
        for (text, wanted) in [
            (
                "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\ninterval = \"2s\"\ntimeout = \"5s\"\n",
                1,
            ),
            (
                "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/health\"\ninterval = \"15s\"\ntimeout = \"2s\"\ngrace_period = \"10s\"\n",
                0,
            ),
            (
                "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\ninterval = \"2s\"\n",
                0,
            ),
            ("[checks.a]\ntype = \"tcp\"\nport = 1\ninterval = \"10s\"\ntimeout = \"10s\"\n", 1),
        ] {
            assert_eq!(count(super::CODE.id, text), wanted, "{text}");
        }
    }
}
