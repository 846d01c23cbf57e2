//! One volume name in several process groups.

use std::collections::BTreeMap;

use super::common::MAX_GROUPS;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "volume-shared-by-groups",
    title: "Process groups do not share a volume",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "A volume belongs to one Machine. Groups that name the same source get volumes of the same name, each its own: what the web server writes, the worker does not see.",
    details: "Share through a database or object storage. Where each group has data of its own, a source for each makes it plain, and keeps a Machine of one group from getting a volume of the other.",
    bad: "[processes]\nweb = \"x\"\nworker = \"y\"\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nprocesses = [\"web\", \"worker\"]",
    good: "[processes]\nweb = \"x\"\nworker = \"y\"\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nprocesses = [\"web\"]",
    source: "Fly.io documentation, volumes/overview",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let groups: Vec<&str> = config.groups().into_iter().take(MAX_GROUPS).collect();
    let mut owner: BTreeMap<&str, &str> = BTreeMap::new();
    for mount in config.mounts.iter().flat_map(|list| list.iter()) {
        let Some(source) = mount.source.as_ref().filter(|source| !source.is_empty()) else {
            continue;
        };
        for group in groups.iter().filter(|group| config.applies(group, mount.processes.as_ref())) {
            let first = *owner.entry(source.as_str()).or_insert(group);
            if first != *group {
                let message = format!(
                    "`{first}` and `{group}` each get a volume \"{}\" of their own",
                    source.value
                );
                let place = mount.processes.as_ref().map_or(source.span, |list| list.span);
                out.push(Diagnostic::new(&CODE, message).at(place, "nothing is shared"));
                break;
            }
        }
    }
}
