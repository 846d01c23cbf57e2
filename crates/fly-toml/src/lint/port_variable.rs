//! `PORT` differs from `internal_port`.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "port-variable",
    title: "PORT and internal_port differ",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Most frameworks listen on PORT, while the proxy connects to internal_port: if the app follows PORT, every request fails.",
    details: "A reverse proxy inside the Machine makes this legitimate.",
    bad: "[env]\nPORT = \"3000\"\n[http_service]\ninternal_port = 8080",
    good: "[env]\nPORT = \"8080\"\n[http_service]\ninternal_port = 8080",
    source: "4 of 68 public files that have both",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let Some(port) = config.env.as_ref().and_then(|env| env.value.get("PORT")) else { return };
    let Ok(number) = port.value.trim().parse::<i64>() else { return };
    let services = config.all_services();
    let mut internal = services.iter().filter_map(|service| service.internal_port());
    if services.is_empty() || internal.any(|other| other == number) {
        return;
    }
    let mut diagnostic = Diagnostic::new(&CODE, format!("no service uses port {number}"))
        .at(port.span, "the app listens here, if it follows PORT");
    if let Some(service) = services.first() {
        diagnostic = diagnostic.at(service.span(), "the proxy connects elsewhere");
    }
    out.push(diagnostic);
}
