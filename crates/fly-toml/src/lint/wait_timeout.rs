//! A deploy that gives up before the checks begin.

use super::common::all_checks;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "wait-timeout",
    title: "wait_timeout is shorter than a grace period",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "The deploy waits wait_timeout for a Machine to become healthy, but its checks only begin after the grace period.",
    details: "",
    bad: "[deploy]\nwait_timeout = \"30s\"\n[http_service]\ninternal_port = 8080\n[[http_service.checks]]\ngrace_period = \"60s\"",
    good: "[deploy]\nwait_timeout = \"5m\"\n[http_service]\ninternal_port = 8080\n[[http_service.checks]]\ngrace_period = \"60s\"",
    source: "Fly.io documentation, reference/configuration, deploy",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let timeout = input.config.deploy.as_ref().and_then(|deploy| deploy.wait_timeout.as_ref());
    // A bare number has a lint of its own.
    let Some(timeout) = timeout.filter(|timeout| timeout.bare.is_none() && timeout.nanos > 0)
    else {
        return;
    };
    let checks = all_checks(input.config);
    let longest = checks.iter().filter_map(|check| check.grace).max_by_key(|grace| grace.nanos);
    if let Some(grace) = longest.filter(|grace| grace.nanos >= timeout.nanos) {
        out.push(
            Diagnostic::new(&CODE, "the deploy gives up before the first check")
                .at(timeout.span, "waits this long")
                .at(grace.span, "checks begin only then"),
        );
    }
}
