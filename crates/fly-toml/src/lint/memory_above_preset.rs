//! Much more memory than the CPUs come with.

use super::{Lint, LintInput};
use crate::convert;
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use fly_types::size::limits;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "memory-above-preset",
    title: "Memory far above the preset",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "Memory is the dearer part: about 5 USD per GB and month as of 2026-08. Four times the preset or more deserves a measurement.",
    details: "",
    bad: "[[vm]]\nsize = \"shared-cpu-1x\"\nmemory = \"2gb\"",
    good: "[[vm]]\nsize = \"shared-cpu-1x\"\nmemory = \"512mb\"",
    source: "Fly.io documentation, about/pricing of 2026-08",
};

const TIMES: i64 = 8;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for vm in input.config.vm.iter().flat_map(|list| list.iter()) {
        let Some(guest) = convert::guest(input.config, vm, &mut Vec::new()) else { continue };
        let (Some(kind), Some(cpus), Some(mb)) =
            (guest.cpu_kind.get(), guest.cpus.copied(), guest.memory_mb.copied())
        else {
            continue;
        };
        let Some(limits) = limits(kind) else { continue };
        let preset = i64::from(limits.min_mb_per_cpu).saturating_mul(cpus);
        let most = i64::from(limits.max_mb_per_cpu).saturating_mul(cpus);
        if preset > 0 && mb <= most && mb >= preset.saturating_mul(TIMES) {
            let place =
                vm.memory_mb.as_ref().map(|it| it.span).or(vm.memory.as_ref().map(|it| it.span));
            let message = format!("{mb} MB for {cpus} {kind} CPUs that come with {preset} MB");
            out.push(Diagnostic::new(&CODE, message).at(place.unwrap_or(vm.span), "is it used?"));
        }
    }
}
