//! A minimum that nothing enforces.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "minimum-without-autostop",
    title: "min_machines_running without autostop",
    severity: Severity::Info,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "The minimum only says how many Machines autostop leaves running. Without autostop nothing stops and nothing starts because of it.",
    details: "It does not make Machines either: `fly scale count` does. And it counts the primary region only.",
    bad: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"off\"\nmin_machines_running = 2",
    good: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nmin_machines_running = 2",
    source: "Fly.io documentation, launch/autostop-autostart",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        let is_off = service.auto_stop().is_none_or(|stop| stop.value == Autostop::Off);
        if let Some(least) =
            service.min_machines_running().filter(|least| is_off && least.value > 0)
        {
            out.push(
                Diagnostic::new(&CODE, "this minimum has no effect")
                    .at(least.key, "autostop is off"),
            );
        }
        if let Some(least) = service.min_machines_running().filter(|least| least.value < 0) {
            out.push(
                Diagnostic::new(&CODE, "a minimum below zero")
                    .severity(Severity::Error)
                    .at(least.span, "0 or more"),
            );
        }
    }
}
