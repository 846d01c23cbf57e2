//! Everything may be stopped in production.

use super::common::is_development;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "cold-start",
    title: "The first request waits for a Machine to start",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "With autostop and no minimum, the last Machine is stopped when idle and the next visitor waits for a boot.",
    details: "min_machines_running = 1 keeps one Machine in the primary region (and is billed). Apps whose name or environment says development are not reported.",
    bad: "app = \"shop\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nmin_machines_running = 0",
    good: "app = \"shop\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nmin_machines_running = 1",
    source: "Fly.io documentation, launch/autostop-autostart; the production checklist of this project",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    if is_development(input.config) {
        return;
    }
    for service in input.config.all_services() {
        let stop = service.auto_stop().filter(|stop| stop.value != Autostop::Off);
        let Some(stop) = stop else { continue };
        let least = service.min_machines_running();
        if least.is_none_or(|least| least.value <= 0) {
            let place = least.map_or(stop.span, |least| least.span);
            out.push(
                Diagnostic::new(&CODE, "when it is quiet, no Machine runs")
                    .at(place, "min_machines_running = 1 keeps one warm"),
            );
        }
    }
}
