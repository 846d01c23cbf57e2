//! The same external port in two services.

use super::common::{external, is_udp};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::AnyService;
use crate::span::Span;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "port-taken-twice",
    title: "Two services listen on the same external port",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Within a process group the two collide; in different groups the proxy sends each connection to any of them.",
    details: "[http_service] always takes 80 and 443. Parts of one range count as well.",
    bad: "[http_service]\ninternal_port = 8080\n[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 443\nhandlers = [\"tls\"]",
    good: "[http_service]\ninternal_port = 8080\n[[services]]\ninternal_port = 9000\n[[services.ports]]\nport = 9443\nhandlers = [\"tls\"]",
    source: "superfly/flyctl issue 3583; Fly.io documentation, launch/processes",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let services = input.config.all_services();
    let mut all = Vec::new();
    for (index, service) in services.iter().enumerate() {
        let udp = matches!(service, AnyService::Plain(service) if is_udp(service));
        all.extend(external(*service).into_iter().map(|it| (index, udp, it.ports, it.span)));
    }
    // Sorted by the first port, an overlap is with the furthest one so far.
    all.sort_by_key(|(index, _, ports, _)| (*ports.start(), *index));
    let mut reached: [Option<(usize, i64, Span)>; 2] = [None, None];
    for (index, udp, ports, span) in all {
        let furthest = &mut reached[usize::from(udp)];
        if let Some((other, end, place)) = *furthest
            && other != index
            && *ports.start() <= end
        {
            out.push(
                Diagnostic::new(&CODE, format!("port {} is taken twice", ports.start()))
                    .at(span, "here")
                    .at(place, "and here"),
            );
        }
        if furthest.is_none_or(|(_, end, _)| *ports.end() > end) {
            *furthest = Some((index, *ports.end(), span));
        }
    }
}
