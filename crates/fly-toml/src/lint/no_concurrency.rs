//! No limits for the proxy to balance by.

use super::common::{is_development, is_http};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "no-concurrency",
    title: "A web service without concurrency limits",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Without limits the proxy takes 20 concurrent as the point from which it prefers other Machines, and never stops sending to an overloaded one.",
    details: "Measure what one Machine bears: soft_limit where latency begins to rise, hard_limit where it must not take more.",
    bad: "app = \"shop\"\n[http_service]\ninternal_port = 8080",
    good: "app = \"shop\"\n[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"requests\"\nsoft_limit = 200\nhard_limit = 250",
    source: "Fly.io documentation, apps/concurrency; the production checklist of this project",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    if is_development(input.config) {
        return;
    }
    for service in input.config.all_services() {
        if service.concurrency().is_none() && is_http(service) {
            out.push(
                Diagnostic::new(&CODE, "no concurrency limits")
                    .at(service.span(), "soft_limit is 20, hard_limit is none"),
            );
        }
    }
}
