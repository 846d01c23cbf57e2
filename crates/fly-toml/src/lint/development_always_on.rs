//! A development app that never sleeps.

use super::common::{is_development, is_http};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "development-always-on",
    title: "A development app runs all the time",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "Its name or environment says that it is not production, and it is billed around the clock.",
    details: "auto_stop_machines = \"stop\" lets it sleep when nobody uses it.",
    bad: "app = \"shop-staging\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"off\"",
    good: "app = \"shop-staging\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nauto_start_machines = true",
    source: "Fly.io documentation, about/cost-management",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    if !is_development(input.config) {
        return;
    }
    for service in input.config.all_services() {
        let off = service.auto_stop().is_none_or(|stop| stop.value == Autostop::Off);
        if off && is_http(service) {
            let place = service.auto_stop().map_or(service.span(), |stop| stop.span);
            out.push(
                Diagnostic::new(&CODE, "billed around the clock")
                    .at(place, "let it stop when idle"),
            );
        }
    }
}
