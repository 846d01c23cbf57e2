//! No room between soft and hard limit.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "soft-limit-equals-hard",
    title: "soft_limit equals hard_limit",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "From the soft limit on other Machines are preferred and the next one is started; with no room up to the hard limit there is no time for that, and requests queue.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\nsoft_limit = 25\nhard_limit = 25\ntype = \"requests\"",
    good: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\nsoft_limit = 20\nhard_limit = 25\ntype = \"requests\"",
    source: "Fly.io documentation, apps/concurrency",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        let Some(limits) = service.concurrency() else { continue };
        let (Some(soft), Some(hard)) = (&limits.soft_limit, &limits.hard_limit) else { continue };
        if soft.value == hard.value && hard.value > 1 {
            out.push(
                Diagnostic::new(&CODE, format!("both limits are {}", soft.value))
                    .at(soft.span, "leaves no room")
                    .at(hard.span, "up to here"),
            );
        }
    }
}
