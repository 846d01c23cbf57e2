//! Checks so far apart that deploys drag.

use super::common::service_checks;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "slow-checks",
    title: "A long interval slows deploys",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "After the grace period a deploy waits for a check that succeeds, and the first one comes after a whole interval, for each Machine in turn.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\ninterval = \"60s\"\ntimeout = \"5s\"\ngrace_period = \"5s\"",
    good: "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\ninterval = \"15s\"\ntimeout = \"5s\"\ngrace_period = \"5s\"",
    source: "Fly.io documentation, reference/health-checks",
};

const LONG: f64 = 30.0;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for check in input.config.all_services().into_iter().flat_map(service_checks) {
        let Some(interval) = check.interval.filter(|interval| interval.seconds() >= LONG) else {
            continue;
        };
        let grace = check.grace.map_or(0.0, |grace| grace.seconds());
        if grace < interval.seconds() {
            let message = format!("each Machine waits up to {} in a deploy", interval.text());
            out.push(Diagnostic::new(&CODE, message).at(interval.span, "15s finds trouble sooner"));
        }
    }
}
