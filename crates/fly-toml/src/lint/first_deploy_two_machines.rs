//! An app that bears one Machine gets two.

use std::collections::BTreeSet;

use super::common::{MAX_GROUPS, members, workers};
use super::state::{self, schedulers};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "first-deploy-two-machines",
    title: "The first deploy makes two Machines, and this app bears one",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "A group with a service and without a mount gets two Machines at the first deploy, both billed. Each has a state and a scheduler of its own: users see one or the other, and jobs run twice.",
    details: "`fly deploy --ha=false` makes one; `fly scale count 1` afterwards takes the second away. min_machines_running changes nothing about it. Reported where the file shows state inside the Machine or a scheduler in the command of a serving group.",
    bad: "[env]\nSESSION_DRIVER = \"file\"\n[http_service]\ninternal_port = 8080",
    good: "[env]\nSESSION_DRIVER = \"redis\"\n[http_service]\ninternal_port = 8080",
    source: "flyctl internal/command/deploy, machine counts of a first deploy; Fly.io documentation, reference/app-availability",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let workers = workers(config);
    let mut states = state::local(config);
    states.extend(schedulers(config));
    let groups: Vec<&str> = config.groups().into_iter().take(MAX_GROUPS).collect();
    let mut mounted = BTreeSet::new();
    for mount in config.mounts.iter().flat_map(|list| list.iter()) {
        mounted.extend(members(config, &groups, mount.processes.as_ref()));
    }
    // Each state is told once, for the first group that gets two Machines.
    for state in states {
        let group = groups.iter().copied().find(|group| {
            let is_meant = state.group.is_none_or(|own| own == *group);
            // Where Machines are known there is no first deploy to come.
            let is_alone = input.facts.count(group).is_some_and(|count| count == 1);
            is_meant && !mounted.contains(group) && !is_alone && !workers.contains(group)
        });
        let Some(group) = group else { continue };
        let message = match input.facts.count(group).filter(|count| *count > 1) {
            Some(count) => format!("`{group}` has {count} Machines, each with its own copy"),
            None => format!("the first deploy makes two Machines of `{group}`"),
        };
        let words = format!("{} would be there twice", state.what);
        out.push(Diagnostic::new(&CODE, message).at(state.span, words));
    }
}
