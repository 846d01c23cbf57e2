//! A volume that grows without a sensible limit.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::{Located, VolumeSize};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "volume-growth",
    title: "Auto-extend without a limit, or with one that is reached already",
    severity: Severity::Warning,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "Volumes are billed by provisioned size and never shrink: without a limit a runaway log fills and grows it, up to 500 GB.",
    details: "",
    bad: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"1GB\"",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"1GB\"\nauto_extend_size_limit = \"20GB\"",
    source: "Fly.io documentation, reference/configuration, mounts",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for mount in input.config.mounts.iter().flat_map(|list| list.iter()) {
        let Some(threshold) = mount.auto_extend_size_threshold.as_ref().filter(|it| it.value > 0)
        else {
            continue;
        };
        let gb =
            |size: &Option<Located<VolumeSize>>| size.as_ref().and_then(|size| size.value.gb());
        match (gb(&mount.auto_extend_size_limit), gb(&mount.initial_size)) {
            (None, _) => out.push(
                Diagnostic::new(&CODE, "this volume grows without a limit")
                    .at(threshold.key, "add auto_extend_size_limit"),
            ),
            (Some(limit), Some(initial)) if limit <= initial => {
                let place = mount.auto_extend_size_limit.as_ref().map_or(mount.span, |it| it.span);
                out.push(
                    Diagnostic::new(&CODE, "this volume never grows")
                        .at(place, format!("{limit} GB, and it starts with {initial} GB")),
                );
            }
            _ => {}
        }
    }
}
