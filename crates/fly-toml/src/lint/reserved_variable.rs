//! A variable whose name is reserved.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "reserved-variable",
    title: "Variables named FLY_… are reserved",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "The platform sets variables with this prefix itself and the documentation reserves it; the value here may be replaced without a word.",
    details: "",
    bad: "[env]\nFLY_REGION = \"fra\"",
    good: "[env]\nREGION = \"fra\"",
    source: "Fly.io documentation, reference/configuration, env",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for (name, value) in input.config.env.iter().flat_map(|env| env.value.iter()) {
        if name.starts_with("FLY_") {
            out.push(
                Diagnostic::new(&CODE, format!("`{name}` belongs to the platform"))
                    .at(value.key, "names may not start with FLY_"),
            );
        }
    }
}
