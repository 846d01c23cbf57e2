//! A TCP check on an HTTP service.

use super::common::is_http;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::AnyService;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "tcp-check-only",
    title: "An HTTP service with TCP checks only",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "A TCP check succeeds as soon as the port is open, often long before the app can answer, and goes on succeeding when every answer is an error.",
    details: "",
    bad: "[[services]]\ninternal_port = 8080\n[[services.ports]]\nport = 80\nhandlers = [\"http\"]\n[[services.tcp_checks]]\ninterval = \"15s\"",
    good: "[[services]]\ninternal_port = 8080\n[[services.ports]]\nport = 80\nhandlers = [\"http\"]\n[[services.http_checks]]\ninterval = \"15s\"\npath = \"/health\"",
    source: "Fly.io documentation, reference/health-checks",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        let AnyService::Plain(plain) = service else { continue };
        let Some(first) = plain.tcp_checks.iter().flat_map(|checks| checks.iter()).next() else {
            continue;
        };
        if service.http_checks().is_empty() && is_http(service) {
            out.push(
                Diagnostic::new(&CODE, "the check does not ask the app anything")
                    .at(first.span, "accepts an open port"),
            );
        }
    }
}
