//! A section that names a process group nobody has.

use super::common::MAX_GROUPS;
use super::{Lint, LintInput};
use crate::diag::nearest;
use crate::diag::{Applicability, Code, Diagnostic, Edit, Flyctl, Grade, Severity};
use crate::schema::Located;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "process-not-used",
    title: "A section for a process group that does not exist",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl refuses this in services and restart entries. In vm, mounts, checks and metrics it says nothing, and the section applies to no Machine.",
    details: "",
    bad: "[processes]\nweb = \"x\"\n[[vm]]\nmemory = \"1gb\"\nprocesses = [\"wbe\"]",
    good: "[processes]\nweb = \"x\"\n[[vm]]\nmemory = \"1gb\"\nprocesses = [\"web\"]",
    source: "flyctl internal/appconfig/processgroups.go",
};

/// Names compared with all groups, in one file; a hostile one must not cost more than its size.
const MAX_REPORTS: usize = 64;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let mut lists: Vec<(&str, &Located<Vec<Located<String>>>)> = Vec::new();
    let vms = config.vm.iter().flat_map(|list| list.iter());
    lists.extend(vms.filter_map(|it| Some(("vm", it.processes.as_ref()?))));
    let mounts = config.mounts.iter().flat_map(|list| list.iter());
    lists.extend(mounts.filter_map(|it| Some(("mounts", it.processes.as_ref()?))));
    let metrics = config.metrics.iter().flat_map(|list| list.iter());
    lists.extend(metrics.filter_map(|it| Some(("metrics", it.processes.as_ref()?))));
    let checks = config.checks.iter().flat_map(|checks| checks.value.values());
    lists.extend(checks.filter_map(|it| Some(("checks", it.processes.as_ref()?))));
    let groups = config.groups();
    let mut reported = 0;
    for (section, list) in lists {
        for name in list.iter().filter(|name| !name.is_empty()) {
            if reported == MAX_REPORTS {
                return;
            }
            // The console Machine looks for its size under this name.
            let is_console = section == "vm" && name.value == "console";
            if config.has_group(name) || is_console {
                continue;
            }
            reported += 1;
            let message = format!(
                "[[{section}]] names the process group `{}`, which does not exist",
                name.value
            );
            let diagnostic = Diagnostic::new(&CODE, message);
            let known: Vec<&str> = groups.iter().copied().take(MAX_GROUPS).collect();
            out.push(match nearest(name, known.iter().copied()) {
                Some(meant) => diagnostic.at(name.span, format!("did you mean \"{meant}\"?")).fix(
                    format!("write \"{meant}\""),
                    vec![Edit::replace(name.span, format!("\"{meant}\""))],
                    Applicability::MaybeIncorrect,
                ),
                None => diagnostic.at(name.span, format!("groups: {}", known.join(", "))),
            });
        }
    }
}
