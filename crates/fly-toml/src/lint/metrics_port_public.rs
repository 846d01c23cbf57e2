//! Metrics on a public port.

use super::common::external;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "metrics-port-public",
    title: "Metrics can be read by everybody",
    severity: Severity::Warning,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "The port of the metrics is the port of a public service, so the metrics path answers anybody.",
    details: "Serve metrics on a port of its own, or protect the path.",
    bad: "[http_service]\ninternal_port = 8080\n[[metrics]]\nport = 8080\npath = \"/metrics\"",
    good: "[http_service]\ninternal_port = 8080\n[[metrics]]\nport = 9091\npath = \"/metrics\"",
    source: "Fly.io documentation, monitoring/metrics",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    // Inside the private network nobody else connects, and everything is encrypted.
    if input.facts.public == Some(false) {
        return;
    }
    let services = input.config.all_services();
    let public: Vec<i64> = services
        .iter()
        .filter(|service| !external(**service).is_empty())
        .filter_map(|service| service.internal_port())
        .collect();
    for metrics in input.config.metrics.iter().flat_map(|list| list.iter()) {
        if let Some(port) = metrics.port.as_ref().filter(|port| public.contains(&port.value)) {
            out.push(
                Diagnostic::new(&CODE, "the metrics are public")
                    .at(port.span, "a public service listens here"),
            );
        }
    }
}
