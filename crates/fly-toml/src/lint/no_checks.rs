//! A service that nothing checks.

use super::common::{is_udp, service_checks};
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

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    for service in config.all_services() {
        if !service_checks(service).is_empty()
            || matches!(service, AnyService::Plain(it) if is_udp(it))
        {
            continue;
        }
        let top_level = config.checks.as_ref().is_some_and(|checks| !checks.value.is_empty());
        let diagnostic = if top_level {
            Diagnostic::new(&CODE, "only top-level checks watch this service")
                .severity(Severity::Info)
                .at(service.span(), "no check of its own")
                .because("Top-level checks gate deploys but not routing: the proxy goes on sending requests to a Machine whose top-level check fails.")
        } else {
            Diagnostic::new(&CODE, "nothing checks this service").at(service.span(), "no check")
        };
        out.push(diagnostic);
    }
}
