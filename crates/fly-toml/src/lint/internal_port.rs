//! A service without a port of the app, or with an impossible one.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::AnyService;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "internal-port",
    title: "internal_port is missing or impossible",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl sends no port when none is written, although the documentation says 8080; the proxy then has nowhere to go and every request fails.",
    details: "",
    bad: "[http_service]\nforce_https = true",
    good: "[http_service]\ninternal_port = 8080\nforce_https = true",
    source: "flyctl internal/appconfig/service.go: an empty [http_service] validates",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for service in input.config.all_services() {
        match service.internal_port() {
            None => out.push(
                Diagnostic::new(&CODE, "this service has no internal_port")
                    .at(service.span(), "add the port on which the app listens"),
            ),
            Some(port) if !(1..=65535).contains(&port) => {
                let place = match service {
                    AnyService::Http(it) => it.internal_port.as_ref().map(|port| port.span),
                    AnyService::Plain(it) => it.internal_port.as_ref().map(|port| port.span),
                };
                out.push(
                    Diagnostic::new(&CODE, format!("there is no port {port}"))
                        .at(place.unwrap_or(service.span()), "1 to 65535"),
                );
            }
            Some(_) => {}
        }
    }
}
