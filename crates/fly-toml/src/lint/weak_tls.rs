//! TLS that proves or protects too little.

use super::common::http_checks;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "weak-tls",
    title: "Certificates are not checked, or old TLS is offered",
    severity: Severity::Warning,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "A check that accepts any certificate does not notice the wrong one, a self-signed default hides a missing certificate, and TLS below 1.2 is broken.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\n[http_service.tls_options]\nversions = [\"TLSv1.0\", \"TLSv1.2\"]",
    good: "[http_service]\ninternal_port = 8080\n[http_service.tls_options]\nversions = [\"TLSv1.2\", \"TLSv1.3\"]",
    source: "Fly.io documentation, reference/configuration, tls_options",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let top = config.checks.iter().flat_map(|checks| checks.value.values());
    let skips = http_checks(config).into_iter().filter_map(|check| check.tls_skip_verify.as_ref());
    for skip in
        skips.chain(top.filter_map(|check| check.tls_skip_verify.as_ref())).filter(|it| it.value)
    {
        out.push(
            Diagnostic::new(&CODE, "this check accepts any certificate")
                .severity(Severity::Info)
                .at(skip.span, "not verified"),
        );
    }
    let services = config.services.iter().flat_map(|list| list.iter());
    let ports = services.flat_map(|service| service.ports.iter()).flat_map(|ports| ports.iter());
    let options = ports.filter_map(|port| port.tls_options.as_ref());
    let http = config.http_service.iter().filter_map(|service| service.tls_options.as_ref());
    for options in options.chain(http) {
        if let Some(own) = options.default_self_signed.as_ref().filter(|own| own.value) {
            out.push(
                Diagnostic::new(&CODE, "a self-signed certificate is served")
                    .at(own.span, "hides that there is no real one"),
            );
        }
        for version in options.versions.iter().flat_map(|list| list.iter()) {
            if ["SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1"].contains(&version.value.as_str()) {
                out.push(
                    Diagnostic::new(&CODE, format!("{} is broken", version.value))
                        .at(version.span, "offer 1.2 and 1.3"),
                );
            }
        }
    }
}
