//! External ports that do not exist.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "external-port",
    title: "An external port that does not exist, or a range the wrong way round",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl sends any number, and the API refuses the Machine in the middle of the deploy.",
    details: "A range needs both ends.",
    bad: "[[services]]\ninternal_port = 8080\n[[services.ports]]\nstart_port = 9000\nend_port = 8000",
    good: "[[services]]\ninternal_port = 8080\n[[services.ports]]\nstart_port = 8000\nend_port = 9000",
    source: "Fly.io documentation, reference/configuration, services.ports",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let services = input.config.services.iter().flat_map(|list| list.iter());
    for port in services.flat_map(|service| service.ports.iter()).flat_map(|ports| ports.iter()) {
        let single = port.port.as_ref().map(|it| (it.value.0, it.span));
        let (first, last) = (port.start_port.as_ref(), port.end_port.as_ref());
        let ends = [first, last].into_iter().flatten().map(|it| (it.value, it.span));
        for (number, span) in single.into_iter().chain(ends) {
            if !(1..=65535).contains(&number) {
                out.push(
                    Diagnostic::new(&CODE, format!("there is no port {number}"))
                        .at(span, "1 to 65535"),
                );
            }
        }
        match (first, last) {
            (Some(first), Some(last)) if first.value > last.value => out.push(
                Diagnostic::new(&CODE, "this range holds no port")
                    .at(first.span, "begins here")
                    .at(last.span, "and ends before that"),
            ),
            (Some(one), None) | (None, Some(one)) => out.push(
                Diagnostic::new(&CODE, "half of a range").at(one.key, "write both ends, or port"),
            ),
            _ => {}
        }
    }
}
