//! A serving group that is never restarted.

use std::collections::BTreeMap;

use super::common::{MAX_GROUPS, is_development, members, workers};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "restart-never",
    title: "A service that is not restarted after a crash",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "With policy never a Machine whose process ended stays stopped. Failed health checks start nothing, and without autostart no request does.",
    details: "Policy never is for jobs that run once. Apps whose name or environment says development are not reported.",
    bad: "[http_service]\ninternal_port = 8080\n[[restart]]\npolicy = \"never\"",
    good: "[http_service]\ninternal_port = 8080\n[[restart]]\npolicy = \"on-failure\"\nretries = 10",
    source: "Fly.io documentation, machines/guides-examples/machine-restart-policy",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    if is_development(config) {
        return;
    }
    let workers = workers(config);
    let groups: Vec<&str> = config.groups().into_iter().take(MAX_GROUPS).collect();
    // Of several entries for a group the last is in force.
    let mut policies = BTreeMap::new();
    for entry in config.restart.iter().flat_map(|list| list.iter()) {
        let own = members(config, &groups, entry.processes.as_ref());
        policies.extend(own.into_iter().map(|group| (group, entry.policy.as_ref())));
    }
    for (group, policy) in policies {
        if let Some(policy) = policy.filter(|policy| policy.value == "never")
            && !workers.contains(&group)
        {
            out.push(
                Diagnostic::new(&CODE, format!("`{group}` stays down after a crash"))
                    .at(policy.span, "for jobs that run once"),
            );
        }
    }
}
