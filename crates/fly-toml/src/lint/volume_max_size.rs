//! A volume larger than any.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "volume-max-size",
    title: "A volume larger than any that there is",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "A volume has at most 500 GB. A number without a unit is gigabytes, so a size in bytes or megabytes passes flyctl and the API refuses it in the middle of the first deploy.",
    details: "initial_size = \"1073741824\" is a billion gigabytes.",
    bad: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\ninitial_size = 1024",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\ninitial_size = \"1gb\"",
    source: "Fly.io documentation, volumes/overview; observed on flyctl of 2026-08-21",
};

/// The largest volume that the platform makes.
const MOST_GB: i64 = 500;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for mount in input.config.mounts.iter().flat_map(|list| list.iter()) {
        let Some(size) = &mount.initial_size else { continue };
        if let Some(gb) = size.value.gb().filter(|gb| *gb > MOST_GB) {
            out.push(
                Diagnostic::new(&CODE, format!("there is no volume of {gb} GB"))
                    .at(size.span, "at most 500 GB; a bare number is GB"),
            );
        }
    }
}
