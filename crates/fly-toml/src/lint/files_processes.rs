//! `processes` on a file.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "files-processes",
    title: "processes has no effect on files",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Files are collected before groups are split: every Machine gets every file, secrets among them.",
    details: "",
    bad: "[[files]]\nguest_path = \"/a\"\nraw_value = \"x\"\nprocesses = [\"app\"]",
    good: "[[files]]\nguest_path = \"/a\"\nraw_value = \"x\"",
    source: "flyctl internal/appconfig/machines.go, observed",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for file in input.config.files.iter().flat_map(|files| files.iter()) {
        if let Some(processes) = file.processes.as_ref().filter(|list| !list.is_empty()) {
            out.push(
                Diagnostic::new(&CODE, "every process group gets this file")
                    .at(processes.key, "has no effect"),
            );
        }
    }
}
