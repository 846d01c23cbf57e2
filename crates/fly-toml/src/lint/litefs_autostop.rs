//! LiteFS with autostop.

use super::common::{stops, texts};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::span::Span;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "litefs-autostop",
    title: "LiteFS and autostop exclude each other",
    severity: Severity::Error,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "The documentation rules the two out: the Machine that autostop takes away may be the primary, which takes the writes, and one that comes back after a while has to catch up before it can serve.",
    details: "Turn autostop off. Looked for: \"litefs\" in mounts, variables and commands, or in the Dockerfile's command.",
    bad: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\n[[mounts]]\nsource = \"litefs\"\ndestination = \"/var/lib/litefs\"",
    good: "[http_service]\ninternal_port = 8080\nauto_stop_machines = \"off\"\n[[mounts]]\nsource = \"litefs\"\ndestination = \"/var/lib/litefs\"",
    source: "Fly.io documentation, litefs",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let Some((_, stop)) = stops(input.config).next() else { return };
    let place = named(input);
    let in_image = || {
        let command = input.dockerfile.map(super::common::dockerfile_command);
        command.is_some_and(|command| command.to_ascii_lowercase().contains("litefs"))
    };
    let diagnostic = match place {
        Some(place) => {
            Diagnostic::new(&CODE, "LiteFS does not bear Machines that stop by themselves")
                .at(stop.span, "idle Machines are stopped")
                .at(place, "LiteFS")
        }
        None if in_image() => Diagnostic::new(
            &CODE,
            "the image starts LiteFS, which does not bear Machines that stop by themselves",
        )
        .at(stop.span, "idle Machines are stopped"),
        None => return,
    };
    out.push(diagnostic);
}

fn named(input: &LintInput<'_>) -> Option<Span> {
    let is_meant = |text: &str| text.to_ascii_lowercase().contains("litefs");
    let mounts = input.config.mounts.iter().flat_map(|list| list.iter());
    let mount = mounts.flat_map(|mount| [&mount.source, &mount.destination]).flatten();
    let mount = mount.filter(|text| is_meant(&text.value)).map(|text| text.span).next();
    let texts =
        || texts(input.config).into_iter().find(|it| is_meant(it.name) || is_meant(it.value));
    mount.or_else(|| texts().map(|text| text.span))
}
