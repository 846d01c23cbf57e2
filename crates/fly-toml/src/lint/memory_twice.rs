//! `memory` and `memory_mb` disagree.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "memory-twice",
    title: "memory and memory_mb say different things",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "memory_mb wins over memory, and memory over size, whatever their order in the file.",
    details: "Delete one of the two.",
    bad: "[[vm]]\nmemory = \"1gb\"\nmemory_mb = 2048",
    good: "[[vm]]\nmemory = \"2gb\"",
    source: "flyctl internal/appconfig/compute.go; tinyhumansai/openhuman pull request 3108",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for vm in input.config.vm.iter().flat_map(|list| list.iter()) {
        let (Some(memory), Some(mb)) = (&vm.memory, &vm.memory_mb) else { continue };
        let Some(first) = memory.value.mb() else { continue };
        if mb.value > 0 && first != mb.value {
            out.push(
                Diagnostic::new(
                    &CODE,
                    format!("memory is {first} MB here and {} MB there", mb.value),
                )
                .at(memory.span, "without effect")
                .at(mb.span, "in force"),
            );
        }
    }
}
