//! `size` next to keys that replace parts of it.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use fly_types::size::Size;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "size-overridden",
    title: "size and the keys that override it",
    severity: Severity::Info,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "size is only where the calculation starts: cpus and cpu_kind replace what it says, so the name of the size misleads.",
    details: "",
    bad: "[[vm]]\nsize = \"performance-2x\"\ncpu_kind = \"shared\"",
    good: "[[vm]]\nsize = \"shared-cpu-2x\"",
    source: "flyctl internal/appconfig/compute.go",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for vm in input.config.vm.iter().flat_map(|list| list.iter()) {
        let Some(size) = vm.size.as_ref().filter(|size| !size.is_empty()) else { continue };
        let Ok(preset) = size.value.parse::<Size>() else { continue };
        if let Some(kind) = &vm.cpu_kind
            && !kind.is_empty()
            && kind.value != preset.kind().as_str()
        {
            out.push(
                Diagnostic::new(
                    &CODE,
                    format!("cpu_kind replaces that of size \"{}\"", size.value),
                )
                .at(kind.span, "in force")
                .at(size.span, "says otherwise"),
            );
        }
        if let Some(cpus) = &vm.cpus
            && cpus.value != 0
            && cpus.value != i64::from(preset.cpus())
        {
            out.push(
                Diagnostic::new(&CODE, format!("cpus replaces that of size \"{}\"", size.value))
                    .at(cpus.span, "in force")
                    .at(size.span, "says otherwise"),
            );
        }
    }
}
