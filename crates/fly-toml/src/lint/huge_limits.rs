//! Shared CPUs behind large limits.

use super::common::{groups_of, guest};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "huge-limits",
    title: "Shared CPUs with large concurrency limits",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "A shared CPU may use a sixteenth of a core in the long run. With a limit that is never reached the proxy neither prefers another Machine nor wakes one while this one is throttled.",
    details: "Limits on connections are not meant: idle WebSockets cost little.",
    bad: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"requests\"\nsoft_limit = 2000\nhard_limit = 2500\n[[vm]]\nsize = \"shared-cpu-1x\"",
    good: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"requests\"\nsoft_limit = 200\nhard_limit = 250\n[[vm]]\nsize = \"shared-cpu-1x\"",
    source: "Fly.io documentation, apps/concurrency; machines/cpu-performance",
};

/// More requests at once than a sixteenth of a CPU answers in reasonable time.
const MANY_PER_CPU: i64 = 500;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    for service in config.all_services() {
        let Some(limits) = service.concurrency() else { continue };
        let is_requests = limits.kind.as_ref().is_some_and(|kind| kind.value == "requests");
        let soft = limits.soft_limit.as_ref().or(limits.hard_limit.as_ref());
        let Some(limit) = soft.filter(|_| is_requests) else { continue };
        for group in groups_of(config, service) {
            let (Some(vm), Some(guest)) = (config.vm_of(group), guest(config, group)) else {
                continue;
            };
            let cpus = guest.cpus.copied().unwrap_or(0);
            let is_shared = guest.cpu_kind.get().is_some_and(|kind| kind.as_str() == "shared");
            if is_shared && cpus > 0 && limit.value > cpus.saturating_mul(MANY_PER_CPU) {
                let message = format!("{} requests at once for {cpus} shared CPUs", limit.value);
                out.push(
                    Diagnostic::new(&CODE, message)
                        .at(limit.span, "reached long after the CPU is used up")
                        .at(vm.span, "this size"),
                );
                break;
            }
        }
    }
}
