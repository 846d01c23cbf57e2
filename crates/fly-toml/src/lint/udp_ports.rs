//! UDP on ports that differ, or with handlers.

use super::common::is_udp;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "udp-ports",
    title: "A UDP service whose ports differ or that has handlers",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "The proxy passes UDP packets as they are: they arrive on the external port, whatever internal_port says, and no handler looks into them.",
    details: "The app has to bind fly-global-services, or its answers leave with the wrong address; that is not in the file.",
    bad: "[[services]]\nprotocol = \"udp\"\ninternal_port = 5300\n[[services.ports]]\nport = 53",
    good: "[[services]]\nprotocol = \"udp\"\ninternal_port = 53\n[[services.ports]]\nport = 53",
    source: "Fly.io documentation, networking/udp-and-tcp",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.services.iter().flat_map(|list| list.iter()) {
        if !is_udp(service) {
            continue;
        }
        for port in service.ports.iter().flat_map(|ports| ports.iter()) {
            if let (Some(external), Some(internal)) = (&port.port, &service.internal_port)
                && external.value.0 != internal.value.0
            {
                let message =
                    format!("UDP arrives on port {}, not {}", external.value.0, internal.value.0);
                out.push(
                    Diagnostic::new(&CODE, message)
                        .at(internal.span, "nothing arrives here")
                        .at(external.span, "packets keep this port"),
                );
            }
            if let Some(handlers) = port.handlers.as_ref().filter(|list| !list.is_empty()) {
                out.push(
                    Diagnostic::new(&CODE, "handlers do not work with UDP")
                        .at(handlers.span, "packets pass as they are"),
                );
            }
        }
    }
}
