//! A volume is billed while its Machine is stopped.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "idle-volume",
    title: "Volumes are billed while Machines sleep",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "Autostop saves CPU and memory only: a volume costs 0.15 USD per GB and month whatever the Machine does, and snapshots are billed since January 2026.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\ninitial_size = \"50gb\"",
    good: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\ninitial_size = \"1gb\"",
    source: "Fly.io documentation, about/pricing and about/cost-management of 2026-08",
};

/// Below this the volume costs less than anybody would look at.
const LARGE_GB: i64 = 10;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let services = input.config.all_services();
    let mut stops = services.iter().filter_map(|service| service.auto_stop());
    if !stops.any(|stop| stop.value != Autostop::Off) {
        return;
    }
    for mount in input.config.mounts.iter().flat_map(|list| list.iter()) {
        let Some(size) = &mount.initial_size else { continue };
        if let Some(gb) = size.value.gb().filter(|gb| *gb >= LARGE_GB) {
            let message = format!("{gb} GB are billed while the Machine sleeps");
            out.push(Diagnostic::new(&CODE, message).at(size.span, "for each Machine"));
        }
    }
}
