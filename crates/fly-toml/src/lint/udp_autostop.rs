//! Autostop and autostart on UDP.

use super::common::is_udp;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "udp-autostop",
    title: "Autostop does not work with UDP",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "The proxy sees no UDP traffic, so it neither knows when a Machine is idle nor starts one for a packet.",
    details: "",
    bad: "[[services]]\nprotocol = \"udp\"\ninternal_port = 53\nauto_stop_machines = \"stop\"",
    good: "[[services]]\nprotocol = \"udp\"\ninternal_port = 53",
    source: "superfly/flyctl issue 3583",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.services.iter().flat_map(|list| list.iter()) {
        if !is_udp(service) {
            continue;
        }
        let stop = service.auto_stop_machines.as_ref().filter(|it| it.value != Autostop::Off);
        let start = service.auto_start_machines.as_ref().filter(|it| it.value);
        let keys = [stop.map(|it| it.key), start.map(|it| it.key)];
        for key in keys.into_iter().flatten() {
            out.push(
                Diagnostic::new(&CODE, "UDP traffic stops and starts no Machine")
                    .at(key, "has no effect"),
            );
        }
    }
}
