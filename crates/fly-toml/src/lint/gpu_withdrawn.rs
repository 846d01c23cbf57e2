//! GPU keys.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "gpu-withdrawn",
    title: "GPUs were withdrawn",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Fly.io removed GPUs from its documentation in March 2026 and retires them; Machines with a GPU cannot be created any more.",
    details: "",
    bad: "[[vm]]\nsize = \"a10\"",
    good: "[[vm]]\nsize = \"performance-8x\"",
    source: "Fly.io documentation, change of 2026-03-18",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for vm in input.config.vm.iter().flat_map(|list| list.iter()) {
        let size = vm.size.as_ref().filter(|size| {
            ["a10", "l40s", "a100-40gb", "a100-80gb"].contains(&size.value.as_str())
        });
        let kind = vm.gpu_kind.as_ref().filter(|kind| !kind.is_empty());
        let count = vm.gpus.as_ref().filter(|count| count.value > 0).map(|it| it.span);
        let place = size.or(kind).map(|it| it.span).or(count);
        if let Some(place) = place {
            out.push(
                Diagnostic::new(&CODE, "there are no GPUs any more").at(place, "asks for a GPU"),
            );
        }
    }
}
