//! `force_https` on a port that does not speak HTTP.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "force-https-without-http",
    title: "force_https without the http handler",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "A redirect is an HTTP answer; on a port without the http handler the deploy fails.",
    details: "",
    bad: "[[services]]\ninternal_port = 8080\n[[services.ports]]\nport = 80\nforce_https = true",
    good: "[[services]]\ninternal_port = 8080\n[[services.ports]]\nport = 80\nhandlers = [\"http\"]\nforce_https = true",
    source: "Fly.io documentation, networking/services",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let services = input.config.services.iter().flat_map(|list| list.iter());
    for port in services.flat_map(|service| service.ports.iter()).flat_map(|ports| ports.iter()) {
        let Some(force) = port.force_https.as_ref().filter(|force| force.value) else { continue };
        let mut handlers = port.handlers.iter().flat_map(|list| list.iter());
        if !handlers.any(|handler| handler.value == "http") {
            out.push(
                Diagnostic::new(&CODE, "only an http handler can redirect")
                    .at(force.span, "add handlers = [\"http\"]"),
            );
        }
    }
}
