//! A service that needs a dedicated IPv4 address.

use super::common::{external, is_udp};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::AnyService;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "dedicated-ipv4",
    title: "A dedicated IPv4 address is needed",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "The shared address serves HTTP and TLS on 80 and 443 only. Anything else makes the first deploy offer a dedicated one, at 2 USD a month as of 2026-08.",
    details: "IPv6 is free and dedicated anyway.",
    bad: "[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 9000\nhandlers = [\"tls\"]",
    good: "[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 443\nhandlers = [\"tls\", \"http\"]",
    source: "Fly.io documentation, networking/services; pricing of 2026-08",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        let AnyService::Plain(plain) = service else { continue };
        for external in external(service) {
            let (first, last) = (*external.ports.start(), *external.ports.end());
            let is_shared = first == last
                && ((first == 80 && external.handlers == ["http"])
                    || (first == 443 && external.handlers.contains(&"tls")));
            if is_udp(plain) || !is_shared {
                out.push(
                    Diagnostic::new(&CODE, "the shared IPv4 address does not serve this")
                        .at(external.span, "needs a dedicated one"),
                );
                break;
            }
        }
    }
}
