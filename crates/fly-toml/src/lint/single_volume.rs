//! Data on one volume.

use super::common::{is_development, is_replicated, replicates};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "single-volume",
    title: "A volume lives on one host",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "A volume is a slice of one disk in one server: when the host is down the app is down, when the disk dies everything since the last snapshot is lost. The first deploy makes one Machine with one volume.",
    details: "Run two or more Machines with a volume each and replicate between them (LiteFS, a database with replicas), or keep the data in managed storage. Apps whose name or environment says development are not reported.",
    bad: "app = \"shop\"\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    good: "app = \"shop\"",
    source: "Fly.io documentation, volumes/overview",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let Some(mounts) = config.mounts.as_ref().filter(|_| !is_development(config)) else { return };
    // What replicates says so itself.
    if is_replicated(config) {
        return;
    }
    for mount in mounts.iter() {
        let name = mount.source.as_ref().map_or("", |source| source.value.as_str());
        if !replicates(name) {
            out.push(
                Diagnostic::new(&CODE, "this data lives on one disk")
                    .at(mount.span, "one volume for each Machine"),
            );
        }
    }
}
