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
    details: "IPv6 is free and dedicated anyway. One address serves all services of an app, so there is one finding for a file.",
    bad: "[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 9000\nhandlers = [\"tls\"]",
    good: "[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 443\nhandlers = [\"tls\", \"http\"]",
    source: "Fly.io documentation, networking/services; pricing of 2026-08",
};

/// Ports that the diagnostic points at.
const MAX_LABELS: usize = 4;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    // An app has one such address for all its services.
    if input.facts.public == Some(false) {
        return;
    }
    let mut places = Vec::new();
    for service in input.config.all_services() {
        let AnyService::Plain(plain) = service else { continue };
        places.extend(external(service).into_iter().filter(|external| {
            let (first, last) = (*external.ports.start(), *external.ports.end());
            let is_shared = first == last
                && ((first == 80 && external.handlers == ["http"])
                    || (first == 443 && external.handlers.contains(&"tls")));
            is_udp(plain) || !is_shared
        }));
    }
    let Some(first) = places.first() else { return };
    let mut diagnostic = Diagnostic::new(&CODE, "the shared IPv4 address does not serve this app")
        .at(first.span, "needs a dedicated one");
    for external in places.iter().take(MAX_LABELS).skip(1) {
        diagnostic = diagnostic.at(external.span, "this too");
    }
    out.push(diagnostic);
}
