//! A service that nothing checks.

use super::common::{external, is_development, is_udp, service_checks};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::AnyService;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "no-checks",
    title: "A service without a health check",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Without a check the proxy sends requests as soon as the Machine runs, and a deploy counts as good although every request fails.",
    details: "Add an HTTP check on a path that needs what the app needs. Top-level checks gate deploys but not routing.",
    bad: "[http_service]\ninternal_port = 8080",
    good: "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/health\"\ninterval = \"15s\"\ntimeout = \"2s\"\ngrace_period = \"10s\"",
    source: "89 of 180 public files with services; Fly.io documentation, reference/health-checks",
};

/// Services that one diagnostic points at.
const MAX_LABELS: usize = 4;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let services = config.all_services();
    // What is not routed needs no check, and UDP has none.
    let unchecked: Vec<AnyService<'_>> = services
        .into_iter()
        .filter(|service| service_checks(*service).is_empty())
        .filter(|service| match service {
            AnyService::Http(_) => true,
            AnyService::Plain(plain) => !is_udp(plain) && !external(*service).is_empty(),
        })
        .collect();
    let Some(first) = unchecked.first() else { return };
    let count = unchecked.len();
    let top_level = config.checks.as_ref().is_some_and(|checks| !checks.value.is_empty());
    let mut diagnostic = if top_level {
        Diagnostic::new(&CODE, "only top-level checks watch this service")
            .severity(Severity::Info)
            .because("Top-level checks gate deploys but not routing: the proxy goes on sending requests to a Machine whose top-level check fails.")
    } else if count == 1 {
        Diagnostic::new(&CODE, "nothing checks this service")
    } else {
        Diagnostic::new(&CODE, format!("nothing checks {count} services"))
    };
    // Nobody is woken by a development app that answers with errors.
    if is_development(config) {
        diagnostic = diagnostic.severity(Severity::Info);
    }
    diagnostic = diagnostic.at(first.span(), "no check");
    for service in unchecked.iter().take(MAX_LABELS).skip(1) {
        diagnostic = diagnostic.at(service.span(), "nor here");
    }
    out.push(diagnostic);
}
