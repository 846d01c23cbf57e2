//! Machines are stopped when idle and never started again.

use super::{Lint, LintInput};
use crate::diag::{Applicability, Code, Diagnostic, Edit, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "autostop-without-autostart",
    title: "Idle Machines are stopped and not started again",
    severity: Severity::Error,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "After the first quiet minutes the proxy stops the Machines, and with auto_start_machines = false no request brings them back: the app stays down until somebody starts it by hand.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nauto_start_machines = false",
    good: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nauto_start_machines = true",
    source: "joshrotenberg/cratesio-mcp pull requests 131 and 135",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        let (Some(stop), Some(start)) = (service.auto_stop(), service.auto_start()) else {
            continue;
        };
        if stop.value != Autostop::Off && !start.value {
            out.push(
                Diagnostic::new(&CODE, "Machines that are stopped when idle stay stopped")
                    .at(start.span, "nothing starts them")
                    .at(stop.span, "idle Machines are stopped")
                    .fix(
                        "start them when requests come",
                        vec![Edit::replace(start.span, "true")],
                        Applicability::MaybeIncorrect,
                    ),
            );
        }
    }
}
