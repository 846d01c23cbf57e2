//! Connections are counted on an HTTP service.

use super::common::is_http;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "connections-on-http",
    title: "Concurrency counts connections, not requests",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "The proxy keeps connections open and reuses them, so their number says little about load; with requests each Machine gets its fair share.",
    details: "connections is right for WebSockets and raw TCP.",
    bad: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"connections\"\nhard_limit = 25\nsoft_limit = 20",
    good: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"requests\"\nhard_limit = 250\nsoft_limit = 200",
    source: "Fly.io documentation, apps/concurrency; 63 of 90 public files",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        let Some(limits) = service.concurrency().filter(|_| is_http(service)) else { continue };
        let place = match &limits.kind {
            Some(kind) if kind.value == "connections" => kind.span,
            // Nothing said means connections.
            None => limits.span,
            Some(_) => continue,
        };
        out.push(
            Diagnostic::new(&CODE, "an HTTP service is balanced by connections")
                .at(place, "use type = \"requests\""),
        );
    }
}
