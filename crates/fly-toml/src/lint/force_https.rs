//! Plain HTTP is served.

use super::common::flycast_hint;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Port;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "force-https",
    title: "force_https is not set",
    severity: Severity::Warning,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "Without the redirect the app answers on port 80 in plain text: cookies and forms of anybody who types the address without https travel unencrypted.",
    details: "Apps that are reached over Flycast only are not meant: see force-https-flycast.",
    bad: "[http_service]\ninternal_port = 8080",
    good: "[http_service]\ninternal_port = 8080\nforce_https = true",
    source: "Fly.io documentation, networking/services; the production checklist of this project",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    // Flycast is plain HTTP: a redirect would break an app that is reached over it only.
    let private = flycast_hint(input);
    if input.facts.public == Some(false) || private.is_some_and(|hint| hint.is_own_name) {
        return;
    }
    if let Some(service) = &input.config.http_service {
        let place = match &service.force_https {
            None => service.span,
            // Switched off beside a word about Flycast is meant.
            Some(force) if !force.value && private.is_none() => force.span,
            Some(_) => return,
        };
        out.push(
            Diagnostic::new(&CODE, "plain HTTP is not redirected")
                .at(place, "add force_https = true"),
        );
        return;
    }
    // Of other services only those that serve HTTPS as well: the others have nowhere to redirect to.
    for service in input.config.services.iter().flat_map(|list| list.iter()) {
        let ports: Vec<_> = service.ports.iter().flat_map(|ports| ports.iter()).collect();
        let has = |port: &Port, name: &str| {
            port.handlers
                .as_ref()
                .is_some_and(|list| list.iter().any(|handler| handler.value == name))
        };
        if !ports.iter().any(|port| has(port, "tls") && has(port, "http")) {
            continue;
        }
        for port in ports.iter().filter(|port| has(port, "http") && !has(port, "tls")) {
            if port.force_https.as_ref().is_none_or(|force| !force.value) {
                out.push(
                    Diagnostic::new(&CODE, "plain HTTP is not redirected")
                        .at(port.span, "add force_https = true"),
                );
            }
        }
    }
}
