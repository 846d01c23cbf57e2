//! A volume that grows by itself and starts large.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "large-start-volume",
    title: "A volume that grows by itself starts large",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "Volumes are billed by provisioned size, full or empty, and never shrink. With auto-extend a small one grows when it has to.",
    details: "initial_size counts only when the volume is made.",
    bad: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\ninitial_size = \"50gb\"\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"5GB\"\nauto_extend_size_limit = \"100GB\"",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\ninitial_size = \"5gb\"\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"5GB\"\nauto_extend_size_limit = \"100GB\"",
    source: "Fly.io documentation, about/pricing of 2026-08; reference/configuration, mounts",
};

/// From here on the price is worth a look: 1.50 USD a month.
const LARGE_GB: i64 = 10;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for mount in input.config.mounts.iter().flat_map(|list| list.iter()) {
        let grows = mount.auto_extend_size_threshold.as_ref().filter(|it| it.value > 0);
        let (Some(size), Some(grows)) = (&mount.initial_size, grows) else { continue };
        if let Some(gb) = size.value.gb().filter(|gb| *gb >= LARGE_GB) {
            out.push(
                Diagnostic::new(&CODE, format!("{gb} GB are billed from the first day"))
                    .at(size.span, "start small")
                    .at(grows.key, "it grows by itself"),
            );
        }
    }
}
