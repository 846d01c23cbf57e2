//! `soft_limit` above `hard_limit`: the proxy can never prefer another Machine.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "soft-limit-above-hard",
    title: "soft_limit is above hard_limit",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Below the soft limit the proxy treats all Machines alike and at the hard limit it stops sending, so load is never balanced away from a busy Machine.",
    details: "The soft limit says from where on other Machines are preferred and when autostart wakes the next one; it has to be reached before the hard limit.",
    bad: "[http_service]\ninternal_port = 8080\n\n[http_service.concurrency]\ntype = \"requests\"\nsoft_limit = 250\nhard_limit = 200",
    good: "[http_service]\ninternal_port = 8080\n\n[http_service.concurrency]\ntype = \"requests\"\nsoft_limit = 200\nhard_limit = 250",
    source: "Fly.io documentation, apps/concurrency",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        let Some(limits) = service.concurrency() else { continue };
        let (Some(soft), Some(hard)) = (&limits.soft_limit, &limits.hard_limit) else { continue };
        if hard.value > 0 && soft.value > hard.value {
            out.push(
                Diagnostic::new(
                    &CODE,
                    format!("soft_limit {} is above hard_limit {}", soft.value, hard.value),
                )
                .at(soft.span, "reached only after the hard limit")
                .at(hard.span, "no more is sent from here on"),
            );
        }
    }
}
