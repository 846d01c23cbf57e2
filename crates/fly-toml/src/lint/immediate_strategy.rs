//! A deploy that looks at nothing.

use super::common::is_development;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "immediate-strategy",
    title: "Strategy immediate checks nothing",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "All Machines are replaced at once and health is not waited for: a version that does not start takes the whole app down.",
    details: "",
    bad: "app = \"shop\"\n[deploy]\nstrategy = \"immediate\"",
    good: "app = \"shop\"\n[deploy]\nstrategy = \"rolling\"",
    source: "Fly.io documentation, launch/deploy",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let strategy = input.config.deploy.as_ref().and_then(|deploy| deploy.strategy.as_ref());
    if let Some(strategy) = strategy.filter(|strategy| strategy.value == "immediate")
        && !is_development(input.config)
    {
        out.push(
            Diagnostic::new(&CODE, "a bad version takes everything down")
                .at(strategy.span, "skips health checks"),
        );
    }
}
