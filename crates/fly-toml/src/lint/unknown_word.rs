//! A word that exists nowhere in the platform.

use super::{Lint, LintInput};
use crate::diag::nearest;
use crate::diag::{Applicability, Code, Diagnostic, Edit, Flyctl, Grade, Severity};
use crate::schema::{AnyService, Located};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "unknown-word",
    title: "A handler, protocol, concurrency type or signal that does not exist",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl does not look at the word; the API refuses it, or ignores it.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"donuts\"",
    good: "[http_service]\ninternal_port = 8080\n[http_service.concurrency]\ntype = \"requests\"",
    source: "Fly.io documentation, reference/configuration; Machines API enums",
};

const HANDLERS: &[&str] = &["http", "tls", "pg_tls", "proxy_proto", "edge_http"];
const SIGNALS: &[&str] =
    &["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGSTOP"];

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let mut word = |what: &str, text: Option<&Located<String>>, known: &[&str]| {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        if known.contains(&text.value.as_str()) {
            return;
        }
        let diagnostic =
            Diagnostic::new(&CODE, format!("{what} \"{}\" does not exist", text.value));
        out.push(match nearest(text, known.iter().copied()) {
            Some(meant) => diagnostic.at(text.span, format!("did you mean \"{meant}\"?")).fix(
                format!("write \"{meant}\""),
                vec![Edit::replace(text.span, format!("\"{meant}\""))],
                Applicability::MaybeIncorrect,
            ),
            None => diagnostic.at(text.span, format!("one of {}", known.join(", "))),
        });
    };
    word("signal", config.kill_signal.as_ref(), SIGNALS);
    for service in config.all_services() {
        let kind = service.concurrency().and_then(|limits| limits.kind.as_ref());
        word("concurrency type", kind, &["connections", "requests"]);
        for check in service.http_checks() {
            word("protocol", check.protocol.as_ref(), &["http", "https"]);
        }
        let AnyService::Plain(plain) = service else { continue };
        word("protocol", plain.protocol.as_ref(), &["tcp", "udp"]);
        for port in plain.ports.iter().flat_map(|ports| ports.iter()) {
            for handler in port.handlers.iter().flat_map(|list| list.iter()) {
                word("handler", Some(handler), HANDLERS);
            }
        }
    }
    for check in config.checks.iter().flat_map(|checks| checks.value.values()) {
        word("protocol", check.protocol.as_ref(), &["http", "https"]);
    }
}
