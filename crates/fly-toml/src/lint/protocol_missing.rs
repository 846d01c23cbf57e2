//! A service without a protocol.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "protocol-missing",
    title: "A service does not say whether it is TCP or UDP",
    severity: Severity::Info,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl neither checks nor fills in the protocol, so none is sent and what the service does is left to the API.",
    details: "Only [[services]] has the key; [http_service] is always TCP.",
    bad: "[[services]]\ninternal_port = 8080\n[[services.ports]]\nport = 443\nhandlers = [\"tls\", \"http\"]",
    good: "[[services]]\nprotocol = \"tcp\"\ninternal_port = 8080\n[[services.ports]]\nport = 443\nhandlers = [\"tls\", \"http\"]",
    source: "flyctl internal/appconfig/service.go, read",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.services.iter().flat_map(|list| list.iter()) {
        let protocol = service.protocol.as_ref();
        if protocol.is_none_or(|protocol| protocol.is_empty()) {
            let place = protocol.map_or(service.span, |protocol| protocol.span);
            out.push(
                Diagnostic::new(&CODE, "this service has no protocol")
                    .at(place, "write protocol = \"tcp\""),
            );
        }
    }
}
