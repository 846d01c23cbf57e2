//! The Dockerfile exposes other ports.

use super::common::is_udp;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::dockerfile::Dockerfile;
use crate::schema::AnyService;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "expose-differs",
    title: "The Dockerfile does not expose internal_port",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "EXPOSE says where the image listens, and the proxy connects to internal_port: when they differ, the app is most likely unreachable.",
    details: "Nothing enforces EXPOSE; a Dockerfile without one is not reported. ENV PORT in the Dockerfile counts when there is no EXPOSE.",
    bad: "# with a Dockerfile that says EXPOSE 3000\n[http_service]\ninternal_port = 8080",
    good: "# with a Dockerfile that says EXPOSE 3000\n[http_service]\ninternal_port = 3000",
    source: "Fly.io documentation, getting-started/troubleshooting",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let Some(text) = input.dockerfile else { return };
    let dockerfile = Dockerfile::parse(text);
    let mut ports = dockerfile.exposed();
    let mut word = "exposes";
    let is_set_here = input.config.env.as_ref().is_some_and(|env| env.value.contains_key("PORT"));
    if ports.is_empty() && !is_set_here {
        word = "sets PORT to";
        ports.extend(
            dockerfile.variable("PORT").and_then(|port| port.parse().ok()).map(|port| port..=port),
        );
    }
    if ports.is_empty() {
        return;
    }
    let shown: Vec<String> = ports
        .iter()
        .take(8)
        .map(|range| {
            let (first, last) = (range.start(), range.end());
            if first == last { format!("{first}") } else { format!("{first}-{last}") }
        })
        .collect();
    for service in input.config.all_services() {
        if matches!(service, AnyService::Plain(plain) if is_udp(plain)) {
            continue;
        }
        let Some(port) = service.internal_port() else { continue };
        let is_exposed =
            ports.iter().any(|range| u16::try_from(port).is_ok_and(|port| range.contains(&port)));
        if !is_exposed {
            let message = format!("the Dockerfile {word} {}, not {port}", shown.join(", "));
            out.push(
                Diagnostic::new(&CODE, message)
                    .at(service.span(), format!("the proxy connects to {port}")),
            );
        }
    }
}
