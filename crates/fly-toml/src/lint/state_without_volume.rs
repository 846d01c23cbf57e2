//! State in the Machine itself: a SQLite file outside the mounts, sessions in memory.

use super::common::stops;
use super::state::{self, Kind};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Autostop;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "state-without-volume",
    title: "State that is lost when the Machine stops",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Only a volume outlives a Machine: its file system starts afresh from the image at every start and deploy, and memory is gone with the process. With autostop this happens after each quiet quarter of an hour.",
    details: "Put the file on a volume, or the state into a database. Sessions and queues in memory are reported only where autostop is on. A suspended Machine keeps its memory, but not across deploys and moves to another host. Names and values of [env] and the commands of [processes] are looked at: SQLite addresses and files, session, queue and upload settings. persist_rootfs and anything named after a replicator (LiteFS, Litestream) silence it.",
    bad: "[env]\nDATABASE_URL = \"sqlite:///app/data.db\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"",
    good: "[env]\nDATABASE_URL = \"sqlite:////data/data.db\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    source: "Fly.io documentation, reference/suspend-resume and volumes/overview; manavgup/wikimind issue 616",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let states = state::local(config);
    if states.is_empty() {
        return;
    }
    for state in states {
        let stop = stops(config).find(|(service, _)| {
            state.group.is_none_or(|group| config.applies(group, service.processes()))
        });
        let diagnostic = match (stop, state.kind) {
            (None, Kind::Memory) => continue,
            (None, Kind::File) => {
                Diagnostic::new(&CODE, format!("{} is gone after the next deploy", state.what))
                    .at(state.span, "on no volume")
            }
            (Some((_, stop)), _) if stop.value == Autostop::Suspend => Diagnostic::new(
                &CODE,
                format!("{} lives as long as the suspended Machine", state.what),
            )
            .severity(if state.kind == Kind::File { Severity::Warning } else { Severity::Info })
            .at(state.span, "on no volume")
            .at(stop.span, "a deploy or a move to another host drops the snapshot"),
            (Some((_, stop)), _) => Diagnostic::new(
                &CODE,
                format!("{} is gone when an idle Machine is stopped", state.what),
            )
            .at(state.span, "on no volume")
            .at(stop.span, "idle Machines are stopped"),
        };
        out.push(diagnostic);
    }
}
