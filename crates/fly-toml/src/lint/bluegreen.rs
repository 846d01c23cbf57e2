//! Blue-green deploys that cannot work.

use super::common::all_checks;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "bluegreen",
    title: "Blue-green with volumes or without checks",
    severity: Severity::Error,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Blue-green starts a second set of Machines and waits for their checks. Volumes cannot be in both sets, and without a check it stops in the middle of the deploy.",
    details: "flyctl checks neither before the deploy.",
    bad: "[deploy]\nstrategy = \"bluegreen\"\n[http_service]\ninternal_port = 8080",
    good: "[deploy]\nstrategy = \"bluegreen\"\n[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/health\"\ngrace_period = \"5s\"",
    source: "Fly.io documentation, launch/deploy; flyctl internal/command/deploy",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let strategy = config.deploy.as_ref().and_then(|deploy| deploy.strategy.as_ref());
    let Some(strategy) = strategy.filter(|strategy| strategy.value == "bluegreen") else { return };
    if let Some(mount) = config.mounts.as_ref().and_then(|mounts| mounts.first()) {
        out.push(
            Diagnostic::new(&CODE, "blue-green deploys and volumes exclude each other")
                .at(strategy.span, "needs a second set of Machines")
                .at(mount.span, "this volume is in the first"),
        );
    }
    if all_checks(config).is_empty() {
        out.push(
            Diagnostic::new(&CODE, "blue-green deploys need a check")
                .at(strategy.span, "stops in the middle without one"),
        );
    }
}
