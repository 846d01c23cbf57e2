//! A port without TLS.

use super::common::{external, is_udp};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::AnyService;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "plain-tcp",
    title: "Raw TCP without TLS",
    severity: Severity::Warning,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "Without a tls handler the proxy passes bytes as they are: unencrypted unless the app encrypts. Ports other than 80 and 443 also need a dedicated IPv4 address, which is billed.",
    details: "An app that speaks TLS itself is fine; ignore the finding then.",
    bad: "[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 9000",
    good: "[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 9000\nhandlers = [\"tls\"]",
    source: "Fly.io documentation, networking/services",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        if matches!(service, AnyService::Plain(it) if is_udp(it)) {
            continue;
        }
        for external in external(service) {
            // Port 443 without handlers is an app that speaks TLS itself.
            let is_tls = *external.ports.start() == 443
                || external.handlers.iter().any(|it| it.contains("tls"));
            if !is_tls
                && !external.handlers.contains(&"http")
                && !external.handlers.contains(&"edge_http")
            {
                let message =
                    format!("port {} is not encrypted by the proxy", external.ports.start());
                out.push(Diagnostic::new(&CODE, message).at(external.span, "no tls handler"));
            }
        }
    }
}
