//! An HTTP check that gets a redirect.

use super::common::http_checks;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "check-redirect",
    title: "A check that is redirected to HTTPS",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Checks speak plain HTTP to the app and follow no redirect: an app that forces HTTPS answers 301, and the check fails.",
    details: "Send the header that the proxy would send.",
    bad: "[env]\nFORCE_SSL = \"true\"\n[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/health\"\ngrace_period = \"5s\"",
    good: "[env]\nFORCE_SSL = \"true\"\n[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/health\"\ngrace_period = \"5s\"\nheaders = { X-Forwarded-Proto = \"https\" }",
    source: "Fly.io documentation, reference/health-checks",
};

const NAMES: &[&str] =
    &["FORCE_SSL", "FORCE_HTTPS", "SECURE_SSL_REDIRECT", "RAILS_FORCE_SSL", "REDIRECT_TO_HTTPS"];

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let variables = input.config.env.iter().flat_map(|env| env.value.iter());
    let forced = variables.into_iter().find(|(name, value)| {
        NAMES.contains(&name.as_str()) && ["true", "1", "True"].contains(&value.value.as_str())
    });
    let Some((name, value)) = forced else { return };
    for check in http_checks(input.config) {
        let names = check.headers.iter().flat_map(|headers| headers.value.keys());
        let is_sent = names.into_iter().any(|name| name.eq_ignore_ascii_case("x-forwarded-proto"));
        let is_https = check.protocol.as_ref().is_some_and(|it| it.value == "https");
        if !is_sent && !is_https {
            out.push(
                Diagnostic::new(&CODE, "this check is answered with a redirect")
                    .at(check.span, "add headers = { X-Forwarded-Proto = \"https\" }")
                    .at(value.span, format!("{name} redirects plain HTTP")),
            );
        }
    }
}
