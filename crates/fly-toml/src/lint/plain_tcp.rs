//! A port without TLS.

use super::common::{external, is_udp};
use super::published_port::PORTS;
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
    why: "Without a tls handler the proxy passes bytes as they are: unencrypted unless the app encrypts.",
    details: "One finding for all such ports of a file. An app that speaks TLS itself is fine; ignore the finding then. Ports of protocols that bring their own encryption (SSH, SMTP, IMAP and MQTT over TLS and the like) are not reported, and ports of databases are a matter of published-port.",
    bad: "[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 9000",
    good: "[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 9000\nhandlers = [\"tls\"]",
    source: "Fly.io documentation, networking/services",
};

/// Ports of protocols that encrypt by themselves: SSH, and those over TLS whose servers bring their own.
const OWN_TLS: &[i64] = &[22, 443, 465, 636, 853, 990, 993, 995, 5061, 5349, 5671, 6697, 8883];

/// Ports that one diagnostic points at.
const MAX_LABELS: usize = 4;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    // Inside the private network nobody else connects, and everything is encrypted.
    if input.facts.public == Some(false) {
        return;
    }
    let encrypts = |handlers: &[&str]| {
        handlers.iter().any(|it| it.contains("tls") || ["http", "edge_http"].contains(it))
    };
    let services = input.config.all_services();
    let tcp = services
        .into_iter()
        .filter(|service| !matches!(service, AnyService::Plain(plain) if is_udp(plain)));
    let plain: Vec<_> = tcp
        .flat_map(external)
        .filter(|external| {
            let first = external.ports.start();
            // A database's port has a lint of its own, which says more.
            let is_known = PORTS.iter().any(|(port, _)| external.ports.contains(port));
            !OWN_TLS.contains(first) && !is_known && !encrypts(&external.handlers)
        })
        .collect();
    let Some(first) = plain.first() else { return };
    let message = match plain.len() {
        1 => format!("port {} is not encrypted by the proxy", first.ports.start()),
        count => format!("{count} ports are not encrypted by the proxy"),
    };
    let mut diagnostic = Diagnostic::new(&CODE, message).at(first.span, "no tls handler");
    for external in plain.iter().take(MAX_LABELS).skip(1) {
        diagnostic = diagnostic.at(external.span, "nor here");
    }
    out.push(diagnostic);
}
