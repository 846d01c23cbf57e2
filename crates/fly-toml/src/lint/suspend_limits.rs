//! Suspend on Machines that cannot be suspended.

use super::common::{groups_of, guest};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::{Autostop, Config};
use crate::span::Span;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "suspend-limits",
    title: "Suspend is refused or falls back to stop",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "A Machine with more than 2 GB of memory, swap, a schedule or a GPU cannot be suspended; it is stopped instead, and the fast resume that was asked for does not happen.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"suspend\"\n[[vm]]\nmemory = \"4gb\"\ncpus = 2",
    good: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"suspend\"\n[[vm]]\nmemory = \"2gb\"\ncpus = 2",
    source: "Fly.io documentation, reference/suspend-resume; superfly/docs issue 1778",
};

const MOST_MB: i64 = 2048;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    for service in config.all_services() {
        let Some(suspend) = service.auto_stop().filter(|stop| stop.value == Autostop::Suspend)
        else {
            continue;
        };
        if let Some(swap) = config.swap_size_mb.as_ref().filter(|swap| swap.value > 0) {
            out.push(
                Diagnostic::new(&CODE, "Machines with swap are not suspended")
                    .severity(Severity::Error)
                    .at(suspend.span, "refused")
                    .at(swap.span, "because of this"),
            );
        }
        if let Some((schedule, place)) = schedule(config) {
            let message = format!("Machines with a schedule ({schedule}) are not suspended");
            out.push(
                Diagnostic::new(&CODE, message)
                    .severity(Severity::Error)
                    .at(suspend.span, "refused")
                    .at(place, "because of this"),
            );
        }
        for group in groups_of(config, service) {
            let (Some(vm), Some(guest)) = (config.vm_of(group), guest(config, group)) else {
                continue;
            };
            let mb = guest.memory_mb.copied().unwrap_or(0);
            if mb > MOST_MB {
                out.push(
                    Diagnostic::new(&CODE, format!("Machines with {mb} MB are not suspended"))
                        .at(suspend.span, "falls back to stop above 2 GB")
                        .at(vm.span, "this size"),
                );
            }
            if guest.gpu_kind.get().is_some() {
                out.push(
                    Diagnostic::new(&CODE, "Machines with a GPU are not suspended")
                        .severity(Severity::Error)
                        .at(suspend.span, "refused")
                        .at(vm.span, "this size"),
                );
            }
        }
    }
}

/// The schedule of an inline machine config; fly.toml has no key of its own for it.
fn schedule(config: &Config) -> Option<(String, Span)> {
    let experimental = config.experimental.as_ref().and_then(|it| it.machine_config.as_ref());
    let inline = experimental.or(config.machine_config.as_ref())?;
    let json: serde_json::Value = serde_json::from_str(inline).ok()?;
    let schedule = json.get("schedule")?.as_str().filter(|schedule| !schedule.is_empty())?;
    Some((schedule.to_owned(), inline.span))
}
