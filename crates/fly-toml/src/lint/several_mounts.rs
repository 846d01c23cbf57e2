//! Two volumes for one Machine.

use super::common::MAX_GROUPS;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "several-mounts",
    title: "Two mounts for one process group",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "A Machine has one volume. Both mounts are sent, only the first gets a volume.",
    details: "",
    bad: "[[mounts]]\nsource = \"a\"\ndestination = \"/a\"\n[[mounts]]\nsource = \"b\"\ndestination = \"/b\"",
    good: "[[mounts]]\nsource = \"a\"\ndestination = \"/a\"",
    source: "flyctl checks this only in deploys limited to chosen groups",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let Some(mounts) = &config.mounts else { return };
    for group in config.groups().into_iter().take(MAX_GROUPS) {
        let mut own = mounts.iter().filter(|mount| config.applies(group, mount.processes.as_ref()));
        if let (Some(first), Some(second)) = (own.next(), own.next()) {
            out.push(
                Diagnostic::new(&CODE, format!("process group `{group}` has two mounts"))
                    .at(second.span, "gets no volume")
                    .at(first.span, "gets the volume"),
            );
        }
    }
}
