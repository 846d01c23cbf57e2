//! Volumes and Machines in different regions.

use std::collections::BTreeSet;

use super::common::MAX_GROUPS;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "volume-region",
    title: "A volume and its Machines may be in different regions",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "A volume is a piece of a disk in one region, and only Machines in that region can mount it. Where they do not meet, the Machine is refused or starts on a new, empty volume.",
    details: "Without primary_region the platform picks the place of the first volume, and the next deploy may pick another for a new Machine. With the facts of the running app its regions are compared; without them only a missing primary_region shows in the file.",
    bad: "app = \"shop\"\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    good: "app = \"shop\"\nprimary_region = \"fra\"\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    source: "Fly.io documentation, volumes/overview",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let primary = config.primary_region.as_ref().filter(|region| !region.is_empty());
    for mount in config.mounts.iter().flat_map(|list| list.iter()) {
        let Some(name) = mount.source.as_ref().filter(|name| !name.is_empty()) else { continue };
        if primary.is_none() {
            out.push(
                Diagnostic::new(
                    &CODE,
                    "without primary_region the platform picks where this volume is",
                )
                .at(mount.span, "Machines elsewhere cannot mount it"),
            );
            continue;
        }
        let Some(volumes) = &input.facts.volumes else { continue };
        let volumes = volumes.iter().filter(|volume| volume.name == name.value);
        let there: BTreeSet<&str> = volumes.map(|volume| volume.region.as_str()).collect();
        if let Some(primary) = primary.filter(|primary| !there.contains(primary.as_str()))
            && !there.is_empty()
        {
            let there: Vec<&str> = there.iter().copied().collect();
            let message = format!(
                "volume \"{}\" is in {}, not in {}",
                name.value,
                there.join(", "),
                primary.value
            );
            out.push(
                Diagnostic::new(&CODE, message)
                    .at(name.span, "new Machines do not find it")
                    .at(primary.span, "new Machines are made here"),
            );
            continue;
        }
        for group in config.groups().into_iter().take(MAX_GROUPS) {
            if !config.applies(group, mount.processes.as_ref()) {
                continue;
            }
            let without: Vec<&str> = input
                .facts
                .regions(group)
                .into_iter()
                .filter(|region| !there.contains(region))
                .collect();
            if !without.is_empty() {
                let message = format!(
                    "`{group}` has Machines in {}, where no volume \"{}\" is",
                    without.join(", "),
                    name.value
                );
                out.push(
                    Diagnostic::new(&CODE, message).at(name.span, "they run without their data"),
                );
            }
        }
    }
}
