//! Requests start no Machine, and none is stopped either.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "autostart-off",
    title: "Always on: a Machine that stopped is not started by requests",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Nothing stops the Machines, which is the documented form for \"always on\", and nothing starts them either: one that was stopped by hand, or that ended with status 0, stays down until somebody starts it.",
    details: "Leave auto_start_machines at true unless a stopped Machine has to stay stopped: with autostop off it costs nothing.",
    bad: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"off\"\nauto_start_machines = false",
    good: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"off\"\nauto_start_machines = true",
    source: "Fly.io documentation, launch/autostop-autostart",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        let stops = service.auto_stop().is_some_and(|stop| stop.value != Autostop::Off);
        if let Some(start) = service.auto_start().filter(|start| !start.value && !stops) {
            out.push(
                Diagnostic::new(&CODE, "a Machine that stopped stays down")
                    .at(start.span, "requests do not start it"),
            );
        }
    }
}
