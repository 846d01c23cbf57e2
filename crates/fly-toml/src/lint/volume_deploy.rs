//! A deploy with downtime.

use super::common::{MAX_GROUPS, workers};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "volume-deploy",
    title: "Machines with volumes are replaced in place",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "A volume belongs to one Machine, so a deploy stops that Machine, updates it and starts it again: with one Machine the app is down meanwhile.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    good: "[http_service]\ninternal_port = 8080",
    source: "Fly.io documentation, launch/deploy; volumes/overview",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let workers = workers(config);
    let groups = config.groups().into_iter().take(MAX_GROUPS);
    let serving: Vec<&str> = groups.filter(|group| !workers.contains(group)).collect();
    for mount in config.mounts.iter().flat_map(|list| list.iter()) {
        if serving.iter().any(|group| config.applies(group, mount.processes.as_ref())) {
            out.push(
                Diagnostic::new(&CODE, "a deploy interrupts this service")
                    .at(mount.span, "the volume keeps the Machine in place"),
            );
        }
    }
}
