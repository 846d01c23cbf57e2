//! CPUs and memory that the platform does not sell together.

use super::{Lint, LintInput};
use crate::convert;
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use fly_types::size::Size;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "vm-limits",
    title: "CPUs and memory outside the limits",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl sends it and the API refuses the Machine, in the middle of the deploy.",
    details: "shared: 1, 2, 4, 6 or 8 CPUs with 256 to 2048 MB each in steps of 256 MB. performance: 1 to 16 CPUs with 2048 to 8192 MB each in steps of 1024 MB (one page of the documentation says 2048).",
    bad: "[[vm]]\nsize = \"shared-cpu-2x\"\nmemory = \"8gb\"",
    good: "[[vm]]\nsize = \"shared-cpu-4x\"\nmemory = \"8gb\"",
    source: "Fly.io documentation, machines/guides-examples/machine-sizing; SuffolkLITLab/EfileProxyServer",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let release =
        input.config.deploy.iter().filter_map(|deploy| deploy.release_command_vm.as_ref());
    let vms = input.config.vm.iter().flat_map(|list| list.iter());
    for vm in vms.chain(release) {
        let Some(guest) = convert::guest(input.config, vm, &mut Vec::new()) else { continue };
        // A GPU decides by itself what goes with it.
        if vm.gpu_kind.is_some() || vm.gpus.is_some() {
            continue;
        }
        let (Some(kind), Some(cpus), Some(mb)) =
            (guest.cpu_kind.get(), guest.cpus.copied(), guest.memory_mb.copied())
        else {
            continue;
        };
        let number = |value: i64| u32::try_from(value).unwrap_or(0);
        if let Err(error) = Size::new(kind.clone(), number(cpus), number(mb)) {
            let keys = [
                vm.memory_mb.as_ref().map(|it| it.span),
                vm.memory.as_ref().map(|it| it.span),
                vm.cpus.as_ref().map(|it| it.span),
                vm.size.as_ref().map(|it| it.span),
                vm.cpu_kind.as_ref().map(|it| it.span),
            ];
            let place = keys.into_iter().flatten().next().unwrap_or(vm.span);
            let message = format!("there is no Machine with {cpus} {kind} CPUs and {mb} MB");
            out.push(Diagnostic::new(&CODE, message).at(place, error.rule));
        }
    }
}
