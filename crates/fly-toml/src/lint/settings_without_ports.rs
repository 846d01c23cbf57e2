//! Autostop settings of a service that is not routed.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "settings-without-ports",
    title: "Autostop settings of a service without ports",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "The proxy stops, starts and counts Machines by the requests that it routes to a service. One without ports gets none, so these settings do nothing; flyctl only warns that the ports are missing.",
    details: "Add [[services.ports]], or delete the service: a worker needs none.",
    bad: "[[services]]\nprotocol = \"tcp\"\ninternal_port = 8080\nauto_start_machines = true\nmin_machines_running = 1",
    good: "[[services]]\nprotocol = \"tcp\"\ninternal_port = 8080\nauto_start_machines = true\nmin_machines_running = 1\n[[services.ports]]\nport = 443\nhandlers = [\"tls\", \"http\"]",
    source: "adcontextprotocol/adcp pull request 4724; Fly.io documentation, launch/autostop-autostart",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.services.iter().flat_map(|list| list.iter()) {
        if service.ports.as_ref().is_some_and(|ports| !ports.is_empty()) {
            continue;
        }
        let stop = service.auto_stop_machines.as_ref().filter(|stop| stop.value != Autostop::Off);
        let start = service.auto_start_machines.as_ref().filter(|start| start.value);
        let least = service.min_machines_running.as_ref().filter(|least| least.value > 0);
        let keys = [least.map(|it| it.key), start.map(|it| it.key), stop.map(|it| it.key)];
        if let Some(key) = keys.into_iter().flatten().next() {
            out.push(
                Diagnostic::new(
                    &CODE,
                    "nothing is routed here, so nothing is started or kept running",
                )
                .at(key, "has no effect")
                .at(service.span, "no ports"),
            );
        }
    }
}
