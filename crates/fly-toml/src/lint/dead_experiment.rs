//! Experimental keys without effect.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "dead-experiment",
    title: "An experimental key that does nothing any more",
    severity: Severity::Info,
    grade: Grade::Legacy,
    flyctl: Flyctl::Silent,
    why: "flyctl reads the key and does nothing with it on Machines.",
    details: "",
    bad: "[experimental]\nauto_rollback = true",
    good: "[experimental]\ncmd = [\"server\"]",
    source: "flyctl of 2026-08-21; lazy_load_images ended in May 2025",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let Some(section) = &input.config.experimental else { return };
    let keys = [
        ("auto_rollback", &section.auto_rollback),
        ("lazy_load_images", &section.lazy_load_images),
        ("enable_etcd", &section.enable_etcd),
        ("enable_consul", &section.enable_consul),
    ];
    for (name, value) in keys {
        if let Some(value) = value.as_ref().filter(|value| value.value) {
            let message = format!("`{name}` has no effect");
            let words = if name == "enable_consul" {
                "attach consul with `fly consul attach`"
            } else {
                "delete it"
            };
            out.push(Diagnostic::new(&CODE, message).at(value.key, words));
        }
    }
}
