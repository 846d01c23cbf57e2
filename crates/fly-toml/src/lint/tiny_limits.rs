//! Performance CPUs behind small limits.

use super::common::{groups_of, guest};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "tiny-limits",
    title: "Performance CPUs with small concurrency limits",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "The proxy starts and prefers other Machines from the soft limit on, so performance CPUs, about 21 USD each a month before memory as of 2026-08, wait while further Machines are woken.",
    details: "Right where each request is heavy work: rendering, transcoding, inference. Otherwise measure where latency begins to rise, or use shared CPUs.",
    bad: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"requests\"\nsoft_limit = 4\nhard_limit = 8\n[[vm]]\nsize = \"performance-4x\"",
    good: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"requests\"\nsoft_limit = 200\nhard_limit = 250\n[[vm]]\nsize = \"performance-4x\"",
    source: "Fly.io documentation, apps/concurrency; about/pricing of 2026-08",
};

/// A performance CPU bears more than this many ordinary requests at once.
const FEW_PER_CPU: i64 = 5;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    for service in config.all_services() {
        let Some(limits) = service.concurrency() else { continue };
        let soft = limits.soft_limit.as_ref().or(limits.hard_limit.as_ref());
        let Some(limit) = soft.filter(|limit| limit.value > 0) else { continue };
        for group in groups_of(config, service) {
            let (Some(vm), Some(guest)) = (config.vm_of(group), guest(config, group)) else {
                continue;
            };
            let cpus = guest.cpus.copied().unwrap_or(0);
            let is_performance =
                guest.cpu_kind.get().is_some_and(|kind| kind.as_str() == "performance");
            if is_performance && limit.value < cpus.saturating_mul(FEW_PER_CPU) {
                let message = format!("{cpus} performance CPUs for {} at once", limit.value);
                out.push(
                    Diagnostic::new(&CODE, message)
                        .at(limit.span, "from here on other Machines are preferred")
                        .at(vm.span, "this size"),
                );
                break;
            }
        }
    }
}
